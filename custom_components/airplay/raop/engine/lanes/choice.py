"""Climbs the ladder of each receiver: opens its lanes, and remembers what worked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ...errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ...messages import Member
from ...receiver_lanes import LaneKind as Kind
from ...session.climbing.extras import Omissions
from ...session.climbing.way import Way
from ...session.ladder import Attempt, Ladder
from ...session.ways import Outcome, ways_of
from ..net.extras import learn
from ..net.open_way import Secrets, climb
from .context import LaneContext, receiver_of
from .lane import Lane
from .raop import RaopLane


@dataclass(frozen=True, slots=True)
class _Known:
    """What failures and success of a member are about: its ways, firmware, secrets.

    Not its records, which change with each session: their flags say that it plays.
    """

    ways: frozenset[Way]
    firmware: str | None
    access: Secrets

    @classmethod
    def of(cls, member: Member) -> _Known:
        """Return the facts about a member. Raises RaopError: see `ladder_for`."""
        receiver = receiver_of(member)
        access = Secrets(member.password, member.credentials, member.is_bound)
        rungs = ways_of(receiver, access.access(wanted=member.lane))
        return cls(frozenset(each.way for each in rungs), receiver.firmware, access)


class LaneChoice:
    """The ladders of all receivers, from the first failure until sound is proven.

    A receiver may accept a stream without playing it; the next way is tried then, by
    whichever command plays on it next. If all have failed, all are tried again.
    """

    def __init__(self) -> None:
        self._ladders: dict[str, tuple[_Known, Ladder]] = {}
        self._proven: dict[str, tuple[_Known, Way]] = {}
        # What receivers of a firmware are not sent, once they have played without it.
        self._omissions: dict[tuple[str, str | None], Omissions] = {}
        # How to end a session that makes way for any other one, by its receiver.
        self.guests: dict[str, Callable[[], Awaitable[None]]] = {}

    def ladder_for(self, member: Member) -> Ladder:
        """Return the ladder of a member, as far as it is climbed.

        Raises RaopError: there is no way to play to it, or its keys are malformed.
        """
        known = _Known.of(member)
        name = member.receiver
        if kept := self._ladders.get(name):
            was_known, ladder = kept
            if was_known == known and ladder.is_begun:
                ladder.follow(receiver_of(member))
                return ladder
        learned = Way.parse(member.first_way) if member.first_way else None
        if name in self._proven and self._proven[name][0] == known:
            learned = self._proven[name][1]
        access = known.access.access(wanted=member.lane, learned=learned)
        kept_out = self._omissions.get((name, known.firmware))
        ladder = Ladder(receiver_of(member), access, kept_out and kept_out.copy())
        self._ladders[name] = known, ladder
        return ladder

    async def open(
        self,
        member: Callable[[], Member],
        context: LaneContext,
        on_try: Callable[[Lane], None],
    ) -> Lane:
        """Open the first lane that a receiver accepts; the caller tears it down.

        `member` is called for each attempt, as its volume and its address may change
        meanwhile. At another address, a way is tried once more.

        Raises RaopError: no lane works (the most telling error), or the receiver is
        busy; the next call begins anew.
        """
        wanted = member()
        ladder = self.ladder_for(wanted)
        if leave := self.guests.get(wanted.receiver):
            await leave()

        async def try_here(attempt: Attempt) -> Lane:
            present = member()
            ladder.follow(receiver_of(present))
            lane = make_lane(ladder, attempt, present, context)
            on_try(lane)
            try:
                await lane.prepare()
            except asyncio.CancelledError:
                await lane.teardown()
                raise
            return lane

        async def try_way(attempt: Attempt) -> Lane:
            try:
                return await try_here(attempt)
            except ReceiverUnreachableError:
                has_moved = ladder.follow(receiver_of(member()))
                if not (has_moved or ladder.leave_address(attempt)):
                    raise
            return await try_here(attempt)

        try:
            return await climb(ladder, try_way)
        except RaopError:
            self._forget(ladder)
            raise

    def mark_heard(self, lane: Lane) -> None:
        """Record that a receiver plays by this lane: it is the first one next time."""
        name, known = lane.member.receiver, _Known.of(lane.member)
        self._proven[name] = known, lane.way
        self._omissions[name, known.firmware] = lane.ladder.omissions
        lane.ladder.patience.renew()
        self._ladders.pop(name, None)

    def mark_failed(self, lane: Lane, error: RaopError) -> bool:
        """Record that a lane does not play; return whether another is worth a try."""
        ladder = lane.ladder
        if self.learn(lane, error):
            return True
        is_clock = lane.silence is Outcome.NO_CLOCK and isinstance(
            error, ReceiverSilentError
        )
        if ladder.fail(lane.attempt, error, is_clock=is_clock):
            self._ladders[lane.member.receiver] = _Known.of(lane.member), ladder
            return True
        self._forget(ladder)
        return False

    def learn(self, lane: Lane, error: RaopError) -> bool:
        """Leave out what made a receiver end a session; return whether that is new.

        The same way is tried again then, by the same ladder.
        """
        name, ladder = lane.member.receiver, lane.ladder
        if not learn(lane.member.name, ladder.omissions, error):
            return False
        ladder.is_begun = True
        self._ladders[name] = _Known.of(lane.member), ladder
        return True

    def renew(self, receivers: Iterable[str]) -> None:
        """Give receivers all the time of a start again, as for a new command."""
        for name in receivers:
            if kept := self._ladders.get(name):
                kept[1].patience.renew()

    def has_beside(self, lane: Lane) -> bool:
        """Whether another way would be tried if this lane stayed silent."""
        return lane.ladder.has_beside(lane.attempt, lane.silence)

    def _forget(self, ladder: Ladder) -> None:
        self._ladders = {
            name: kept for name, kept in self._ladders.items() if kept[1] is not ladder
        }


def make_lane(
    ladder: Ladder, attempt: Attempt, member: Member, context: LaneContext
) -> Lane:
    """Return a lane that is not connected yet.

    What only AirPlay 2 needs is imported with its first lane.
    """
    match attempt.way.lane:
        case Kind.RAOP:
            return RaopLane(ladder, attempt, member, context)
        case Kind.AIRPLAY2_REALTIME:
            from .realtime import RealtimeLane

            return RealtimeLane(ladder, attempt, member, context)
        case Kind.AIRPLAY2_BUFFERED:
            from .buffered import BufferedLane

            return BufferedLane(ladder, attempt, member, context)
