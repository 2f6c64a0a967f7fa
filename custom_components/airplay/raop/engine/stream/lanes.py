"""The receivers of a stream: connects them, guards them, tells them all the same."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import asdict, replace
import time
from weakref import WeakSet

from ...buttons import Button
from ...errors import RaopError, StoppedError
from ...messages import Channel, Event, Identity, Member, MemberProgress
from ...session.lead import lead_ms
from ...session.remote import Remotes
from ...wire.parameters import Volume
from ..lanes.choice import LaneChoice, prepare_lane
from ..lanes.context import GroupKeys, LaneContext
from ..lanes.lane import Lane
from ..lanes.show import Show
from ..net.sockets import without_scope
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from ..ptp.service import PtpService
from .member_status import MemberStatus


def ignore_button(_receiver: str, _button: Button) -> None:
    """Where nobody plays by buttons, they do nothing."""


class Lanes:
    """The lanes of one stream, by receiver."""

    def __init__(
        self,
        stream: str,
        *,
        pacer: Pacer,
        identity: Identity,
        emit: Callable[[Event], None],
        on_lost: Callable[[str, RaopError], Coroutine[None, None, None]],
        ptp: PtpService,
        remotes: Remotes | None = None,
        choice: LaneChoice | None = None,
        on_button: Callable[[str, Button], None] = ignore_button,
    ) -> None:
        self._stream = stream
        self._pacer = pacer
        self.status = MemberStatus(stream, emit)
        self._on_lost = on_lost
        self._remotes = remotes or Remotes()
        self._choice = choice or LaneChoice()
        self._lanes: dict[str, Lane] = {}
        self._joining: WeakSet[Lane] = WeakSet()
        self._guards: dict[str, asyncio.Task[None]] = {}
        # What holds when a receiver is connected again after a change of its level.
        self._levels: dict[str, Volume] = {}
        self.drop_outs: dict[str, int] = {}
        self._tunings: dict[str, tuple[int, Channel]] = {}
        self._context = LaneContext(identity, pacer, GroupKeys.random(), ptp, on_button)

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def stand(self) -> bool:
        """Whether one has an open session."""
        return bool(self._open_ones())

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that stand."""
        return tuple(self._lanes.values())

    @property
    def have_evidence(self) -> bool:
        """Whether one of the receivers has asked for the time, as it must to play."""
        return any(lane.timing_replies for lane in self.lanes)

    @property
    def mind_flush(self) -> bool:
        """Whether one must not be made to drop what it holds."""
        return any(lane.minds_flush for lane in self.lanes)

    @property
    def lead_ms(self) -> int:
        """How soon the receivers have shown that a new start can be heard."""
        return lead_ms(lane.evidence for lane in self.lanes)

    def want(self, members: Iterable[Member]) -> None:
        """Take over the levels and the tuning of a new command to play."""
        wanted = {each.receiver: each for each in members}
        self._levels = {
            name: Volume(each.volume, is_muted=each.muted)
            for name, each in wanted.items()
        }
        self._tunings.clear()
        for name, each in wanted.items():
            self.tune(name, each.delay_ms, each.channel)

    def missing(self, members: Iterable[Member]) -> list[Member]:
        """Return those that have no open session."""
        open_ones = self._open_ones()
        return [each for each in members if each.receiver not in open_ones]

    async def check(self) -> None:
        """Ask each receiver whether it is still there; those that are not are closed."""
        await asyncio.gather(*(lane.check() for lane in self.lanes))

    async def prepare(self, member: Member) -> Lane:
        """Prepare a session, at the level known last; it is the caller's to tear down.

        The receiver may order by it from now on.
        """
        lane = await prepare_lane(
            self._choice.kinds_for(member),
            lambda: self._levelled(member),
            self._context,
            self._joining.add,
        )
        self._remotes.add(
            member.receiver,
            lane.active_remote,
            self._stream,
            without_scope(lane.remote_address),
            time.monotonic(),
        )
        self.status.emit(member.receiver, "connected", local=lane.local_address)
        return lane

    async def record(self, lanes: Iterable[Lane], transmitter: Transmitter) -> None:
        """Start the sessions on the timeline, also where it runs, and keep them."""
        added = tuple(lanes)
        try:
            await all_of(lane.record(transmitter) for lane in added)
        except BaseException:
            await tear_down(added)
            raise
        for lane in added:
            name = lane.member.receiver
            self._release(name)
            self._lanes[name] = lane
            self._joining.discard(lane)
            if lane.found_volume_percent is not None:
                self.status.emit_volume(name, lane.found_volume_percent)
            self.status.emit(name, "started")
            self._guards[name] = asyncio.create_task(self._guard(name, lane))
            self._remotes.began(name, time.monotonic())

    def lane_for(self, receiver: str) -> Lane | None:
        """Return the lane of a receiver that has one."""
        return self._lanes.get(receiver)

    async def drop(self, receiver: str) -> bool:
        """End a receiver's session, if it has one; return whether it had."""
        lane = self._lanes.pop(receiver, None)
        if lane is None:
            return False
        self._guards.pop(receiver).cancel()
        self._remotes.ended(receiver, time.monotonic())
        await tear_down([lane])
        return True

    async def leave(self, receiver: str, error: RaopError | None = None) -> None:
        """Take out a receiver, which is not tried again."""
        reason = error or StoppedError("the receiver was taken out")
        self.status.errors[receiver] = reason
        await self.drop(receiver)
        self.status.emit(receiver, "left", error)

    async def flush(self, sequence: int, frame: int) -> None:
        """Silence all; the given packet comes next.

        Who does not hear it is gone for the others; raises where that is everybody.
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

    async def tear_down(self) -> None:
        """End all sessions."""
        lanes, self._lanes = self.lanes, {}
        guards, self._guards = tuple(self._guards.values()), {}
        for guard in guards:
            if guard is not asyncio.current_task():
                guard.cancel()
        for lane in lanes:
            self._remotes.ended(lane.member.receiver, time.monotonic())
        await tear_down(lanes)

    def set_volume(self, receiver: str, percent: float, *, is_muted: bool) -> None:
        """Set one receiver's level, also for when it is connected again."""
        volume = self._levels[receiver] = Volume(percent, is_muted=is_muted)
        for lane in (*self.lanes, *self._joining):
            if lane.member.receiver == receiver:
                lane.set_volume(volume)

    def keep_level(self, receiver: str) -> None:
        """Let a receiver come back no louder than it is, also where that was found."""
        lane = self._lanes.get(receiver)
        if lane and self._levels.get(receiver, Volume()).percent is None:
            self._levels[receiver] = lane.volume

    def want_too(self, member: Member) -> None:
        """Take over the level and tuning of one more member, or of one that is there."""
        self.tune(member.receiver, member.delay_ms, member.channel)
        if member.volume is not None:
            self.set_volume(member.receiver, member.volume, is_muted=member.muted)

    def tune(self, receiver: str, delay_ms: int, channel: Channel) -> None:
        """Set one receiver's delay and channel, also for when it is connected again."""
        self._tunings[receiver] = (delay_ms, channel)
        for lane in (*self.lanes, *self._joining):
            if lane.member.receiver == receiver:
                lane.tune(delay_ms, channel)

    def mark_heard(self) -> None:
        """Take note that the receivers are heard."""
        for lane in self.lanes:
            lane.mark_heard()

    def sounds(self, lane: Lane) -> None:
        """Tell that a receiver is heard, as far as can be seen."""
        self._choice.mark_heard(lane)
        self.status.emit(lane.member.receiver, "playing", lane=str(lane.kind))

    def shun(self, lane: Lane) -> bool:
        """Reach a receiver by another way next time; return whether there is one."""
        return self._choice.mark_silent(lane)

    def show(self, show: Show) -> None:
        """Tell all what plays."""
        for lane in self.lanes:
            lane.show(show)

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Show a picture on all."""
        for lane in self.lanes:
            lane.show_artwork(content_type, picture, frame)

    def progress(self, *, is_measured: bool) -> tuple[MemberProgress, ...]:
        """Return what the wires show, with figures of the links or without."""
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

    def _levelled(self, member: Member) -> Member:
        if tuning := self._tunings.get(member.receiver):
            member = replace(member, delay_ms=tuning[0], channel=tuning[1])
        if member.receiver not in self._levels:
            return member
        volume = self._levels[member.receiver]
        return replace(member, volume=volume.percent, muted=volume.is_muted)

    def _release(self, name: str) -> None:
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
        self.status.emit(name, "lost", error)
        await self._on_lost(name, error)


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
