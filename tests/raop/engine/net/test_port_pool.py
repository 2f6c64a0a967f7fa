"""UDP ports within a range."""

from collections.abc import Iterator
from contextlib import ExitStack
import socket

import pytest

from custom_components.airplay.raop.engine.net import sockets
from custom_components.airplay.raop.engine.net.port_pool import (
    has_free_ports,
    limit_udp_ports,
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
