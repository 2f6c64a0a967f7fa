"""The loop that accepts connections, also more of them than it may."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
import errno
import socket
from typing import override

import pytest

from custom_components.airplay.raop.engine.net import acceptor
from custom_components.airplay.raop.engine.net.acceptor import Acceptor, bind


class Counting(asyncio.Protocol):
    """Counts the connections that are made."""

    made = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).made += 1
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"!")
        transport.close()


type Open = Callable[[Callable[[str], asyncio.Protocol | None]], tuple[Acceptor, int]]


@pytest.fixture
async def listen() -> AsyncIterator[Open]:
    """Return a function that listens, and closes at the end."""
    opened: list[Acceptor] = []

    def listen(
        admit: Callable[[str], asyncio.Protocol | None],
    ) -> tuple[Acceptor, int]:
        sockets = bind(0)
        port: int = sockets[0].getsockname()[1]
        for surplus in sockets[1:]:
            surplus.close()
        opened.append(Acceptor(sockets[:1], admit))
        return opened[-1], port

    yield listen
    for each in opened:
        each.close()


async def heard(port: int) -> bytes:
    """Connect, and return what comes until the other end hangs up."""
    with suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
    return b""


async def test_who_is_not_admitted_is_reset(listen: Open) -> None:
    asked: list[str] = []

    def refuse(address: str) -> None:
        asked.append(address)

    _, port = listen(refuse)

    assert await heard(port) == b""
    assert asked == ["127.0.0.1"]


async def test_too_many_at_a_time_wait_and_are_served(
    listen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor, "_AT_ONCE", 5.0)
    monkeypatch.setattr(acceptor, "_PER_SECOND", 50.0)
    _, port = listen(lambda _: Counting())

    answers = await asyncio.gather(*(heard(port) for _ in range(20)))

    assert answers == [b"!"] * 20


async def test_without_a_free_descriptor_it_rests(
    listen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0
    real = socket.socket.accept

    def accept(sock: socket.socket) -> tuple[socket.socket, object]:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise OSError(errno.EMFILE, "too many open files")
        return real(sock)

    monkeypatch.setattr(socket.socket, "accept", accept)
    _, port = listen(lambda _: Counting())

    assert await heard(port) == b"!"
    assert attempts < 10


async def test_it_closes_while_it_rests(
    listen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor, "_AT_ONCE", 1.0)
    monkeypatch.setattr(acceptor, "_PER_SECOND", 1.0)
    resting, port = listen(lambda _: Counting())
    assert await heard(port) == b"!"
    before = Counting.made

    second = asyncio.create_task(heard(port))
    await asyncio.sleep(0.05)
    resting.close()

    assert await second == b""
    await asyncio.sleep(0.2)
    assert Counting.made == before


async def test_it_closes_while_a_connection_is_set_up(listen: Open) -> None:
    accepting: list[str] = []

    def close(address: str) -> Counting:
        accepting.append(address)
        asyncio.get_running_loop().call_soon(closing.close)
        return Counting()

    closing, port = listen(close)
    before = Counting.made

    await heard(port)

    assert accepting
    assert not closing._opening
    assert Counting.made <= before + 1
