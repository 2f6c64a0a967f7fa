"""Checks cheaply whether a receiver is on the network."""

import asyncio
import contextlib

from ...messages import Member

_TIMEOUT_S = 1.5


async def is_reachable(member: Member) -> bool:
    """Return whether a receiver accepts connections; nothing is sent to it."""
    port = member.port or member.airplay_port or 0
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(member.host, port)
    except OSError, UnicodeError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
