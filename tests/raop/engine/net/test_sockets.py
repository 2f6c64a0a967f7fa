"""UDP sockets, when the kernel refuses requests."""

import socket
import struct
from typing import override

import pytest

from custom_components.airplay.raop.engine.net import sockets

SO_TIMESTAMPNS = 35


class Refusing(socket.socket):
    """A socket of an old kernel: it knows no option."""

    @override
    def setsockopt(self, *_: object) -> None:
        """Refuse."""
        raise OSError(92, "Protocol not available")


def test_options_that_the_kernel_does_not_know_are_done_without() -> None:
    with Refusing(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sockets.stamp_arrivals(sock)
        sockets._mark(sock, socket.AF_INET)
        sockets._allow_fragments(sock, socket.AF_INET)

        assert not sockets.segment(sock, 1424)


@pytest.mark.parametrize("layout", ["=qq", "=ii"])
def test_stamps_are_read_in_both_widths(layout: str) -> None:
    stamp = struct.pack(layout, 1_700_000_000, 250_000_000)
    other = (socket.SOL_SOCKET, 1, stamp)

    assert sockets.arrival_ns([other, (socket.SOL_SOCKET, SO_TIMESTAMPNS, stamp)]) == (
        1_700_000_000_250_000_000
    )
    assert sockets.arrival_ns([other]) is None
    assert sockets.arrival_ns([]) is None


def test_an_address_that_is_not_ours_leaves_no_socket_open() -> None:
    with pytest.raises(OSError, match="assign"):
        sockets.bind("192.0.2.1")


def test_endpoints_of_ipv6_carry_their_scope() -> None:
    lo = socket.if_nametoindex("lo")

    assert sockets.endpoint("10.0.0.2", 5000) == ("10.0.0.2", 5000)
    assert sockets.endpoint("fe80::1%lo", 5000) == ("fe80::1", 5000, 0, lo)
    assert sockets.endpoint("fe80::1%7", 5000) == ("fe80::1", 5000, 0, 7)
    assert sockets.endpoint("fd00::1", 5000) == ("fd00::1", 5000, 0, 0)
    assert sockets.without_scope("fe80::1%lo") == "fe80::1"


@pytest.mark.parametrize("scope", ["9" * 5000, "nothing0", "a\0b", "x" * 5000])
def test_a_scope_that_cannot_be_is_an_error_of_the_system(scope: str) -> None:
    with pytest.raises(OSError, match=r"interface|device|long"):
        sockets.endpoint(f"fe80::1%{scope}", 5000)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_packets_are_marked_for_the_voice_queue(host: str) -> None:
    with sockets.bind(host) as sock:
        if ":" in host:
            found = sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
        else:
            found = sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)

    assert found == 0xB8


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_may_be_fragmented(host: str) -> None:
    with sockets.bind(host) as sock:
        if ":" in host:
            found = sock.getsockopt(socket.IPPROTO_IPV6, 23)
        else:
            found = sock.getsockopt(socket.IPPROTO_IP, 10)

    # IP_PMTUDISC_DONT
    assert found == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_segmentation_is_switched_off_again(host: str) -> None:
    with sockets.bind(host) as sink, sockets.bind(host) as sock:
        if not sockets.segment(sock, 100):
            pytest.skip("this kernel cannot segment")
        sock.connect(sink.getsockname())
        sock.send(bytes(200))
        sockets.segment(sock, 0)
        sock.send(bytes(200))

        assert [len(sink.recv(1000)) for _ in range(3)] == [100, 100, 200]
