"""The share of the pacing thread that a socket's handler may use."""

from collections.abc import Iterator
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
    """Return how often a handler was called in turns at these times."""
    count = 0
    for now_ns in times_ns:
        handlers.resume(now_ns)
        for descriptor, _ in epoll.poll(0):
            handlers.handle(descriptor, now_ns)
            count += 1
    return count


def test_a_busy_socket_gets_a_fifth_of_the_time(
    epoll: select.epoll, ends: tuple[socket.socket, socket.socket]
) -> None:
    handlers = SocketHandlers(epoll)
    handlers.listen(ends[0], burn)

    # A second, in turns of 5 ms.
    count = turns(handlers, epoll, range(0, 1000 * MS, 5 * MS))

    assert 30 <= count <= 100


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
