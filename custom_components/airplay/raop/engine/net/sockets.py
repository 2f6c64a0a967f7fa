"""UDP sockets with kernel receive stamps and, if available, segmentation offload."""

from collections.abc import Iterable
import errno
import ipaddress
import socket
import struct

from ...wire.addresses import literals, plain_address
from .port_pool import POOL

# Not in the socket module. SO_TIMESTAMPNS is 35 on every architecture that Home
# Assistant runs on; UDP_SEGMENT came with Linux 4.18.
_SO_TIMESTAMPNS = 35
_UDP_SEGMENT = 103
# <linux/in.h> and <linux/in6.h>.
_IP_MTU_DISCOVER = 10
_IPV6_MTU_DISCOVER = 23
_PMTUDISC_DONT = 0
_STAMP_64 = struct.Struct("=qq")
_STAMP_32 = struct.Struct("=ii")
_BUFFER_BYTES = 1 << 20
# Expedited Forwarding, which Wi-Fi access points map to their voice queue.
_TRAFFIC_CLASS = 0xB8
# More interfaces than any machine has.
_MOST_SCOPE_DIGITS = 9
# The number of datagrams read before anything else gets its turn.
DATAGRAMS_A_TURN = 64


def bind(local: str, port: int = 0) -> socket.socket:
    """Open a non-blocking UDP socket on a local address (IPv6 may carry a scope).

    With port 0, it is one of the ports that this process may use.

    An IPv6 socket is IPv6-only, so one port can be bound in both families. Datagrams
    that are longer than the path allows (VPNs, overlay networks) are fragmented.

    Raises OSError: the address is not ours, or the port is in use or not permitted.
    Raises UdpPortsTakenError: all ports that this process may use are in use.
    """
    if port == 0:
        return POOL.bind(lambda chosen: _bind(local, chosen))
    return _bind(local, port)


def _bind(local: str, port: int) -> socket.socket:
    family = family_of(local)
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        _mark(sock, family)
        _allow_fragments(sock, family)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(endpoint(local, port))
    except OSError:
        sock.close()
        raise
    return sock


def family_of(address: str) -> socket.AddressFamily:
    """Return the address family of an address without a lookup.

    Raises ValueError: the text is not an IP address.
    """
    is_v6 = ipaddress.ip_address(address).version == 6
    return socket.AF_INET6 if is_v6 else socket.AF_INET


def endpoint(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return a socket address for `bind`, `connect`, and `sendto`, with IPv6 scope."""
    if family_of(address) is socket.AF_INET:
        return (address, port)
    host, _, scope = address.partition("%")
    return (host, port, 0, _scope_id(scope))


def without_scope(address: str) -> str:
    """Return an address without its scope, which differs between interfaces."""
    return address.partition("%")[0]


def peers_of(remote: str, others: Iterable[str] = ()) -> frozenset[str]:
    """Return the addresses from which a receiver may send, as `without_scope` has them.

    `remote` is that of its connection. A receiver with several may answer from another.
    """
    return frozenset(plain_address(each) for each in literals((remote, *others)))


def stamp_arrivals(sock: socket.socket) -> None:
    """Enable kernel timestamps of arriving datagrams."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return


def arrival_ns(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """Return the wall clock stamp of a received datagram, or None without a stamp."""
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            shape = _STAMP_64 if len(body) >= _STAMP_64.size else _STAMP_32
            seconds, nanoseconds = shape.unpack_from(body)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def segment(sock: socket.socket, datagram_bytes: int) -> bool:
    """Enable segmentation of long sends by the kernel; return whether it can.

    A length of 0 disables it. While it is enabled, the kernel refuses every datagram
    that is longer than the path allows, instead of fragmenting it.
    """
    try:
        sock.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, datagram_bytes)
    except OSError:
        return False
    return True


def _mark(sock: socket.socket, family: socket.AddressFamily) -> None:
    try:
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _TRAFFIC_CLASS)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _TRAFFIC_CLASS)
    except OSError:
        return


def _allow_fragments(sock: socket.socket, family: socket.AddressFamily) -> None:
    """Let routers fragment too, as many drop what is too long without a word."""
    level, option = socket.IPPROTO_IP, _IP_MTU_DISCOVER
    if family is socket.AF_INET6:
        level, option = socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER
    try:
        sock.setsockopt(level, option, _PMTUDISC_DONT)
    except OSError:
        return


def _scope_id(scope: str) -> int:
    """Return the number of an interface. Raises OSError: there is none."""
    if not scope:
        return 0
    if scope.isdecimal() and len(scope) <= _MOST_SCOPE_DIGITS:
        return int(scope)
    try:
        return socket.if_nametoindex(scope)
    except ValueError as err:
        raise OSError(errno.ENODEV, f"no such interface: {scope[:40]!r}") from err


def can_segment() -> bool:
    """Return whether this kernel supports UDP segmentation."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return segment(sock, 1424)
