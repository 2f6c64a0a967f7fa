"""Chooses the way to a receiver."""

import asyncio
from collections.abc import Callable
import logging

from ..errors import RaopError, ReceiverBusyError, UnsupportedReceiverError
from ..messages import Member
from ..receiver import AIRPLAY2, Lane as Kind
from .buffered_lane import BufferedLane
from .lane import Lane
from .means import Means
from .raop_lane import RaopLane
from .realtime_lane import RealtimeLane
from .session_lane import receiver_of

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
    return receiver.lanes


async def open_lane(
    member: Callable[[], Member], means: Means, on_try: Callable[[Lane], None]
) -> Lane:
    """Prepare the best lane that a receiver lets us in by; the caller tears it down.

    `member` is asked for each, as its level may change meanwhile. Where all fail the
    best one's error is raised.
    """
    first: RaopError | None = None
    for kind in ways(member()):
        lane = make_lane(kind, member(), means)
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


def make_lane(kind: Kind, member: Member, means: Means) -> Lane:
    """Return a lane on which nothing is connected yet."""
    match kind:
        case Kind.RAOP:
            return RaopLane(member, means.identity, means.pacer, means.keys.aes)
        case Kind.AIRPLAY2_REALTIME:
            return RealtimeLane(member, means)
        case Kind.AIRPLAY2_BUFFERED:
            return BufferedLane(member, means)
