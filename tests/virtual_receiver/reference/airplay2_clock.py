"""A sender's PTP clock, written from the protocol's text for tests."""

import asyncio
import socket
import struct

from .raop_sender import NS_PER_S, now_ns

CLOCK_ID = 0xFFFF001122334455
_HEAD = struct.Struct(">BBHBBHqI8sHHBb")
_SYNC, _DELAY_REQ, _FOLLOW_UP, _DELAY_RESP, _ANNOUNCE = 0, 1, 8, 9, 11


def signed(clock_id: int) -> int:
    """Return a clock's name as property lists hold it."""
    return clock_id - (clock_id >> 63 << 64)


class ReferenceClock:
    """A grandmaster of one follower, on its own two ports."""

    def __init__(
        self,
        host: str,
        ports: tuple[int, int],
        *,
        local: str = "127.0.0.1",
        clock_id: int = CLOCK_ID,
        offset_ns: int = 0,
        sdo: int = 1,
        interval_s: float = 0.02,
        own_ports: tuple[int, int] = (0, 0),
    ) -> None:
        """Serve a clock that is off CLOCK_MONOTONIC."""
        self._host, self._to = host, ports
        self._id = clock_id.to_bytes(8)
        self._offset_ns = offset_ns
        self._sdo = sdo
        self._interval_s = interval_s
        self._sequence = 0
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "eg"]
        for sock, port in zip(self._sockets, own_ports, strict=True):
            sock.setblocking(False)
            sock.bind((local, port))
        self._event, self._general = self._sockets
        self.heard: list[bytes] = []
        """The messages that came to either port."""
        self._timer: asyncio.TimerHandle | None = None
        self._sync_ns: dict[bytes, int] = {}
        self._told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Begin to send the time."""
        self.listen()
        self._tick()

    def listen(self) -> None:
        """Receive the messages of a receiver."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.add_reader(sock, self._hear, sock)

    async def told(self) -> int:
        """Wait until a receiver sends its own time; return that minus ours."""
        return await self._told

    def stop(self) -> None:
        """Be silent."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        """Close the ports."""
        self.stop()
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def kinds(self) -> list[int]:
        """Return the kinds of messages that came."""
        return [packet[0] & 0xF for packet in self.heard]

    def announce(self) -> None:
        """Claim to be the best."""
        body = bytes(13) + struct.pack(
            ">BBBHB8sHB", 128, 6, 0x21, 0x436A, 128, self._id, 0, 0x20
        )
        self._send(self._general, self.message(_ANNOUNCE, 0x0408, body))

    def sync(self) -> None:
        """Send the time in two steps."""
        sent = now_ns()
        self._send(self._event, self.message(_SYNC, 0x0608, bytes(10)))
        self._send(self._general, self.message(_FOLLOW_UP, 0x0408, self._stamp(sent)))

    def message(self, kind: int, flags: int, body: bytes) -> bytes:
        """Build a message with the present sequence number."""
        size = _HEAD.size + len(body)
        first, sequence = self._sdo << 4 | kind, self._sequence & 0xFFFF
        return (
            _HEAD.pack(
                first, 2, size, 0, 0, flags, 0, 0, self._id, 0x8005, sequence, 0, -3
            )
            + body
        )

    def _tick(self) -> None:
        if self._sequence % 8 == 0:
            self.announce()
        self.sync()
        self._sequence += 1
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._interval_s, self._tick)

    def _hear(self, sock: socket.socket) -> None:
        packet = sock.recv(2048)
        self.heard.append(packet)
        kind, number = packet[0] & 0xF, packet[30:32]
        if kind == _SYNC:
            self._sync_ns[number] = now_ns()
        elif kind == _FOLLOW_UP and number in self._sync_ns and not self._told.done():
            high, low, rest = struct.unpack_from(">HII", packet, 34)
            told_ns = (high << 32 | low) * NS_PER_S + rest
            self._told.set_result(told_ns - self._sync_ns[number])
        if packet[0] & 0xF == _DELAY_REQ:
            body = self._stamp(now_ns()) + packet[20:30]
            reply = bytearray(self.message(_DELAY_RESP, 0x0608, body))
            reply[30:32] = packet[30:32]
            self._send(self._general, bytes(reply))

    def _stamp(self, at_ns: int) -> bytes:
        seconds, rest = divmod(at_ns + self._offset_ns, NS_PER_S)
        return struct.pack(">HII", seconds >> 32, seconds & 0xFFFFFFFF, rest)

    def _send(self, sock: socket.socket, packet: bytes) -> None:
        port = self._to[0] if sock is self._event else self._to[1]
        sock.sendto(packet, (self._host, port))
