"""Chooses the lane for a receiver."""

import asyncio
from collections.abc import Callable, Iterable
import logging

from ...errors import (
    RaopError,
    ReceiverBusyError,
    UnsupportedReceiverError,
    WrongReceiverError,
)
from ...messages import Member
from ...receiver import AIRPLAY2, LaneKind as Kind
from .buffered import BufferedLane
from .context import LaneContext, receiver_of
from .lane import Lane
from .raop import RaopLane
from .realtime import RealtimeLane

_LOGGER = logging.getLogger(__name__)

_AIRPLAY2_KINDS = (Kind.AIRPLAY2_REALTIME, Kind.AIRPLAY2_BUFFERED)


def kinds_of(member: Member) -> tuple[Kind, ...]:
    """Return the lane kinds for a member, best first: all possible or the wanted ones.

    Raises UnsupportedReceiverError: no lane is possible, or the wanted one is unknown.
    """
    if member.lane == AIRPLAY2:
        return _AIRPLAY2_KINDS
    if member.lane is not None:
        try:
            return (Kind(member.lane),)
        except ValueError as err:
            text = f"unknown lane {member.lane!r:.40}"
            raise UnsupportedReceiverError(text) from err
    receiver = receiver_of(member)
    if obstacle := receiver.obstacle:
        raise UnsupportedReceiverError(f"cannot play to it: {obstacle}")
    return tuple(sorted(receiver.lanes, key=lambda kind: kind != member.first_lane))


class LaneChoice:
    """The lane kinds of all receivers, and which of them turned out silent.

    A receiver may accept a stream without playing it; another lane is then preferred.
    """

    def __init__(self) -> None:
        self._silent: dict[str, set[Kind]] = {}

    def kinds_for(self, member: Member) -> tuple[Kind, ...]:
        """Return the lane kinds for a member, best first.

        Raises UnsupportedReceiverError: see `kinds_of`.
        """
        silent = self._silent.get(member.receiver, ())
        return tuple(sorted(kinds_of(member), key=lambda kind: kind in silent))

    def mark_heard(self, lane: Lane) -> None:
        """Record that a receiver plays by this lane."""
        self._silent.get(lane.member.receiver, set()).discard(lane.kind)

    def mark_silent(self, lane: Lane) -> bool:
        """Move a silent lane to the end; return whether another lane is worth a try.

        If no other is left, forget all silent lanes: the cause lies elsewhere.
        """
        receiver = lane.member.receiver
        silent = self._silent.setdefault(receiver, set())
        is_news = lane.kind not in silent
        silent.add(lane.kind)
        if is_news and not silent.issuperset(kinds_of(lane.member)):
            return True
        del self._silent[receiver]
        return False


async def prepare_lane(
    kinds: Iterable[Kind],
    member: Callable[[], Member],
    context: LaneContext,
    on_try: Callable[[Lane], None],
) -> Lane:
    """Prepare the first lane that a receiver accepts; the caller tears it down.

    `member` is called for each attempt, as its volume may change meanwhile.

    Raises RaopError: no lane works (the first error), or the receiver is busy, or
    another one.
    """
    first: RaopError | None = None
    for kind in kinds:
        lane = make_lane(kind, member(), context)
        on_try(lane)
        try:
            await lane.prepare()
        except ReceiverBusyError, WrongReceiverError:
            raise
        except asyncio.CancelledError:
            await lane.teardown()
            raise
        except RaopError as err:
            _LOGGER.debug("%s: lane %s failed: %s", lane.member.name, kind, err)
            first = first or err
        else:
            return lane
    assert first is not None
    raise first


def make_lane(kind: Kind, member: Member, context: LaneContext) -> Lane:
    """Return a lane that is not connected yet."""
    match kind:
        case Kind.RAOP:
            return RaopLane(member, context.identity, context.pacer, context.keys.aes)
        case Kind.AIRPLAY2_REALTIME:
            return RealtimeLane(member, context)
        case Kind.AIRPLAY2_BUFFERED:
            return BufferedLane(member, context)
