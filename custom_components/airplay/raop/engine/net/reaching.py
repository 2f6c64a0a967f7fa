"""Opens a TCP connection to whichever address of a receiver answers first."""

import asyncio
from collections.abc import Sequence
import os
import socket

from ...errors import ReceiverUnreachableError
from ...wire.addresses import MOST_ADDRESSES, literals

# All addresses together, as a user waits; TCP repeats its first packet after 1 s.
CONNECT_S = 3.0
# The next address is tried as well after this ("happy eyeballs", RFC 8305).
_STAGGER_S = 0.25
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_first(
    hosts: Sequence[str], port: int, *, timeout_s: float = CONNECT_S
) -> Streams:
    """Connect to the first address that answers; event loop.

    An address is tried as soon as the one before it fails, or 0.25 s after it, so a
    dead one costs no more. All together may take `timeout_s`, at most 3 s.

    Raises ReceiverUnreachableError: none answers; the text has the reason of the first.
    """
    attempts: list[asyncio.Task[Streams]] = []
    winner: asyncio.Task[Streams] | None = None
    try:
        async with asyncio.timeout(min(timeout_s, CONNECT_S)):
            winner = await _race(attempts, await _literals_of(hosts, port), port)
            return winner.result()
    except TimeoutError as err:
        raise ReceiverUnreachableError(f"{hosts[0]} does not answer") from err
    except (OSError, UnicodeError) as err:
        number = err.errno if isinstance(err, OSError) else None
        reason = os.strerror(number) if number and number > 0 else err
        text = f"{hosts[0]} port {port}: {reason}"
        raise ReceiverUnreachableError(text) from err
    finally:
        for attempt in attempts:
            if attempt is not winner:
                _drop(attempt)


async def _literals_of(hosts: Sequence[str], port: int) -> list[str]:
    """Return the hosts with all addresses of each name in its place."""
    loop = asyncio.get_running_loop()
    found: list[str] = []
    for host in hosts:
        if literals((host,)):
            found.append(host)
            continue
        # Raises UnicodeError for what no resolver accepts.
        host.encode("idna")
        for *_, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            numeric, _ = socket.getnameinfo(address, _NUMERIC)
            found.append(numeric)
    return found[:MOST_ADDRESSES]


async def _race(
    attempts: list[asyncio.Task[Streams]], hosts: Sequence[str], port: int
) -> asyncio.Task[Streams]:
    """Return the first attempt that succeeds; if all fail, raise the first's error."""
    running: set[asyncio.Task[Streams]] = set()
    for host in hosts:
        # Not with its own happy eyeballs, which leak a socket if they are canceled.
        opening = asyncio.open_connection(host, port)
        attempts.append(asyncio.create_task(opening))
        running.add(attempts[-1])
        is_last = len(attempts) == len(hosts)
        while running:
            done, running = await asyncio.wait(
                running,
                timeout=None if is_last else _STAGGER_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in attempts:
                if attempt in done and not attempt.exception():
                    return attempt
            if not is_last:
                break
    attempts[0].result()
    raise AssertionError("an attempt that failed has an error")


def _drop(attempt: asyncio.Task[Streams]) -> None:
    """End an attempt that another one has overtaken."""

    def close(ended: asyncio.Task[Streams]) -> None:
        if not ended.cancelled() and not ended.exception():
            ended.result()[1].close()

    attempt.cancel()
    attempt.add_done_callback(close)
