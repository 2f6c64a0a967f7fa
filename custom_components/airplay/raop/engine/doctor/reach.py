"""Looks up the names of a receiver, and knocks at each port of each address."""

import asyncio
from collections.abc import Iterable
from contextlib import closing, suppress
import errno
import socket
import time

from ...diagnosis import DoorFinding, DoorState, NameFinding
from ...wire.addresses import MOST_ADDRESSES, literals, plain_address
from ..net.sockets import endpoint, family_of

_RESOLVE_S = 2.0
# TCP repeats its first packet after 1 s, and again after 2 s more.
_KNOCK_S = 3.2
_PROBE_S = 0.7
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
# Nothing listens on the first port of traceroute, so a device that is up refuses it.
_UNUSED_PORT = 33_434
_NO_ROUTE = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EINVAL}


async def resolve(
    hosts: Iterable[str],
) -> tuple[tuple[NameFinding, ...], tuple[str, ...]]:
    """Return what the resolver says about each name, and all addresses, in order."""
    known = tuple(dict.fromkeys(hosts))
    names = [each for each in known if not literals((each,))]
    found = await asyncio.gather(*(_look_up(each) for each in names))
    by_name = {each.name: each.addresses for each in found}
    addresses = [each for host in known for each in by_name.get(host, (host,))]
    unlike = {plain_address(each): each for each in reversed(addresses)}
    ordered = [each for each in dict.fromkeys(addresses) if each in unlike.values()]
    return tuple(found), tuple(ordered[:MOST_ADDRESSES])


async def knock(addresses: Iterable[str], ports: Iterable[int]) -> list[DoorFinding]:
    """Connect to each port of each address at the same time, and close it again."""
    numbers = tuple(dict.fromkeys(each for each in ports if each))
    doors = [(address, port) for address in addresses for port in numbers]
    return list(await asyncio.gather(*(_knock(*each) for each in doors)))


async def is_host_up(addresses: Iterable[str]) -> bool:
    """Return whether a device refuses a packet, at an address that nothing opens."""
    return any(await asyncio.gather(*(_refuses(each) for each in addresses)))


async def _look_up(name: str) -> NameFinding:
    loop = asyncio.get_running_loop()
    try:
        # Raises UnicodeError for what no resolver accepts.
        name.encode("idna")
        async with asyncio.timeout(_RESOLVE_S):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError, UnicodeError:
        return NameFinding(name=name)
    numeric = (socket.getnameinfo(address, _NUMERIC)[0] for *_, address in found)
    return NameFinding(name=name, addresses=tuple(dict.fromkeys(numeric)))


async def _knock(address: str, port: int) -> DoorFinding:
    begun_s = time.monotonic()
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(address, port)
    except OSError as err:
        return DoorFinding(address=address, port=port, state=_state_of(err))
    took_ms = round((time.monotonic() - begun_s) * 1000, 1)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return DoorFinding(
        address=address, port=port, state=DoorState.OPEN, connect_ms=took_ms
    )


def _state_of(error: OSError) -> DoorState:
    if isinstance(error, ConnectionError):
        return DoorState.REFUSED
    return DoorState.NO_ROUTE if error.errno in _NO_ROUTE else DoorState.NO_ANSWER


async def _refuses(address: str) -> bool:
    """Return whether an unused UDP port is refused, which needs no permission to see."""
    loop = asyncio.get_running_loop()
    try:
        with closing(socket.socket(family_of(address), socket.SOCK_DGRAM)) as sock:
            sock.setblocking(False)
            sock.connect(endpoint(address, _UNUSED_PORT))
            sock.send(b"\0")
            async with asyncio.timeout(_PROBE_S):
                await loop.sock_recv(sock, 1)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
