"""Which of a receiver's addresses is connected to, and how soon."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
import errno
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net.connection import Connection
from custom_components.airplay.raop.engine.net.reachability import is_reachable
from custom_components.airplay.raop.engine.net.reaching import open_first
from custom_components.airplay.raop.errors import ReceiverUnreachableError
from custom_components.airplay.raop.messages import Member

ALIVE, CLOSED, DEAD, DEAD_TOO = "127.0.0.1", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Return a port on which one address listens."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, ALIVE) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def dead(port: int) -> Iterator[None]:
    """Have two addresses ignore every packet at the port."""
    with mute(DEAD, port), mute(DEAD_TOO, port):
        yield


@contextmanager
def mute(host: str, port: int) -> Iterator[None]:
    """Fill a queue of connections that nobody accepts, so that more are ignored."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(2):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield


async def connected_to(*hosts: str, port: int) -> tuple[str, float]:
    """Connect; return the address that answered, and after how many seconds."""
    before = time.monotonic()
    connection = await Connection.connect(hosts, port)
    connection.close()
    return connection.remote, time.monotonic() - before


async def test_the_first_address_that_answers_is_used(port: int, dead: None) -> None:
    assert (await connected_to(ALIVE, DEAD, port=port))[0] == ALIVE
    assert (await connected_to(CLOSED, ALIVE, port=port))[0] == ALIVE

    remote, took_s = await connected_to(DEAD, DEAD_TOO, ALIVE, port=port)

    assert remote == ALIVE
    assert 0.5 <= took_s < 0.9


async def test_a_refusal_does_not_wait_for_a_dead_address(
    port: int, dead: None
) -> None:
    _, took_s = await connected_to(CLOSED, CLOSED, CLOSED, ALIVE, port=port)
    assert took_s < 0.2

    _, took_s = await connected_to(DEAD, CLOSED, ALIVE, port=port)
    assert 0.25 <= took_s < 0.45


async def test_all_addresses_together_take_three_seconds_at_most(
    port: int, dead: None
) -> None:
    before = time.monotonic()

    with pytest.raises(ReceiverUnreachableError, match=f"{DEAD} does not answer"):
        await Connection.connect((DEAD, CLOSED, DEAD_TOO), port, timeout_s=60)

    assert 2.9 < time.monotonic() - before < 3.5


async def test_the_reason_is_that_of_the_first_address(port: int) -> None:
    with pytest.raises(ReceiverUnreachableError, match=f"{CLOSED} port .*refused"):
        await open_first((CLOSED, "127.0.0.6"), port)


async def test_all_addresses_of_a_host_name_are_tried(
    monkeypatch: pytest.MonkeyPatch, port: int, dead: None
) -> None:
    async def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = [(0, 0, 0, "", (each, port)) for each in (DEAD, ALIVE)]
        return [*found, (0, 0, 0, "", ("fe80::1", port, 0, 1))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)

    assert (await connected_to("kitchen.local", port=port))[0] == ALIVE


async def test_connections_that_come_too_late_are_closed(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    opened: list[asyncio.StreamWriter] = []
    open_connection = asyncio.open_connection

    async def both_at_once(*where: object, **how: object) -> object:
        streams = await open_connection(ALIVE, port)
        opened.append(streams[1])
        await both.wait()
        return streams

    both = asyncio.Barrier(2)
    monkeypatch.setattr(asyncio, "open_connection", both_at_once)

    _, used = await open_first((ALIVE, DEAD), port)
    await asyncio.sleep(0)

    assert [each.is_closing() for each in opened if each is not used] == [True]
    assert not used.is_closing()
    used.close()


async def test_a_receiver_is_reachable_if_one_of_its_addresses_is(port: int) -> None:
    def member(*addresses: str) -> Member:
        return Member(
            receiver="a", name="A", host=CLOSED, port=port, addresses=addresses
        )

    assert await is_reachable(member(CLOSED, ALIVE))
    assert not await is_reachable(member("127.0.0.6"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EPERM, "x"), "Operation not permitted"),
        (OSError(errno.EHOSTUNREACH, "x"), "No route to host"),
        (OSError("no more"), "no more"),
        (socket.gaierror(-2, "Name not known"), r"\[Errno -2\] Name not known"),
    ],
)
async def test_the_reason_is_the_systems_if_it_has_one(
    monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    async def fail(host: str, _: int) -> None:
        raise error if host == CLOSED else OSError(errno.ENETDOWN, "another")

    monkeypatch.setattr(asyncio, "open_connection", fail)

    with pytest.raises(ReceiverUnreachableError, match=f"^{CLOSED} port 7: {reason}$"):
        await open_first((CLOSED, DEAD), 7)


async def test_a_name_that_no_resolver_accepts_is_named() -> None:
    name = "a" * 70 + ".local"

    with pytest.raises(ReceiverUnreachableError, match=f"^{name} port 7: .*too long"):
        await open_first((name,), 7)


async def test_attempts_that_are_overtaken_end_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, port: int, dead: None
) -> None:
    faults: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_exception_handler", faults.append)
    open_connection, is_over = asyncio.open_connection, asyncio.Event()

    async def stubborn(host: str, port: int) -> object:
        if host != DEAD_TOO:
            return await open_connection(host, port)
        try:
            await is_over.wait()
        except asyncio.CancelledError:
            raise OSError(errno.ENETDOWN, "too late") from None
        return None

    monkeypatch.setattr(asyncio, "open_connection", stubborn)

    _, used = await open_first((DEAD, DEAD_TOO, ALIVE), port)
    for _ in range(5):
        await asyncio.sleep(0)

    used.close()
    assert not faults
