"""What Linux has measured of a TCP connection, without a packet of our own."""

from dataclasses import dataclass
import socket
import struct

# struct tcp_info of <linux/tcp.h>: eight bytes, then numbers of 32 bits.
_TCP_INFO = struct.Struct("=8x24I")
_ROUND_TRIP, _VARIATION, _REPEATS = 15, 16, 23


@dataclass(frozen=True, slots=True)
class TcpQuality:
    """The round trip and its mean deviation in µs, and the segments sent again."""

    round_trip_us: int
    deviation_us: int
    repeats: int


def tcp_quality(sock: socket.socket) -> TcpQuality | None:
    """Return the figures of a socket; None if it is closed, or is not measured."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        numbers = _TCP_INFO.unpack(info)
    except OSError, struct.error:
        return None
    return TcpQuality(numbers[_ROUND_TRIP], numbers[_VARIATION], numbers[_REPEATS])
