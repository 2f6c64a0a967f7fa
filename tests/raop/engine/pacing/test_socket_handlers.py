"""The share of the pacing thread that a socket's handler may use."""

from collections.abc import Iterator
from contextlib import ExitStack
import select
import socket
import time

import pytest

from custom_components.airplay.raop.engine.pacing.socket_handlers import SocketHandlers

MS = 1_000_000


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    """Return what the pacing thread waits with."""
    with select.epoll() as waiting:
        yield waiting


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return a socket that is readable until it is read, and its other end."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        other.send(b"!")
        yield one, other


def burn() -> None:
    """Use 5 ms of CPU."""
    end_ns = time.thread_time_ns() + 5 * MS
    while time.thread_time_ns() < end_ns:
        pass


def turns(handlers: SocketHandlers, epoll: select.epoll, times_ns: range) -> int:
    """Return how many readable sockets there were in turns at these times."""
    count = 0
    for now_ns in times_ns:
        handlers.resume(now_ns)
        for descriptor, _ in epoll.poll(0):
            handlers.handle(descriptor, now_ns)
            count += 1
    return count


@pytest.mark.parametrize("at_a_time", [1, 6])
def test_a_busy_socket_gets_a_fifth_of_the_time(
    at_a_time: int, epoll: select.epoll, ends: tuple[socket.socket, socket.socket]
) -> None:
    handlers = SocketHandlers(epoll)
    calls = 0

    def handle() -> None:
        nonlocal calls
        calls += 1
        for _ in range(at_a_time):
            burn()

    handlers.listen(ends[0], handle)

    # A second, in turns of 5 ms: 300 ms of CPU, of which 100 ms are at once.
    turns(handlers, epoll, range(0, 1000 * MS, 5 * MS))

    assert 30 <= calls * at_a_time <= 60 + at_a_time


def test_all_sockets_together_get_half_of_the_time(epoll: select.epoll) -> None:
    handlers = SocketHandlers(epoll)
    calls = 0

    def handle() -> None:
        nonlocal calls
        calls += 1
        burn()

    with ExitStack() as open_ones:
        for _ in range(8):
            one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            open_ones.enter_context(one)
            open_ones.enter_context(other).send(b"!")
            handlers.listen(one, handle)

        # A quarter of a second: 325 ms of CPU, of which 200 ms are at once.
        turns(handlers, epoll, range(0, 250 * MS, 5 * MS))

    assert 30 <= calls <= 65 + 1


def test_a_socket_that_rests_can_be_forgotten_and_is_told_when_it_may_go_on(
    epoll: select.epoll, ends: tuple[socket.socket, socket.socket]
) -> None:
    handlers = SocketHandlers(epoll)
    handlers.listen(ends[0], burn)
    turns(handlers, epoll, range(200))

    assert epoll.poll(0) == []
    next_ns = handlers.resume(200)
    assert 20 * MS <= next_ns <= 21 * MS

    handlers.forget(ends[0])
    handlers.forget(ends[0])
    assert handlers.resume(next_ns) > next_ns
    assert turns(handlers, epoll, range(next_ns, next_ns + 10)) == 0


def test_a_handler_may_end_its_own_socket(
    epoll: select.epoll, ends: tuple[socket.socket, socket.socket]
) -> None:
    handlers = SocketHandlers(epoll)

    def end() -> None:
        for _ in range(30):
            burn()
        handlers.forget(ends[0])

    handlers.listen(ends[0], end)

    assert turns(handlers, epoll, range(10)) == 1
    handlers.handle(ends[0].fileno(), 10)


def test_a_handler_that_fails_is_called_again(
    epoll: select.epoll,
    ends: tuple[socket.socket, socket.socket],
    caplog: pytest.LogCaptureFixture,
) -> None:
    handlers = SocketHandlers(epoll)

    def fail() -> None:
        raise RuntimeError

    handlers.listen(ends[0], fail)

    assert turns(handlers, epoll, range(3)) == 3
    assert "Unexpected error on the pacing thread" in caplog.text
