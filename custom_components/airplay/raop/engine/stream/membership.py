"""The membership of a stream: members join, leave, drop out, and come back."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine

from ...errors import (
    NoStreamError,
    RaopError,
    ReceiverTakenError,
    ReceiverUnreachableError,
    StoppedError,
)
from ...messages import Member, Play
from ...session.roster import Roster
from ..lanes.lane import Lane
from .output import GroupOutput
from .parallel import all_of
from .states import StreamStatus
from .supervisor import MemberSupervisor


class Membership:
    """The members of a stream, changed by its commands and its receivers."""

    def __init__(
        self,
        output: GroupOutput,
        status: StreamStatus,
        *,
        on_arrived: Callable[[Lane], None],
        on_all_lost: Callable[[str, RaopError], Coroutine[None, None, None]],
    ) -> None:
        """`on_all_lost` gets the receiver that was lost last, and its error."""
        self._output = output
        self._lanes = output.lanes
        self._status = status
        self._on_all_lost = on_all_lost
        self._roster = Roster()
        self._supervisor = MemberSupervisor(
            output, self._roster, on_arrived=on_arrived, on_hopeless=self._lose_hope
        )
        self._losing: asyncio.Task[None] | None = None
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, also those that are lost or were switched away."""
        return self._roster.members

    @property
    def active(self) -> tuple[Member, ...]:
        """The members that were not switched to another source."""
        return self._roster.active

    @property
    def is_group(self) -> bool:
        """Whether there are several members, or were since the last play command."""
        return self._roster.is_group

    @property
    def has_hope(self) -> bool:
        """Whether a member may come back although no member plays."""
        return self._supervisor.has_hope

    @property
    def is_trying(self) -> bool:
        """Whether a group waits for a member that is being tried, maybe another way."""
        return self.is_group and self._supervisor.is_trying

    def is_trying_on(self, receiver: str) -> bool:
        """Whether a member of a group is being tried, maybe another way."""
        return self.is_group and self._supervisor.is_trying_on(receiver)

    @property
    def missing(self) -> frozenset[str]:
        """The members that were already lost when the music was paused."""
        return self._supervisor.missing

    def expect(self, command: Play) -> None:
        """Record a play command before its turn."""
        self._roster.expect(command, command.members)
        self._lanes.want(command.members)
        self._lanes.renew(command.members)

    def can_take(self, command: Play) -> bool:
        """Whether a command can use an open session."""
        return self._output.can_take(self._roster.of(command))

    def adopt(self, command: Play) -> None:
        """Make the members of a command those of the stream."""
        self._roster.adopt(command)

    def give_up(self, command: Play) -> None:
        """Drop a command that failed, unless it has taken over.

        Members that joined meanwhile join the current playback, if any.
        """
        if not self._roster.give_up(command):
            return
        if not self._status.command:
            self._supervisor.dismiss(NoStreamError("nothing plays"))
        elif self._status.is_quiet:
            self._supervisor.dismiss()
        elif self._output.line:
            self._supervisor.start()

    async def free_others(self) -> None:
        """End the sessions of receivers that are no longer members."""
        wanted = {each.receiver for each in self.members}
        gone = {lane.member.receiver for lane in self._lanes.lanes} - wanted
        for receiver in gone:
            await self._supervisor.leave(receiver)
        await all_of(self._lanes.leave(receiver) for receiver in gone)

    def begin(self) -> None:
        """Keep all members connected to the line that has begun."""
        self._supervisor.start()

    async def rest(self) -> None:
        """Stop supervising the members, as nothing plays."""
        await self._supervisor.rest()

    def pause(self) -> None:
        """Release all joining callers: their members play after the resume."""
        self._supervisor.dismiss()

    def end(self, error: RaopError | None, *, is_final: bool) -> None:
        """Release all joining callers, unless another play command is pending."""
        if is_final or not self._roster.is_awaited:
            self._supervisor.dismiss(error or StoppedError("the stream has ended"))

    async def join(self, member: Member) -> None:
        """Add a receiver; return when it plays, if anything does.

        Raises RaopError: it cannot play; it is removed again.
        """
        # A leaving member still has a session, and would seem to play.
        async with self._turns[member.receiver]:
            is_awaited = self._roster.is_awaited
            if not (is_awaited or self._status.command):
                return
            self._roster.add(member)
            self._lanes.want_too(member)
            self._lanes.renew([member])
        if is_awaited or not self._status.is_quiet:
            await self._supervisor.joined(member.receiver)

    def is_last(self, receiver: str) -> bool:
        """Whether a receiver is the last one to play to."""
        return self._roster.is_last(receiver)

    async def part(self, receiver: str) -> None:
        """Remove and free a receiver; the others continue."""
        async with self._turns[receiver]:
            if not self._roster.has(receiver):
                return
            self._roster.remove(receiver)
            await self._supervisor.leave(receiver)
            await self._output.connector.cancel(receiver)
            await self._lanes.leave(receiver)
        self._supervisor.lost(
            receiver, ReceiverUnreachableError("the other receivers do not answer")
        )
        self._output.changes.notify()

    def seen(self, member: Member) -> None:
        """Retry a missing receiver at once, at the address where it was seen."""
        self._supervisor.seen(member)

    async def switch_away(self, receiver: str) -> None:
        """Free a receiver that was switched to another source."""
        lane = self._lanes.lane_for(receiver)
        async with self._output.gate:
            # A newer session has replaced this one.
            if lane is None or self._lanes.lane_for(receiver) is not lane:
                return
            self._roster.switch_away(receiver)
            await self._supervisor.leave(receiver)
            await self._lanes.leave(receiver)
            taken = "the receiver was switched to another source"
            await self.lost(receiver, ReceiverTakenError(taken))

    async def rejoin(self, receiver: str) -> None:
        """Let a receiver that was switched away rejoin, if the others still play."""
        async with self._output.gate:
            if self._status.is_quiet or not (self._lanes and self._output.line):
                return
            self._roster.switch_back(receiver)
            self._supervisor.start()

    async def lost(self, receiver: str, error: RaopError) -> None:
        """Continue without a receiver; a paused stream reconnects it when resumed."""
        self._supervisor.lost(receiver, error)
        if not (self._lanes or self.has_hope or self._can_be_without):
            await self._on_all_lost(receiver, error)

    @property
    def _can_be_without(self) -> bool:
        """Whether a stream continues without receivers.

        It is paused or changing, or its receiver has another way to be played to.
        """
        status = self._status
        is_between = status.is_paused or status.is_pausing or status.is_changing
        is_climbing = self._lanes.proof.is_climbing(self.members)
        return is_between or (is_climbing and not self.is_group)

    def _lose_hope(self, receiver: str, error: RaopError) -> None:
        """End a group if no member has come back."""

        async def end() -> None:
            async with self._output.gate:
                if not (self._lanes or self._can_be_without):
                    await self._on_all_lost(receiver, error)

        self._losing = asyncio.create_task(end())
