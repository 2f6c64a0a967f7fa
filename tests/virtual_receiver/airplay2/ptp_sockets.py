"""The two PTP sockets of a receiver."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import functools
import random
import socket

from tests.virtual_receiver.clock import ReceiverClock, monotonic_ns, realtime_ns
from tests.virtual_receiver.network.udp import Address, open_udp, stamp_of
from tests.virtual_receiver.quirks import Quirks

from .follower import Follower
from .own_clock import OwnClock
from .ptp import Kind

_DATAGRAM_BYTES = 2048
_BATCH = 64
# reported for a HomePod on a busy Wi-Fi: round trips of 6 ms and more, up to 24 ms late
_LEAST_LATE_S, _MEAN_LATE_S, _MOST_LATE_S = 0.003, 0.005, 0.024


@dataclass(frozen=True, slots=True)
class PtpPorts:
    """The ports of a receiver, and those that a sender's clock must use.

    Own ports may be 0 for any free ones. A sender's port that is None may be any;
    answers then go to the source of the last packet.
    """

    event: int = 319
    general: int = 320
    sender_event: int | None = 319
    sender_general: int | None = 320


class PtpSockets:
    """Feed a follower with the messages of a sender's clock."""

    def __init__(
        self,
        clock_id: bytes,
        host: str,
        ports: PtpPorts,
        clock: ReceiverClock,
        quirks: Quirks,
        is_unplugged: Callable[[], bool],
    ) -> None:
        """Describe the ports; nothing is opened before `open`."""
        self._host = host
        self._wanted = ports
        self._clock = clock
        self._quirks = quirks
        self._is_unplugged = is_unplugged
        self._peer: str | None = None
        self._sockets: dict[bool, socket.socket] = {}
        self._answer_ports = {True: ports.sender_event, False: ports.sender_general}
        self._timer: asyncio.TimerHandle | None = None
        self._chance = random.Random(quirks.seed)
        self._under_way: set[asyncio.TimerHandle] = set()
        self._arrived = 0
        kind = OwnClock if quirks.keeps_own_clock else Follower
        self.follower: Follower = kind(clock_id, quirks, self._send)
        self.measured: Callable[[], None] = lambda: None
        """Called after each measurement."""

    def open(self) -> None:
        """Listen; OSError if the ports are in use or not permitted."""
        loop = asyncio.get_running_loop()
        ports = {True: self._wanted.event, False: self._wanted.general}
        for is_event, port in ports.items():
            sock = open_udp((self._host, port))
            self._sockets[is_event] = sock
            loop.add_reader(sock, self.poll)

    def close(self) -> None:
        """Close the sockets."""
        if self._timer is not None:
            self._timer.cancel()
        for timer in self._under_way:
            timer.cancel()
        self._under_way.clear()
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    @property
    def ports(self) -> tuple[int, int]:
        """Return the event port and the general port."""
        event, general = (
            self._sockets[kind].getsockname()[1] for kind in (True, False)
        )
        return event, general

    def follow(self, peer: str | None) -> None:
        """Begin again with the clock at an address, or follow none."""
        self.poll()
        self._peer = peer
        self.follower.restart(self._now())
        self._schedule()

    def poll(self) -> None:
        """Read everything that has come."""
        is_measured = False
        for is_event in self._sockets:
            for packet, address, at in self._read(is_event):
                if self._is_welcome(address, is_event):
                    self._arrived = at
                    is_measured |= self.follower.receive(packet, at)
        self.follower.tick(self._now())
        self._schedule()
        if is_measured:
            self.measured()

    def _read(self, is_event: bool) -> list[tuple[bytes, Address, int]]:
        now, offset = monotonic_ns(), monotonic_ns() - realtime_ns()
        found: list[tuple[bytes, Address, int]] = []
        for _ in range(_BATCH):
            try:
                packet, ancillary, _, address = self._sockets[is_event].recvmsg(
                    _DATAGRAM_BYTES, 64
                )
            except BlockingIOError:
                break
            except OSError:
                continue
            at_ns = stamp_of(ancillary, now, offset)
            found.append((packet, address, self._clock.from_monotonic(at_ns)))
        return found

    def _is_welcome(self, address: Address, is_event: bool) -> bool:
        stats, wanted = self.follower.stats, self._wanted
        if self._is_unplugged() or not self._quirks.follows_ptp:
            return False
        if address[0] != self._peer:
            stats.strangers += 1
            return False
        port = wanted.sender_event if is_event else wanted.sender_general
        if port is not None and address[1] != port:
            stats.wrong_ports += 1
            return False
        self._answer_ports[is_event] = address[1]
        return True

    def _send(self, is_event: bool, packet: bytes) -> int:
        port = self._answer_ports[is_event]
        sock = self._sockets.get(is_event)
        now = self._now()
        if sock is None or port is None or self._peer is None or self._is_unplugged():
            return now
        send = functools.partial(self._send_now, sock, packet, (self._peer, port))
        if not self._quirks.late_syncs:
            send()
        elif packet[0] & 0xF == Kind.SYNC:
            # it was under way until now: no timer of a busy machine delays it further
            send()
            return now - round(self._late_s() * 1e9)
        elif packet[0] & 0xF == Kind.DELAY_RESP:
            # its question was late too, but not by the time that it waited for us
            waited_s = (now - self._arrived) / 1e9
            self._later(send, self._late_s() + self._late_s() - waited_s)
        else:
            self._later(send, self._late_s())
        return now

    def _send_now(self, sock: socket.socket, packet: bytes, to: Address) -> None:
        # a closed port of the sender comes back as ECONNREFUSED
        with contextlib.suppress(OSError):
            sock.sendto(packet, to)

    def _late_s(self) -> float:
        """Return how long the next message takes on the busy network."""
        late_s = self._chance.expovariate(1 / _MEAN_LATE_S)
        return _LEAST_LATE_S + min(late_s, _MOST_LATE_S)

    def _later(self, act: Callable[[], None], late_s: float) -> None:
        """Act once a message has passed the busy network."""

        def arrive() -> None:
            self._under_way.discard(timer)
            act()

        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(0.0, late_s), arrive)
        self._under_way.add(timer)

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.follower.next_due_ns
        if due is not None and self._sockets and self._peer is not None:
            delay_s = max(0.0, (due - self._now()) / 1e9)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.poll)

    def _now(self) -> int:
        return self._clock.from_monotonic(monotonic_ns())
