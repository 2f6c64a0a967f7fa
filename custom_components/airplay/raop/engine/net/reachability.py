"""Checks cheaply whether a receiver is on the network."""

import contextlib

from ...errors import ReceiverUnreachableError
from ...messages import Member
from .reaching import open_first

_TIMEOUT_S = 1.5


async def is_reachable(member: Member) -> bool:
    """Return whether a receiver accepts connections; nothing is sent to it."""
    port = member.port or member.airplay_port or 0
    hosts = tuple(dict.fromkeys((member.host, *member.addresses)))
    try:
        _, writer = await open_first(hosts, port, timeout_s=_TIMEOUT_S)
    except ReceiverUnreachableError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
