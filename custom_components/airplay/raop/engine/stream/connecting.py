"""The connector of a stream: connects several receivers in parallel."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
import time

from ...errors import (
    NoStreamError,
    RaopError,
    ReceiverBusyError,
    ReceiverUnreachableError,
)
from ...messages import Member, MemberState
from ...session.timeline import SECOND_NS
from ..lanes.lane import Lane
from ..net import clock
from ..pacing.change_signal import ChangeSignal
from ..pacing.transmitter import Transmitter
from .lanes import Lanes, tear_down

# A receiver that is not ready this long after the first session joins later.
_PATIENCE_S = 3.0
# The retry interval for a busy receiver: a few tries at least, and no flood.
_QUICK_S = 0.5
_SLOW_S = 5.0


class Connector:
    """Opens sessions with receivers and starts them on the timeline."""

    def __init__(
        self,
        lanes: Lanes,
        changes: ChangeSignal,
        transmitter: Callable[[], Transmitter | None],
    ) -> None:
        self._lanes = lanes
        self._changes = changes
        self._transmitter = transmitter
        self._under_way: dict[str, asyncio.Task[Lane]] = {}
        # The errors of the receivers that `gather` has left out.
        self.failures: dict[str, RaopError] = {}

    async def arrive(self, member: Member) -> Lane:
        """Return a receiver's session; an attempt that is under way continues.

        Raises RaopError: the receiver cannot be connected; nothing stays open.
        """
        task = self._under_way.get(member.receiver)
        if task is None:
            task = self._begin(member, 0.0, None)
        try:
            return await task
        finally:
            await self.cancel(member.receiver)

    async def gather(
        self,
        members: Iterable[Member],
        *,
        patience_s: float = 0.0,
        is_media_ready: asyncio.Event | None = None,
    ) -> None:
        """Connect receivers; wait until all are ready or have failed.

        Receivers that are not ready 3 s after the first one has a session continue in
        the background, and so does an attempt that is under way.
        A single receiver is ready without evidence that it knows the time. Open
        sessions are ready. A busy receiver is retried for `patience_s`.

        Raises RaopError: no receiver has a session (the first error).
        """
        wanted = tuple(members)
        if not wanted:
            raise RaopError("there is no receiver to play to")
        for member in wanted:
            # One may be left of an earlier call, such as that of the last announcement.
            attempt = self._under_way.get(member.receiver)
            if attempt is None or attempt.done():
                self._begin(member, patience_s, is_media_ready)
        tasks = {each.receiver: self._under_way[each.receiver] for each in wanted}
        knows_time = len(wanted) > 1 or self._lanes.stand
        until_ns = _patience_ns() if self._lanes.stand else None
        while not all(self._is_settled(name, knows_time=knows_time) for name in tasks):
            if until_ns is None and self._lanes.stand:
                until_ns = _patience_ns()
            if until_ns is not None and clock.now_ns() >= until_ns:
                break
            await self._changes.wait(until_ns)
        for name, task in tasks.items():
            if task.done():
                self._under_way.pop(name, None)
        self.failures = _errors(tasks)
        if not self._lanes.stand:
            self._raise_failure()

    async def cancel(self, receiver: str) -> None:
        """Cancel the attempt for one receiver."""
        if task := self._under_way.pop(receiver, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def clear(self) -> None:
        """Cancel all attempts."""
        tasks, self._under_way = tuple(self._under_way.values()), {}
        self.failures = {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _raise_failure(self) -> None:
        for receiver, error in self.failures.items():
            self._lanes.reporter.member(receiver, MemberState.LOST, error)
        for error in self.failures.values():
            raise error
        raise ReceiverUnreachableError("the receivers closed their connections")

    def _is_settled(self, name: str, *, knows_time: bool) -> bool:
        task = self._under_way.get(name)
        if task is None or task.cancelled():
            return True
        if not task.done():
            return False
        if not _is_done_well(task) or not knows_time:
            return True
        lane = task.result()
        return not lane.is_open or lane.is_proven or not lane.receiver.asks_time

    def _begin(
        self, member: Member, patience_s: float, is_media_ready: asyncio.Event | None
    ) -> asyncio.Task[Lane]:
        task = asyncio.create_task(self._arrive(member, patience_s, is_media_ready))
        task.add_done_callback(lambda _: self._changes.notify())
        self._under_way[member.receiver] = task
        return task

    async def _arrive(
        self, member: Member, patience_s: float, is_media_ready: asyncio.Event | None
    ) -> Lane:
        """Open and start a session, by another way if a receiver refuses RECORD."""
        while True:
            lane = await self._open(member, patience_s)
            async with AsyncExitStack() as undo:
                undo.push_async_callback(tear_down, [lane])
                if is_media_ready:
                    await is_media_ready.wait()
                transmitter = self._transmitter()
                if transmitter is None:
                    raise NoStreamError("the stream has ended")
                undo.pop_all()
            try:
                await self._lanes.record([lane], transmitter)
            except ReceiverBusyError:
                raise
            except RaopError as err:
                if not self._lanes.proof.fail(lane, err):
                    raise lane.ladder.error from err
            else:
                break
        if transmitter.line is None:
            # Packets of a line that has ended meanwhile must not play.
            await _silence(lane, transmitter)
        return lane

    async def _open(self, member: Member, patience_s: float) -> Lane:
        until_s = time.monotonic() + patience_s
        gap_s = min(max(patience_s / 20, _QUICK_S), _SLOW_S)
        while True:
            try:
                return await self._lanes.prepare(member)
            except ReceiverBusyError:
                if time.monotonic() + gap_s > until_s:
                    raise
            self._lanes.reporter.member(member.receiver, MemberState.BUSY)
            await asyncio.sleep(gap_s)


def _patience_ns() -> int:
    """Return the time until which to wait for the remaining receivers."""
    return clock.now_ns() + round(_PATIENCE_S * SECOND_NS)


def _is_done_well(task: asyncio.Task[Lane]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _silence(lane: Lane, transmitter: Transmitter) -> None:
    if lane.packets:
        await lane.flush(transmitter.next_sequence, transmitter.next_frame)


def _errors(tasks: dict[str, asyncio.Task[Lane]]) -> dict[str, RaopError]:
    found: dict[str, RaopError] = {}
    for name, task in tasks.items():
        if not task.done() or task.cancelled():
            continue
        error = task.exception()
        if isinstance(error, RaopError):
            found[name] = error
        elif error:
            raise error
    return found
