"""UDP ports within a range."""

from collections.abc import Iterator
from contextlib import ExitStack
import errno
from itertools import pairwise
import socket

import pytest

from custom_components.airplay.raop.engine.net import sockets
from custom_components.airplay.raop.engine.net.port_pool import (
    PortPool,
    has_free_ports,
    limit_udp_ports,
    udp_port_range,
)
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.errors import UdpPortsTakenError
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.udp_ports import PortRange
from tests.free_ports import occupied, port_range


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    """End every limit after the test."""
    yield
    limit_udp_ports(None)


def port_of(sock: socket.socket) -> int:
    number: int = sock.getsockname()[1]
    return number


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_sockets_are_within_the_range_and_one_after_the_other(host: str) -> None:
    ports = port_range(8)
    limit_udp_ports(ports)
    used = []
    for _ in range(8):
        with sockets.bind(host) as sock:
            used.append(port_of(sock))

    assert sorted(used) == list(range(ports.first, ports.last + 1))
    steps = {(after - before) % 8 for before, after in pairwise(used)}
    assert steps == {1}


def test_ports_in_use_are_passed_over() -> None:
    ports = port_range(4)
    limit_udp_ports(ports)
    free = ports.last - 1

    with occupied(ports, spare=[free]), sockets.bind("127.0.0.1") as sock:
        assert port_of(sock) == free


def test_a_range_in_use_is_named_and_leaves_no_socket_open() -> None:
    ports = port_range(4)
    limit_udp_ports(ports)

    with occupied(ports, spare=[ports.first]):
        with pytest.raises(UdpPortsTakenError, match=f"range {ports} are in use"):
            UdpOutlet("127.0.0.1", "127.0.0.1", Format())
        with sockets.bind("127.0.0.1") as sock:
            assert port_of(sock) == ports.first


def test_an_address_that_is_not_ours_is_no_matter_of_ports() -> None:
    limit_udp_ports(port_range(4))

    with pytest.raises(OSError, match="assign"):
        sockets.bind("192.0.2.1")


def test_without_a_range_the_system_chooses() -> None:
    ports = port_range(4)
    limit_udp_ports(ports)
    limit_udp_ports(None)

    with ExitStack() as room:
        chosen = [room.enter_context(sockets.bind("127.0.0.1")) for _ in range(8)]
        used = {port_of(sock) for sock in chosen}

    assert not used & set(range(ports.first, ports.last + 1))


def test_free_ports_are_counted() -> None:
    ports = port_range(4)

    assert has_free_ports(ports, 4)
    with occupied(ports, spare=[ports.first]):
        assert has_free_ports(ports, 1)
        assert not has_free_ports(ports, 2)
    assert has_free_ports(PortRange(ports.first, ports.first), 0)
    with occupied(PortRange(ports.first, ports.first)):
        assert not has_free_ports(PortRange(ports.first, ports.first), 1)
        assert has_free_ports(ports, 3)


def test_a_range_of_one_port_is_the_whole_range() -> None:
    ports = port_range(1)

    assert has_free_ports(ports, 1)
    assert not has_free_ports(ports, 2)
    limit_udp_ports(ports)
    with sockets.bind("127.0.0.1") as sock:
        assert port_of(sock) == ports.first


def test_the_range_is_known_until_the_limit_ends() -> None:
    ports = port_range(2)
    before = udp_port_range()
    limit_udp_ports(ports)
    within = udp_port_range()
    limit_udp_ports(None)

    assert (before, within, udp_port_range()) == (None, ports, None)


def chosen_by(pool: PortPool) -> int:
    """Return the port that a pool chooses next."""
    chosen = 0

    def take(port: int) -> socket.socket:
        nonlocal chosen
        chosen = port
        return socket.socket()

    pool.bind(take).close()
    return chosen


def test_the_same_range_again_does_not_repeat_a_port() -> None:
    """Late packets of a session that has ended must not meet a new one."""
    pool, ports = PortPool(), PortRange(6001, 6100)
    used: list[int] = []
    for _ in range(100):
        pool.limit(PortRange(ports.first, ports.last))
        used.append(chosen_by(pool))

    assert sorted(used) == list(range(6001, 6101))


def test_another_range_begins_somewhere_in_it() -> None:
    pool = PortPool()
    used: list[int] = []
    for _ in range(40):
        pool.limit(None)
        pool.limit(PortRange(6001, 6100))
        used.append(chosen_by(pool))

    assert set(used) <= set(range(6001, 6101))
    assert len(set(used)) > 5


def test_a_port_is_tried_once_and_other_errors_end_it() -> None:
    pool = PortPool()
    tried: list[int] = []
    pool.limit(PortRange(6001, 6004))

    def take(port: int) -> socket.socket:
        tried.append(port)
        raise OSError(errno.EADDRINUSE if len(tried) < 6 else errno.EACCES, "taken")

    with pytest.raises(UdpPortsTakenError):
        pool.bind(take)
    assert sorted(tried) == [6001, 6002, 6003, 6004]
    with pytest.raises(PermissionError):
        pool.bind(take)
    assert len(tried) == 6
