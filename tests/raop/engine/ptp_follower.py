"""A receiver's PTP clock, off by a known amount, that learns ours from the messages."""

import asyncio
from dataclasses import dataclass, field
import socket
import struct
import threading
import time

_SO_TIMESTAMPNS = 35
_HEADER = struct.Struct(">BBHBBHqIQHHBb")
_STAMP = struct.Struct(">HII")
CLOCK_ID = 0xAABBCCFFFEDDEEFF
EVENT, GENERAL = 0, 1


def message(kind: int, sequence: int, body: bytes) -> bytes:
    """Return a message of this receiver's."""
    size = _HEADER.size + len(body)
    head = _HEADER.pack(
        0x10 | kind, 2, size, 0, 0, 0x408, 0, 0, CLOCK_ID, 1, sequence, 0, 0
    )
    return head + body


def announce(priority1: int, sequence: int = 1, clock_id: int = CLOCK_ID) -> bytes:
    """Return an Announce of this receiver's."""
    body = bytes(13) + struct.pack(
        ">BBBHBQHB", priority1, 248, 0xFE, 0xFFFF, 248, clock_id, 0, 0xA0
    )
    return message(0xB, sequence, body)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, and when it came in CLOCK_REALTIME."""

    which: int
    kind: int
    sequence: int
    source: int
    datagram: bytes
    arrived_ns: int

    @property
    def time_ns(self) -> int:
        """The time that it announces."""
        high, low, rest = _STAMP.unpack_from(self.datagram, _HEADER.size)
        return int((high << 32 | low) * 1_000_000_000 + rest)


@dataclass
class Follower:
    """Two sockets on an address of their own, and all that came in."""

    host: str = "127.0.0.2"
    heard: list[Heard] = field(default_factory=list)
    sender: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in self._sockets:
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            sock.bind((self.host, 0))
        self._news = threading.Condition()
        self._threads = [
            threading.Thread(target=self._listen, args=(which,), daemon=True)
            for which in (EVENT, GENERAL)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def ports(self) -> tuple[int, int]:
        """Its event and general port."""
        event, general = (sock.getsockname()[1] for sock in self._sockets)
        return event, general

    def send(self, which: int, datagram: bytes, host: str = "127.0.0.1") -> int:
        """Send something to the sender; return the wall clock just before."""
        now_ns = time.time_ns()
        self._sockets[which].sendto(datagram, (host, self.sender[which]))
        return now_ns

    def of(self, kind: int) -> list[Heard]:
        """Return the received messages of a kind."""
        return [each for each in self.heard if each.kind == kind]

    async def wait_for(self, kind: int, count: int = 1) -> list[Heard]:
        """Wait until so many messages of a kind have come."""

        def wait() -> bool:
            with self._news:
                return self._news.wait_for(lambda: len(self.of(kind)) >= count, 10)

        assert await asyncio.to_thread(wait), f"no {count} messages of kind {kind:x}"
        return self.of(kind)

    def pairs(self) -> list[tuple[Heard, Heard]]:
        """Return Syncs with the Follow_Ups of the same number."""
        told = {each.sequence: each for each in self.of(0x8)}
        return [
            (each, told[each.sequence])
            for each in self.of(0x0)
            if each.sequence in told
        ]

    def close(self) -> None:
        """Listen no more."""
        for which, sock in enumerate(self._sockets):
            with socket.socket(sock.family, socket.SOCK_DGRAM) as bell:
                bell.sendto(b"", (self.host, self.ports[which]))
        for thread in self._threads:
            thread.join(5)
        for sock in self._sockets:
            sock.close()

    def _listen(self, which: int) -> None:
        sock = self._sockets[which]
        while True:
            datagram, ancillary, _, address = sock.recvmsg(2048, 512)
            if not datagram:
                return
            seconds, rest = struct.unpack("=qq", ancillary[0][2])
            head = _HEADER.unpack_from(datagram)
            heard = Heard(
                which,
                head[0] & 0xF,
                head[10],
                address[1],
                datagram,
                seconds * 1_000_000_000 + rest,
            )
            with self._news:
                self.heard.append(heard)
                self._news.notify_all()
