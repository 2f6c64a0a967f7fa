"""The receivers of a stream: connects them, guards them, tells them all the same."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
import os
import time

from ..errors import RaopError, ReceiverBusyError, ReceiverTakenError
from ..messages import (
    Event,
    Identity,
    Member,
    MemberChanged,
    MemberProgress,
    VolumeFound,
)
from ..session.backlog import AudioKey
from ..session.lead import lead_ms
from ..session.remote import Remotes
from .lane import Lane, Show
from .lanes import make_lane
from .pacer import Pacer
from .sockets import without_scope
from .transmitter import Transmitter

# How often a busy receiver is asked again: a few times at least, and not like a flood.
_QUICK_S = 0.5
_SLOW_S = 5.0


class Members:
    """The lanes of one stream, by receiver."""

    def __init__(
        self,
        stream: str,
        *,
        pacer: Pacer,
        identity: Identity,
        emit: Callable[[Event], None],
        on_lost: Callable[[str, RaopError], Coroutine[None, None, None]],
        remotes: Remotes | None = None,
    ) -> None:
        self._stream = stream
        self._pacer = pacer
        self._identity = identity
        self._emit = emit
        self._on_lost = on_lost
        self._remotes = remotes or Remotes()
        self._lanes: dict[str, Lane] = {}
        self._joining: list[Lane] = []
        self._guards: dict[str, asyncio.Task[None]] = {}
        # Why each receiver was lost, for whoever misses it.
        self.errors: dict[str, RaopError] = {}
        # What holds when a receiver is connected again after a change of its level.
        self._levels: dict[str, tuple[float | None, bool]] = {}
        # One key for all, so that encrypted receivers share their packets too.
        self._key = AudioKey(os.urandom(16), os.urandom(16))

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that stand."""
        return tuple(self._lanes.values())

    @property
    def have_evidence(self) -> bool:
        """Whether one of the receivers has asked for the time, as it must to play."""
        return any(lane.timing_replies for lane in self.lanes)

    @property
    def lead_ms(self) -> int:
        """How soon the receivers have shown that a new start can be heard."""
        return lead_ms(lane.evidence for lane in self.lanes)

    def want(self, members: Iterable[Member]) -> None:
        """Take over the levels of a new command to play."""
        self._levels = {each.receiver: (each.volume, each.muted) for each in members}

    def missing(self, members: Iterable[Member]) -> list[Member]:
        """Return those that have no open session."""
        open_ones = self._open_ones()
        return [each for each in members if each.receiver not in open_ones]

    def are(self, members: Iterable[Member]) -> bool:
        """Return whether exactly these receivers have an open session."""
        return self._open_ones() == {member.receiver for member in members}

    async def check(self) -> None:
        """Ask each receiver whether it is still there; those that are not are closed."""
        await asyncio.gather(*(lane.check() for lane in self.lanes))

    async def connect_patiently(
        self, members: Iterable[Member], patience_s: float
    ) -> list[Lane]:
        """Prepare sessions, and ask again for a while where all are busy."""
        until_s = time.monotonic() + patience_s
        gap_s = min(max(patience_s / 20, _QUICK_S), _SLOW_S)
        while True:
            try:
                return await self.connect(members)
            except ReceiverBusyError:
                if time.monotonic() + gap_s > until_s:
                    raise
            for member in members:
                self._say(member.receiver, "busy")
            await asyncio.sleep(gap_s)

    async def connect(self, members: Iterable[Member]) -> list[Lane]:
        """Prepare sessions; those that fail are left out while there is another.

        Where all fail the first one's error is raised. Until `record` the lanes are
        the caller's to tear down.
        """
        lanes = [
            make_lane(self._levelled(member), self._identity, self._pacer, self._key)
            for member in members
        ]
        self._joining = lanes
        try:
            results = await asyncio.gather(
                *(self._prepare(lane) for lane in lanes), return_exceptions=True
            )
        except asyncio.CancelledError:
            await tear_down(lanes)
            raise
        ready = [lane for lane, each in zip(lanes, results, strict=True) if not each]
        errors = [each for each in results if each]
        for lane, error in zip(lanes, results, strict=True):
            if error is None:
                self._tell(lane, "connected")
            elif isinstance(error, RaopError):
                self._tell(lane, "lost", error)
        unexpected = [each for each in errors if not isinstance(each, RaopError)]
        if unexpected or not ready:
            await tear_down(ready)
            raise (unexpected or errors)[0]
        return ready

    async def record(self, lanes: Iterable[Lane], transmitter: Transmitter) -> None:
        """Start the sessions at the timeline's next packet and keep them."""
        added = tuple(lanes)
        try:
            await all_of(lane.record(transmitter) for lane in added)
        except BaseException:
            await tear_down(added)
            raise
        for lane in added:
            name = lane.member.receiver
            self._drop(name)
            self._lanes[name] = lane
            if lane.found_volume is not None:
                volume = lane.found_volume
                self._emit(
                    VolumeFound(stream=self._stream, receiver=name, volume=volume)
                )
            self._guards[name] = asyncio.create_task(self._guard(name, lane))
            self._remotes.began(name, time.monotonic())
        self._joining = []

    def find(self, receiver: str) -> Lane | None:
        """Return the lane of a receiver that has one."""
        return self._lanes.get(receiver)

    async def leave(self, receiver: str) -> None:
        """Take out a receiver that was switched to another source."""
        lane = self._lanes.pop(receiver, None)
        if lane is None:
            return
        self._guards.pop(receiver).cancel()
        self._remotes.ended(receiver, time.monotonic())
        await tear_down([lane])
        self._say(receiver, "left")
        taken = ReceiverTakenError("the receiver was switched to another source")
        await self._on_lost(receiver, taken)

    async def flush(self, sequence: int, frame: int) -> None:
        """Silence all; the given packet comes next."""
        await all_of(lane.flush(sequence, frame) for lane in self.lanes)

    async def tear_down(self) -> None:
        """End all sessions."""
        lanes, self._lanes, self._joining = self.lanes, {}, []
        guards, self._guards = tuple(self._guards.values()), {}
        for guard in guards:
            if guard is not asyncio.current_task():
                guard.cancel()
        for lane in lanes:
            self._remotes.ended(lane.member.receiver, time.monotonic())
        await tear_down(lanes)

    def set_volume(self, receiver: str, percent: float, *, is_muted: bool) -> None:
        """Set one receiver's level, also for when it is connected again."""
        self._levels[receiver] = (percent, is_muted)
        for lane in (*self.lanes, *self._joining):
            if lane.member.receiver == receiver:
                lane.set_volume(percent, is_muted=is_muted)

    def heard(self) -> None:
        """Take note that the receivers are heard."""
        for lane in self.lanes:
            lane.heard()

    def show(self, show: Show) -> None:
        """Tell all what plays."""
        for lane in self.lanes:
            lane.show(show)

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Show a picture on all."""
        for lane in self.lanes:
            lane.show_artwork(content_type, picture, frame)

    def progress(self) -> tuple[MemberProgress, ...]:
        """Return what the wires show."""
        return tuple(
            MemberProgress(
                receiver=lane.member.receiver,
                packets=lane.packets,
                resent=lane.resent,
                timing_replies=lane.timing_replies,
            )
            for lane in self.lanes
        )

    def _open_ones(self) -> set[str]:
        return {name for name, lane in self._lanes.items() if lane.is_open}

    def _levelled(self, member: Member) -> Member:
        if member.receiver not in self._levels:
            return member
        volume, is_muted = self._levels[member.receiver]
        return replace(member, volume=volume, muted=is_muted)

    def _drop(self, name: str) -> None:
        """Forget a session that a new one replaces."""
        if guard := self._guards.pop(name, None):
            guard.cancel()
        if lane := self._lanes.pop(name, None):
            lane.release()

    async def _guard(self, name: str, lane: Lane) -> None:
        """Wait until a receiver is gone and take it out."""
        error = await lane.closed()
        self._lanes.pop(name, None)
        self._guards.pop(name, None)
        self._remotes.ended(name, time.monotonic())
        lane.release()
        self._tell(lane, "lost", error)
        await self._on_lost(name, error)

    async def _prepare(self, lane: Lane) -> None:
        """Open a session and let the receiver order by it, which it may do at once."""
        await lane.prepare()
        self._remotes.add(
            lane.member.receiver,
            lane.active_remote,
            self._stream,
            without_scope(lane.remote_address),
            time.monotonic(),
        )

    def _tell(self, lane: Lane, state: str, error: RaopError | None = None) -> None:
        local = lane.local_address if state == "connected" else None
        if error:
            self.errors[lane.member.receiver] = error
        self._say(lane.member.receiver, state, error, local)

    def _say(
        self,
        receiver: str,
        state: str,
        error: RaopError | None = None,
        local: str | None = None,
    ) -> None:
        self._emit(
            MemberChanged(
                stream=self._stream,
                receiver=receiver,
                state=state,
                code=error.code if error else None,
                text=str(error) if error else "",
                local=local,
            )
        )


async def tear_down(lanes: Iterable[Lane]) -> None:
    """End sessions side by side; whoever cannot wait leaves none of them open."""
    leaving = tuple(lanes)
    try:
        await asyncio.gather(*(lane.teardown() for lane in leaving))
    finally:
        for lane in leaving:
            lane.release()


async def all_of(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Run everything side by side; the first failure ends the rest and is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
