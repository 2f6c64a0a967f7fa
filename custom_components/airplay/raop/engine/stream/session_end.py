"""Why a receiver ended its session: it was lost, or another sender has taken it over."""

import asyncio
from dataclasses import replace

from ...errors import RaopError, ReceiverTakenError
from ..lanes.lane import Lane
from ..net.reachability import is_reachable

# A receiver that restarts is unreachable for a moment, now or soon.
_KNOCKS = 4
_KNOCK_GAP_S = 0.25


async def explain_end(lane: Lane, error: RaopError) -> RaopError:
    """Return why a session ended, which may take a second; `error` is how it ended.

    A takeover by another sender and a restart of the receiver both close the session in
    order. But a receiver that stays reachable plays for another sender, and a retry
    would make two senders compete for it.
    """
    if not lane.connection.has_hung_up:
        return error
    member = replace(lane.member, host=lane.connection.remote, addresses=())
    for _ in range(_KNOCKS):
        if not await is_reachable(member):
            return error
        await asyncio.sleep(_KNOCK_GAP_S)
    return ReceiverTakenError("another sender has taken the receiver over")
