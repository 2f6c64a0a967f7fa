"""Chooses the way to a receiver."""

import asyncio
from collections.abc import Callable, Iterable
import logging

from ...errors import RaopError, ReceiverBusyError, UnsupportedReceiverError
from ...messages import Member
from ...receiver import AIRPLAY2, LaneKind as Kind
from .buffered import BufferedLane
from .context import LaneContext, receiver_of
from .lane import Lane
from .raop import RaopLane
from .realtime import RealtimeLane

_LOGGER = logging.getLogger(__name__)

_AIRPLAY2_WAYS = (Kind.AIRPLAY2_REALTIME, Kind.AIRPLAY2_BUFFERED)


def ways(member: Member) -> tuple[Kind, ...]:
    """Return the ways to a member, best first: those it can take, or what is wanted.

    Raises UnsupportedReceiverError where there is none.
    """
    if member.lane == AIRPLAY2:
        return _AIRPLAY2_WAYS
    if member.lane is not None:
        try:
            return (Kind(member.lane),)
        except ValueError as err:
            text = f"there is no lane {member.lane!r:.40}"
            raise UnsupportedReceiverError(text) from err
    receiver = receiver_of(member)
    if obstacle := receiver.obstacle:
        raise UnsupportedReceiverError(f"cannot play to it: {obstacle}")
    return tuple(sorted(receiver.lanes, key=lambda kind: kind != member.first_lane))


class LaneChoice:
    """The ways to all receivers, and which of them turned out silent.

    A receiver may take a stream and play nothing of it; then another way comes first.
    """

    def __init__(self) -> None:
        self._silent: dict[str, set[Kind]] = {}

    def to(self, member: Member) -> tuple[Kind, ...]:
        """Return the ways to a member, best first; raise as `ways` does."""
        silent = self._silent.get(member.receiver, ())
        return tuple(sorted(ways(member), key=lambda kind: kind in silent))

    def mark_heard(self, lane: Lane) -> None:
        """Take note that a receiver is heard by this way."""
        self._silent.get(lane.member.receiver, set()).discard(lane.kind)

    def shun(self, lane: Lane) -> bool:
        """Let a way come last that was silent; return whether it is worth another try.

        Where nothing is left to try all is forgotten: the fault lies elsewhere.
        """
        receiver = lane.member.receiver
        silent = self._silent.setdefault(receiver, set())
        is_news = lane.kind not in silent
        silent.add(lane.kind)
        if is_news and not silent.issuperset(ways(lane.member)):
            return True
        del self._silent[receiver]
        return False


async def prepare_lane(
    kinds: Iterable[Kind],
    member: Callable[[], Member],
    context: LaneContext,
    on_try: Callable[[Lane], None],
) -> Lane:
    """Prepare the first lane that a receiver lets us in by; the caller tears it down.

    `member` is asked for each, as its level may change meanwhile. Where all fail the
    first one's error is raised.
    """
    first: RaopError | None = None
    for kind in kinds:
        lane = make_lane(kind, member(), context)
        on_try(lane)
        try:
            await lane.prepare()
        except ReceiverBusyError:
            raise
        except asyncio.CancelledError:
            await lane.teardown()
            raise
        except RaopError as err:
            _LOGGER.debug("%s by %s: %s", lane.member.name, kind, err)
            first = first or err
        else:
            return lane
    assert first is not None
    raise first


def make_lane(kind: Kind, member: Member, context: LaneContext) -> Lane:
    """Return a lane on which nothing is connected yet."""
    match kind:
        case Kind.RAOP:
            return RaopLane(member, context.identity, context.pacer, context.keys.aes)
        case Kind.AIRPLAY2_REALTIME:
            return RealtimeLane(member, context)
        case Kind.AIRPLAY2_BUFFERED:
            return BufferedLane(member, context)
