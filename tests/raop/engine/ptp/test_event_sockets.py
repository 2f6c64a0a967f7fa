"""Datagrams whose departure is reported, also without the kernel's stamps."""

from collections.abc import Iterator
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.ptp.event_sockets import EventSocket

MS = 1_000_000
TIMESTAMPING = 37


@pytest.fixture
def event() -> Iterator[EventSocket]:
    """Return an event socket on this machine."""
    opened = EventSocket("127.0.0.1", 0)
    yield opened
    opened.close()


@pytest.fixture
def target() -> Iterator[tuple[str, int]]:
    """Return a socket for the datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()


def send(event: EventSocket, target: tuple[str, int], count: int = 1) -> list[int]:
    """Send datagrams; return the list that their departures come into."""
    departed: list[int] = []
    for _ in range(count):
        event.send(b"sync", target, departed.append)
    return departed


def mute(event: EventSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the kernel's stamps."""
    monkeypatch.setattr(event, "_stamps", lambda: iter(()))


def collected(event: EventSocket, departed: list[int], count: int) -> None:
    """Collect until so many departures are reported."""
    end = time.monotonic() + 5
    while len(departed) < count and time.monotonic() < end:
        event.collect()
    assert len(departed) == count


def test_each_departure_is_reported_by_the_kernel(
    event: EventSocket, target: tuple[str, int]
) -> None:
    before_ns = clock.now_ns()
    departed = send(event, target, 20)
    collected(event, departed, 20)

    assert event.sent == event.stamped == 20
    assert before_ns - MS < departed[0] <= departed[-1] <= clock.now_ns() + MS
    assert departed == sorted(departed)
    assert event.deadline_ns is None


def test_after_a_send_that_failed_the_numbers_still_fit(
    event: EventSocket, target: tuple[str, int]
) -> None:
    first = send(event, target)
    failed = send(event, ("255.255.255.255", 1), 3)
    second = send(event, target, 2)
    collected(event, second, 2)

    assert len(first) == 1
    assert not failed
    assert event.sent == event.stamped == 3


def test_a_stamp_that_stays_out_is_waited_for_but_not_for_long(
    event: EventSocket, target: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(event, monkeypatch)
    before_ns = clock.now_ns()
    departed = send(event, target)
    after_ns = clock.now_ns()
    deadline_ns = event.deadline_ns
    assert deadline_ns
    event.give_up(deadline_ns - 1)
    early = list(departed)

    event.give_up(deadline_ns)

    assert not early
    assert before_ns <= departed[0] <= after_ns
    assert deadline_ns - departed[0] < 5 * MS
    assert event.stamped == 0
    assert event.deadline_ns is None


def test_missing_timestamps_are_seldom_waited_for(
    event: EventSocket, target: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(event, monkeypatch)
    departed = send(event, target, 8)
    event.give_up(clock.now_ns() + 10 * MS)
    assert len(departed) == 8

    more = send(event, target, 64)

    assert len(more) == 63


def test_a_send_that_failed_loses_no_departure_that_is_open(
    event: EventSocket, target: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(event, monkeypatch)
    departed = send(event, target)
    send(event, ("255.255.255.255", 1))

    assert len(departed) == 1


def test_without_stamps_departures_are_reported_immediately(
    target: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket.setsockopt

    def refuse(sock: socket.socket, level: int, option: int, value: int) -> None:
        if option == TIMESTAMPING:
            raise OSError
        real(sock, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", refuse)
    event = EventSocket("127.0.0.1", 0)
    try:
        assert len(send(event, target, 3)) == 3
        assert event.stamped == 0
    finally:
        event.close()


def test_received_datagrams_have_the_time_of_their_arrival(event: EventSocket) -> None:
    address = event.sock.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before_ns = clock.now_ns()
        sock.sendto(b"question", address)
        after_ns = clock.now_ns()
    time.sleep(0.02)

    ((datagram, _, arrived_ns),) = event.receive()

    assert datagram == b"question"
    assert before_ns - MS < arrived_ns < after_ns + MS
