"""The three UDP sockets of a stream, read in batches with kernel stamps."""

from collections.abc import Iterable
import contextlib
from dataclasses import dataclass
from enum import Enum
import socket
import struct

from tests.virtual_receiver.clock import NS_PER_S, monotonic_ns, realtime_ns

# Linux <asm-generic/socket.h>; the socket module has no name for it
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_TIMESPEC = struct.Struct("qq")
_BUFFER_BYTES = 4 * 1024 * 1024
_DATAGRAM_BYTES = 2048
_BATCH = 512

type Address = tuple[str, int] | tuple[str, int, int, int]


class Channel(Enum):
    """The purpose of a socket."""

    AUDIO = "audio"
    CONTROL = "control"
    TIMING = "timing"


@dataclass(frozen=True, slots=True)
class Datagram:
    """A packet and the instant of CLOCK_MONOTONIC at which the kernel had it."""

    at_ns: int
    channel: Channel
    payload: bytes


class UdpPorts:
    """Sockets bound to the address on which the sender has connected."""

    def __init__(self, local: Address, peer: Address) -> None:
        """Open the sockets on free ports."""
        self._peer = peer
        self._sockets = {channel: _open(local) for channel in Channel}

    def port(self, channel: Channel) -> int:
        """Return a socket's port."""
        port: int = self._sockets[channel].getsockname()[1]
        return port

    @property
    def sockets(self) -> list[socket.socket]:
        """Return the sockets, to wait for them."""
        return list(self._sockets.values())

    def read(self) -> list[Datagram]:
        """Return the datagrams of all sockets in the order of their arrival."""
        now, offset = monotonic_ns(), monotonic_ns() - realtime_ns()
        datagrams: list[Datagram] = []
        for channel, sock in self._sockets.items():
            _read(sock, channel, now, offset, datagrams)
        if len(datagrams) > 1:
            datagrams.sort(key=lambda datagram: datagram.at_ns)
        return datagrams

    def send(self, channel: Channel, packet: bytes, port: int) -> None:
        """Send to a port of the sender; a full or refused socket loses it."""
        host, _, *rest = self._peer
        # a closed port of the sender comes back as ECONNREFUSED
        with contextlib.suppress(OSError):
            self._sockets[channel].sendto(packet, (host, port, *rest))

    def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            sock.close()


def _open(local: Address) -> socket.socket:
    host, _, *rest = local
    return open_udp((host, 0, *rest))  # type: ignore[arg-type]


def open_udp(local: Address) -> socket.socket:
    """Open a socket that stamps datagrams on arrival; port 0 for any free one."""
    host = local[0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        # only root may go beyond net.core.rmem_max
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.bind(local)
    except OSError:
        sock.close()
        raise
    return sock


def _read(
    sock: socket.socket,
    channel: Channel,
    now: int,
    offset: int,
    datagrams: list[Datagram],
) -> None:
    for _ in range(_BATCH):
        try:
            payload, ancillary, _, _ = sock.recvmsg(_DATAGRAM_BYTES, 64)
        except BlockingIOError:
            return
        except OSError:
            continue
        at_ns = stamp_of(ancillary, now, offset)
        datagrams.append(Datagram(at_ns, channel, payload))


def stamp_of(ancillary: Iterable[tuple[int, int, bytes]], now: int, offset: int) -> int:
    """Return CLOCK_MONOTONIC at which the kernel had a datagram, or `now`.

    `offset` is the monotonic clock minus the wall clock, by which kernels stamp.
    """
    at_ns = now
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(content[:16])
            stamp = seconds * NS_PER_S + nanoseconds + offset
            # the size shows if the wall clock was stepped since
            at_ns = stamp if abs(stamp - now) < 10 * NS_PER_S else now
    return at_ns
