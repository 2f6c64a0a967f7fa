"""The lanes of a stream: opens them, watches them, and sends commands to all."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
import time
from weakref import WeakSet

from ...errors import RaopError, StoppedError
from ...messages import Channel, Member, MemberProgress, MemberState
from ...session.lead import lead_ms
from ...session.roster import with_records
from ...wire.parameters import Volume
from ..lanes.context import GroupKeys, LaneContext
from ..lanes.lane import Lane
from ..lanes.show import Show
from ..net.sockets import peers_of
from ..pacing.change_signal import ChangeSignal
from ..pacing.transmitter import Transmitter
from .context import StreamContext
from .parallel import all_of
from .reports import StreamReporter
from .session_end import explain_end
from .sound_proof import SoundProof


class Lanes:
    """The lanes of one stream, by receiver."""

    def __init__(
        self,
        stream: str,
        context: StreamContext,
        reporter: StreamReporter,
        changes: ChangeSignal,
        *,
        on_lost: Callable[[str, RaopError], Coroutine[None, None, None]],
    ) -> None:
        self._stream = stream
        self.reporter = reporter
        self._changes = changes
        self._on_lost = on_lost
        self._remotes = context.remotes
        self._choice = context.choice
        self._lanes: dict[str, Lane] = {}
        self._joining: WeakSet[Lane] = WeakSet()
        self.proof = SoundProof(context.choice, reporter, lambda: self.lanes)
        self._guards: dict[str, asyncio.Task[None]] = {}
        # The volume of each receiver for its next session.
        self._levels: dict[str, Volume] = {}
        self.drop_outs: dict[str, int] = {}
        self._tunings: dict[str, tuple[int, Channel]] = {}
        # The receivers whose records have changed since the last command.
        self._seen: dict[str, Member] = {}
        self._context = LaneContext(
            context.identity,
            context.pacer,
            GroupKeys.random(),
            context.ptp,
            context.on_button,
        )

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def stand(self) -> bool:
        """Whether a receiver has an open session."""
        return bool(self._open_ones())

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that were started."""
        return tuple(self._lanes.values())

    @property
    def mind_flush(self) -> bool:
        """Whether FLUSH must be avoided on a receiver."""
        return any(lane.minds_flush for lane in self.lanes)

    @property
    def lead_ms(self) -> int:
        """How soon a new start can play, by the receivers' evidence."""
        return lead_ms(lane.evidence for lane in self.lanes)

    def want(self, members: Iterable[Member]) -> None:
        """Adopt the volumes and the tuning of a new play command."""
        wanted = {each.receiver: each for each in members}
        self._levels = {
            name: Volume(each.volume, is_muted=each.muted)
            for name, each in wanted.items()
        }
        self._tunings.clear()
        self._seen.clear()
        for name, each in wanted.items():
            self.tune(name, each.delay_ms, each.channel)

    def renew(self, members: Iterable[Member]) -> None:
        """Give members all the time of a start again, as for a new command."""
        self._choice.renew(each.receiver for each in members)

    def missing(self, members: Iterable[Member]) -> list[Member]:
        """Return the members without an open session."""
        open_ones = self._open_ones()
        return [each for each in members if each.receiver not in open_ones]

    async def check(self) -> None:
        """Check each session, and close those that are no longer alive."""
        await asyncio.gather(*(lane.check() for lane in self.lanes))

    async def prepare(self, member: Member) -> Lane:
        """Prepare a session at the last known volume; the caller tears it down.

        The receiver may send button presses for it from now on.
        """
        self.proof.tries_again(member.receiver)
        lane = await self._choice.open(
            lambda: self._present(member), self._context, self._joining.add
        )
        self._remotes.add(
            member.receiver,
            lane.active_remote,
            self._stream,
            peers_of(lane.connection.remote, member.addresses),
            time.monotonic(),
        )
        self.reporter.member(
            member.receiver,
            MemberState.CONNECTED,
            local=lane.connection.local,
            remote=lane.connection.remote,
        )
        return lane

    async def record(self, lanes: Iterable[Lane], transmitter: Transmitter) -> None:
        """Start the sessions on the timeline, even if it is running, and keep them."""
        added = tuple(lanes)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(tear_down, added)
            await all_of(lane.record(transmitter) for lane in added)
            undo.pop_all()
        for lane in added:
            name = lane.member.receiver
            self._release(name)
            self._lanes[name] = lane
            self._joining.discard(lane)
            if (found_percent := lane.volume.found_percent) is not None:
                self.reporter.volume_found(name, found_percent)
            self.reporter.member(name, MemberState.STARTED)
            self._guards[name] = asyncio.create_task(self._guard(name, lane))
            self._remotes.began(name, time.monotonic())
        self._changes.notify()

    def lane_for(self, receiver: str) -> Lane | None:
        """Return the lane of a receiver, or None."""
        return self._lanes.get(receiver)

    async def explained(self, receiver: str) -> None:
        """Wait until the end of a session is explained, if it has just ended."""
        lane, guard = self._lanes.get(receiver), self._guards.get(receiver)
        if guard and not (lane and lane.is_open):
            await asyncio.wait([guard])

    async def drop(self, receiver: str) -> bool:
        """End a receiver's session; return whether it had one."""
        lane = self._lanes.pop(receiver, None)
        if lane is None:
            return False
        self._changes.notify()
        self._guards.pop(receiver).cancel()
        self._remotes.ended(receiver, time.monotonic())
        await tear_down([lane])
        return True

    async def leave(self, receiver: str, error: RaopError | None = None) -> None:
        """Remove a receiver, which is not retried."""
        reason = error or StoppedError("the receiver was removed")
        self.reporter.errors[receiver] = reason
        await self.drop(receiver)
        self.reporter.member(receiver, MemberState.LEFT, error)

    async def flush(self, sequence: int, frame: int) -> None:
        """Silence all receivers; the given packet is the next one.

        A lane that fails is released.

        Raises RaopError: all lanes fail.
        """
        lanes = self.lanes
        results = await asyncio.gather(
            *(lane.flush(sequence, frame) for lane in lanes), return_exceptions=True
        )
        errors = [each for each in results if each]
        for error in errors:
            if len(errors) == len(lanes) or not isinstance(error, RaopError):
                raise error
        for lane, result in zip(lanes, results, strict=True):
            if result:
                lane.release()
        self._changes.notify()

    async def tear_down(self) -> None:
        """End all sessions."""
        lanes, self._lanes = self.lanes, {}
        self._changes.notify()
        guards, self._guards = tuple(self._guards.values()), {}
        for guard in guards:
            if guard is not asyncio.current_task():
                guard.cancel()
        for lane in lanes:
            self._remotes.ended(lane.member.receiver, time.monotonic())
        await tear_down(lanes)

    def set_volume(self, receiver: str, percent: float, *, is_muted: bool) -> None:
        """Set one receiver's volume, also for its next session."""
        volume = self._levels[receiver] = Volume(percent, is_muted=is_muted)
        for lane in (*self.lanes, *self._joining):
            if lane.member.receiver == receiver:
                lane.volume.set(volume)

    def keep_level(self, receiver: str) -> None:
        """Keep a receiver's found volume, so that it does not come back louder."""
        lane = self._lanes.get(receiver)
        if lane and self._levels.get(receiver, Volume()).percent is None:
            self._levels[receiver] = lane.volume.usual

    def seen(self, member: Member) -> None:
        """Adopt a receiver's new records, also for a session that is being opened."""
        self._seen[member.receiver] = member

    def want_too(self, member: Member) -> None:
        """Adopt the volume and the tuning of a new or existing member."""
        self._seen.pop(member.receiver, None)
        self.tune(member.receiver, member.delay_ms, member.channel)
        if member.volume is not None:
            self.set_volume(member.receiver, member.volume, is_muted=member.muted)

    def tune(self, receiver: str, delay_ms: int, channel: Channel) -> None:
        """Set one receiver's delay and channel, also for its next session."""
        self._tunings[receiver] = (delay_ms, channel)
        for lane in (*self.lanes, *self._joining):
            if lane.member.receiver == receiver:
                lane.tune(delay_ms, channel)

    def mark_heard(self) -> None:
        """Record that the receivers play."""
        for lane in self.lanes:
            lane.mark_heard()

    def show(self, show: Show) -> None:
        """Send metadata to all receivers."""
        for lane in self.lanes:
            lane.show(show)

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Send a picture to all receivers."""
        for lane in self.lanes:
            lane.show_artwork(content_type, picture, frame)

    def progress(self, *, is_measured: bool) -> tuple[MemberProgress, ...]:
        """Return the counters of each lane, with link figures if `is_measured`."""
        return tuple(
            MemberProgress(
                receiver=lane.member.receiver,
                packets=lane.packets,
                resent=lane.resent,
                timing_replies=lane.timing_replies,
                drop_outs=self.drop_outs.get(lane.member.receiver, 0),
                is_measured=is_measured,
                **(asdict(lane.link) if is_measured else {}),
            )
            for lane in self.lanes
        )

    def _open_ones(self) -> set[str]:
        return {name for name, lane in self._lanes.items() if lane.is_open}

    def _present(self, member: Member) -> Member:
        """Return a member as it was changed since its command."""
        if seen := self._seen.get(member.receiver):
            member = with_records(member, seen)
        if tuning := self._tunings.get(member.receiver):
            member = replace(member, delay_ms=tuning[0], channel=tuning[1])
        if member.receiver not in self._levels:
            return member
        volume = self._levels[member.receiver]
        return replace(member, volume=volume.percent, muted=volume.is_muted)

    def _release(self, name: str) -> None:
        """Release a session that a new one replaces."""
        if guard := self._guards.pop(name, None):
            guard.cancel()
        if lane := self._lanes.pop(name, None):
            lane.release()

    async def _guard(self, name: str, lane: Lane) -> None:
        """Wait until a receiver is lost, remove its lane, and report the reason."""
        error = await asyncio.shield(lane.connection.closed)
        self._lanes.pop(name, None)
        self._remotes.ended(name, time.monotonic())
        lane.release()
        is_explained = self.proof.lost(lane, error)
        self._changes.notify()
        if not is_explained:
            error = await explain_end(lane, error)
        self.reporter.member(name, MemberState.LOST, error)
        await self._on_lost(name, error)


async def tear_down(lanes: Iterable[Lane]) -> None:
    """End sessions in parallel; cancellation releases them at once."""
    leaving = tuple(lanes)
    try:
        await asyncio.gather(*(lane.teardown() for lane in leaving))
    finally:
        for lane in leaving:
            lane.release()
