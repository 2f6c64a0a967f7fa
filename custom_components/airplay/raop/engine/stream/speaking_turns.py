"""Speaking turns: one announcement at a time on each receiver of a stream."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from ...errors import RaopError, ReceiverUnreachableError
from ...messages import Member, MemberState, Target
from ..pacing.transmitter import Transmitter
from .lanes import tear_down
from .membership import Membership
from .output import GroupOutput, silence_ns
from .states import StreamStatus

# Until the last frame has left the receiver's own output buffer.
_TAIL_S = 0.25


@dataclass(slots=True, eq=False)
class _Turn:
    """A turn that speaks or waits: on all receivers, or only on the given ones."""

    voice: asyncio.Task[None]
    receivers: frozenset[str] | None
    is_given: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def is_apart_from(self, other: _Turn) -> bool:
        if self.receivers is None or other.receivers is None:
            return False
        return self.receivers.isdisjoint(other.receivers)


class SpeakingTurns:
    """Lets one voice at a time speak on each receiver, then restores the stream."""

    def __init__(
        self,
        output: GroupOutput,
        membership: Membership,
        status: StreamStatus,
        *,
        wait_idle: Callable[[], Coroutine[None, None, None]],
        keep: Callable[[], None],
        rest: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        """Grant turns on an output, whether it plays, is paused, or is idle.

        `wait_idle` waits until an end in progress is over, `keep` keeps paused playback
        while a voice speaks, and `rest` pauses it again.
        """
        self._output = output
        self._membership = membership
        self._status = status
        self._wait_idle = wait_idle
        self._keep = keep
        self._rest = rest
        self._turns: list[_Turn] = []

    @property
    def is_taken(self) -> bool:
        """Whether a voice speaks, or is about to."""
        return bool(self._speaking)

    @property
    def owns_line(self) -> bool:
        """Whether no media plays, so that sessions are open for the voice only."""
        return self._status.is_quiet

    def is_apart(self, target: Target) -> bool:
        """Whether other members play, or may, that must not play the announcement."""
        addressed = {each.member.receiver for each in target.addressees}
        active = self._membership.active if self._status.command else ()
        playing = {each.receiver for each in active}
        return target.is_alone or not playing <= addressed

    @asynccontextmanager
    async def taken(self, target: Target) -> AsyncIterator[bool]:
        """Hold the turn of the addressed receivers; yield whether it is theirs alone.

        `clear` cancels the task that holds it. Turns are granted in order.
        """
        voice = asyncio.current_task()
        assert voice is not None
        addressed = frozenset(each.member.receiver for each in target.addressees)
        is_apart = self.is_apart(target)
        turn = _Turn(voice, addressed if is_apart else None)
        self._turns.append(turn)
        self._advance()
        try:
            await turn.is_given.wait()
            try:
                yield is_apart
            finally:
                turn.is_over = True
                await self._leave()
        finally:
            self._turns.remove(turn)
            self._advance()

    async def open(
        self, addressed: Sequence[Member], depth_ms: int, lead_in_ms: int
    ) -> tuple[Transmitter, int]:
        """Return a transmitter for a voice, with a line that plays or a silent one.

        Also return the instant from which all addressed receivers are awake.

        Raises RaopError: no addressed receiver can be connected.
        """
        output = self._output
        async with output.gate:
            await self._wait_idle()
            self._keep()
            while True:
                awake_ns = await self._prepare(addressed, depth_ms, lead_in_ms)
                if output.transmitter:
                    return output.transmitter, awake_ns
                # The last receiver was lost meanwhile.
                if not output.lanes.proof.is_climbing(addressed):
                    raise ReceiverUnreachableError("the receiver closed the connection")

    async def _prepare(
        self, addressed: Sequence[Member], depth_ms: int, lead_in_ms: int
    ) -> int:
        output = self._output
        awake_ns = 0
        if output.transmitter is None:
            if not self._has_members:
                output.lanes.want(addressed)
            await self._begin(addressed, depth_ms)
        elif self._status.is_quiet:
            awake_ns = await self._invite(addressed, lead_in_ms)
        if output.is_hushed:
            await output.wake(lead_in_ms)
        return awake_ns

    async def _begin(self, addressed: Sequence[Member], depth_ms: int) -> None:
        """Open sessions for the addressed receivers only."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._output.end)
            await self._output.prepare(addressed, depth_ms, 0.0, _do_nothing)
            undo.pop_all()

    async def _invite(self, addressed: Sequence[Member], lead_in_ms: int) -> int:
        """Open missing sessions; return when their receivers are awake."""
        output = self._output
        if output.is_hushed:
            await output.lanes.check()
        if not (missing := output.lanes.missing(addressed)):
            return 0
        await output.connector.gather(missing)
        transmitter = output.transmitter
        if transmitter is None or transmitter.line is None:
            return 0
        soonest_ns = await output.pacer.run(transmitter.soonest_ns)
        return soonest_ns + silence_ns(lead_in_ms)

    async def clear(self) -> None:
        """Cancel all voices and wait for their end."""
        voices = [turn.voice for turn in self._speaking]
        for voice in voices:
            voice.cancel()
        if voices:
            await asyncio.wait(voices)

    async def restore_volume(self, member: Member) -> None:
        """Set a receiver's volume, in a new session if it has none.

        Raises RaopError: the receiver cannot be connected.
        """
        output, lanes = self._output, self._output.lanes
        async with output.gate:
            await self._wait_idle()
            if not self._has_members:
                lanes.want([member])
            if member.volume is not None:
                lanes.set_volume(member.receiver, member.volume, is_muted=member.muted)
            if lanes.lane_for(member.receiver):
                return
            try:
                lane = await lanes.prepare(member)
            except RaopError as err:
                lanes.reporter.member(member.receiver, MemberState.LOST, err)
                raise
            try:
                await lane.record(output.make_transmitter(1000))
            finally:
                await tear_down([lane])

    async def _leave(self) -> None:
        """Release the line; playing music is not affected."""
        if not self._may_rest():
            return
        await asyncio.sleep(_TAIL_S)
        async with self._output.gate:
            await self._wait_idle()
            if self._may_rest() and self._output.transmitter:
                await self._rest()

    @property
    def _has_members(self) -> bool:
        """Whether there is playing or paused media with receivers."""
        return bool(self._status.command and self._membership.members)

    def _may_rest(self) -> bool:
        return self._status.is_quiet and not self.is_taken

    @property
    def _speaking(self) -> list[_Turn]:
        given = (turn for turn in self._turns if turn.is_given.is_set())
        return [turn for turn in given if not turn.is_over]

    def _advance(self) -> None:
        """Grant all turns that conflict with no earlier one."""
        for place, turn in enumerate(self._turns):
            if all(turn.is_apart_from(other) for other in self._turns[:place]):
                turn.is_given.set()


async def _do_nothing() -> None:
    """Wait for no media: the clip is opened separately."""
