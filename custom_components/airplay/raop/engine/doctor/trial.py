"""Tries the ways to a receiver as a start does, with silence in place of music."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from ...diagnosis import DoctorFailure, LinkFinding, WayFinding
from ...errors import (
    RaopError,
    ReceiverBusyError,
    ReceiverSilentError,
    ReceiverUnreachableError,
)
from ...messages import Member
from ...session.climbing.way import Way
from ...session.info import ask_info
from ...session.ladder import Attempt, Ladder
from ...session.ways import Outcome
from ..lanes.choice import make_lane
from ..lanes.context import LaneContext, receiver_of
from ..net.connection import Connection
from ..net.extras import learn
from ..net.open_way import Secrets, climb
from .silent_session import SilentSession

# As long as a start waits for evidence, and as long if another way is left.
_EVIDENCE_S = 4.0
_SHORT_S = 2.5
_ASK_S = 1.0
# What a failure during the session is about, in place of a request.
AUDIO = "RTP"


class Trial:
    """The ways to one receiver that were tried, until one played.

    `ways` has what became of each, `failure` the most telling error of the last climb.
    """

    def __init__(
        self, member: Member, context: LaneContext, on_way: Callable[[str], None]
    ) -> None:
        """`on_way` is called with each way before it is tried."""
        self._member = replace(member, volume=None, modest_volume=None, muted=False)
        self._context = context
        self._on_way = on_way
        self._ladder: Ladder | None = None
        self._found: dict[str, WayFinding] = {}
        self._failure: DoctorFailure | None = None
        self.receiver = receiver_of(member)

    @property
    def ways(self) -> tuple[WayFinding, ...]:
        """What became of each way, in the order in which they were tried."""
        return tuple(self._found.values())

    @property
    def failure(self) -> DoctorFailure | None:
        """The most telling error; before the end of a climb, of what was tried."""
        if self._failure or not self._ladder or not self._found:
            return self._failure
        return failure_of(self._ladder.error)

    @property
    def is_informed(self) -> bool:
        """Whether the receiver has answered the request for its `/info`."""
        return bool(self._ladder and self._ladder.is_informed)

    async def is_in_use(self) -> bool:
        """Return whether it plays for another sender, whose music a session might end.

        Its `/info` counts, as mDNS may be outdated.
        """
        receiver = self.receiver
        if airplay := receiver.airplay:
            with suppress(RaopError, TimeoutError):
                async with asyncio.timeout(_ASK_S):
                    asked = await Connection.connect(receiver.addresses, airplay.port)
                    try:
                        receiver = await asked.perform(ask_info(receiver))
                    finally:
                        asked.close()
        if receiver.has_session:
            text = "the receiver reports a session of another sender"
            self._failure = failure_of(ReceiverBusyError(text))
        return receiver.has_session

    async def run(self, wanted: str | None = None) -> None:
        """Climb until a way plays; `wanted` limits the climb to a lane."""
        member, self._failure = self._member, None
        access = Secrets(member.password, member.credentials, member.is_bound)
        learned = Way.parse(member.first_way) if member.first_way else None
        try:
            known = access.access(wanted=wanted or member.lane, learned=learned)
            ladder = self._ladder = Ladder(self.receiver, known)
            is_over = False
            while not is_over:
                session = await climb(
                    ladder, lambda attempt: self._open(ladder, attempt)
                )
                is_over = await self._watch(ladder, session)
        except RaopError as err:
            self._failure = failure_of(err)
        finally:
            if self._ladder:
                self.receiver = self._ladder.receiver

    async def _open(self, ladder: Ladder, attempt: Attempt) -> SilentSession:
        """Begin a session by one way. Raises RaopError: it does not work."""
        self._on_way(str(attempt.way))
        lane = make_lane(ladder, attempt, self._member, self._context)
        session = SilentSession(lane, self._context.pacer)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(session.close)
            try:
                await session.open()
            except RaopError as err:
                self._note(attempt.way, err)
                raise
            undo.pop_all()
        return session

    async def _watch(self, ladder: Ladder, session: SilentSession) -> bool:
        """Watch a session to its end; return whether the receiver plays by this way."""
        lane = session.lane
        has_beside = ladder.has_beside(lane.attempt, lane.silence)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(session.close)
            link = await session.watch(_SHORT_S if has_beside else _EVIDENCE_S)
            closed = lane.connection.closed
            ended = closed.result() if closed.done() else None
        if ended is None and link.is_proven:
            self._note(lane.way, None, link)
            return True
        is_clock = ended is None and lane.silence is Outcome.NO_CLOCK
        error = _reason_of(ended)
        self._note(lane.way, error, link)
        if not learn(self._member.name, ladder.omissions, error):
            ladder.fail(lane.attempt, error, is_clock=is_clock)
        return False

    def _note(
        self, way: Way, error: RaopError | None, link: LinkFinding | None = None
    ) -> None:
        failure = failure_of(error) if error else None
        found = WayFinding(way=str(way), failure=failure, link=link)
        self._found[found.way] = found


def _reason_of(ended: RaopError | None) -> RaopError:
    """Return why a session does not play; `ended` is how it ended, if it did.

    That another sender takes a receiver over in just these seconds is unlikely.
    """
    if ended is None:
        return ReceiverSilentError("no sign that it plays")
    ended.request = ended.request or AUDIO
    return ended


def failure_of(error: RaopError) -> DoctorFailure:
    """Return an error as a finding."""
    step = error.step if isinstance(error, ReceiverUnreachableError) else None
    return DoctorFailure(
        code=error.code,
        text=str(error),
        request=error.request,
        status=error.status,
        is_unanswered=step is not None,
    )
