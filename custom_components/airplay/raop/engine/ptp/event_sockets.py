"""The socket of PTP's event port, with timestamps of departures and arrivals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import socket
import struct

from ..net import clock
from ..net.sockets import arrival_ns, bind, stamp_arrivals

# Not in the socket module: see linux/net_tstamp.h and linux/errqueue.h.
_SO_TIMESTAMPING = 37
_TRANSMIT, _SOFTWARE, _NUMBERED, _STAMP_ONLY = 1 << 1, 1 << 4, 1 << 7, 1 << 11
_FROM_TIMESTAMPING = 4
_ERROR = struct.Struct("=IBBBBII")
_RECEIVED_ERROR = {
    (socket.IPPROTO_IP, 11),
    (socket.IPPROTO_IPV6, 25),
}
# Three stamps; the kernel fills in the first. 32-bit systems use short ones.
_STAMPS_64, _STAMPS_32 = struct.Struct("=6q"), struct.Struct("=6i")
_ANCILLARY_BYTES = 512
_MOST_AT_ONCE = 64

_PATIENCE_NS = 2_000_000
# If stamps never come, waiting for each would only make every Follow_Up late.
_HOPELESS = 8
_TRY_AGAIN = 64

type Address = tuple[str, int] | tuple[str, int, int, int]
type Departed = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Departure:
    on_sent: Departed
    sent_ns: int
    number: int


class EventSocket:
    """Sends datagrams and reports when each left; pacing thread only."""

    def __init__(self, local: str, port: int) -> None:
        self.sock = bind(local, port)
        stamp_arrivals(self.sock)
        self.sent = 0
        self.stamped = 0
        self._has_stamps = True
        self._missed = 0
        self._number = 0
        self._waiting: dict[int, _Departure] = {}
        self._begin_numbers()

    @property
    def deadline_ns(self) -> int | None:
        """The session time at which waiting for the oldest stamp ends."""
        if not self._waiting:
            return None
        return min(each.sent_ns for each in self._waiting.values()) + _PATIENCE_NS

    def close(self) -> None:
        """Close the socket without reporting the departures that are still open."""
        self._waiting.clear()
        self.sock.close()

    def send(self, message: bytes, address: Address, on_sent: Departed) -> None:
        """Send a datagram; `on_sent` soon gets the session time at which it left."""
        # Read before the call; after it the thread may have to wait for its turn.
        now_ns = clock.now_ns()
        try:
            self.sock.sendto(message, address)
        except OSError:
            # The kernel may or may not have counted the failed datagram.
            self._begin_numbers()
            return
        self.sent += 1
        departure = _Departure(on_sent, now_ns, self._number)
        self._number = (self._number + 1) & 0xFFFFFFFF
        if not self._expects_stamps:
            on_sent(now_ns)
            return
        self._waiting[departure.number] = departure
        self.collect()

    def collect(self) -> None:
        """Report the departures whose stamps have arrived."""
        for number, stamp_ns in self._stamps():
            if departure := self._waiting.pop(number, None):
                self.stamped += 1
                self._missed = 0
                departure.on_sent(clock.of_realtime(stamp_ns))

    def give_up(self, now_ns: int) -> None:
        """Report overdue departures with the times of their send calls."""
        if not self._waiting:
            return
        for departure in tuple(self._waiting.values()):
            if departure.sent_ns + _PATIENCE_NS <= now_ns:
                del self._waiting[departure.number]
                self._missed += 1
                departure.on_sent(departure.sent_ns)

    def receive(self) -> Iterator[tuple[bytes, Address, int]]:
        """Yield each received datagram with its sender and the session time."""
        return receive(self.sock)

    @property
    def _expects_stamps(self) -> bool:
        if not self._has_stamps:
            return False
        return self._missed < _HOPELESS or self.sent % _TRY_AGAIN == 0

    def _begin_numbers(self) -> None:
        """Restart the kernel's count at 0; report open departures as known."""
        options = _TRANSMIT | _SOFTWARE | _NUMBERED | _STAMP_ONLY
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, 0)
            self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, options)
        except OSError:
            self._has_stamps = False
        for _ in self._stamps():
            pass
        self._number = 0
        waiting, self._waiting = self._waiting, {}
        for departure in waiting.values():
            departure.on_sent(departure.sent_ns)

    def _stamps(self) -> Iterator[tuple[int, int]]:
        """Yield the numbers of sent datagrams and the wall clock of each departure."""
        for _ in range(_MOST_AT_ONCE):
            try:
                _, ancillary, _, _ = self.sock.recvmsg(
                    0, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE
                )
            except OSError:
                return
            number = stamp_ns = None
            for level, kind, body in ancillary:
                if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING:
                    stamp_ns = _first_stamp(body)
                elif (level, kind) in _RECEIVED_ERROR:
                    number = _number_of(body)
            if number is not None and stamp_ns:
                yield number, stamp_ns


def receive(sock: socket.socket) -> Iterator[tuple[bytes, Address, int]]:
    """Yield each datagram received on a socket, its sender, and the session time."""
    for _ in range(_MOST_AT_ONCE):
        try:
            datagram, ancillary, _, address = sock.recvmsg(2048, _ANCILLARY_BYTES)
        except OSError:
            return
        stamp_ns = arrival_ns(ancillary)
        arrived_ns = clock.of_realtime(stamp_ns) if stamp_ns else clock.now_ns()
        yield datagram, address, arrived_ns


def _first_stamp(body: bytes) -> int:
    shape = _STAMPS_64 if len(body) >= _STAMPS_64.size else _STAMPS_32
    seconds, nanoseconds, *_ = shape.unpack_from(body)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _number_of(body: bytes) -> int | None:
    _, origin, _, _, _, _, number = _ERROR.unpack_from(body)
    return int(number) if origin == _FROM_TIMESTAMPING else None
