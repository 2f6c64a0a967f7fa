"""The same pacing in a shared asyncio loop, as a peer.

It works as a sender inside Home Assistant would: batches of four packets on the same
schedule, and timing replies with one clock read when the request is handled.
"""

import asyncio
import os
import socket
import struct
import time

from .introduction import Introduction, Ports

_RATE = 44_100
_FRAMES = 352
_BATCH = 4
_SECOND_NS = 1_000_000_000
_NTP_EPOCH = 2_208_988_800
_HIDDEN_LATENCY = 11_025
_HEADER = struct.Struct(">BBHII")
_SYNC = struct.Struct(">BBHIQI")
_TIMING = struct.Struct(">BBHIQQQ")


class LoopSender:
    """Streams noise from callbacks of the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timing = _socket()
        self._control = _socket()
        self._audio: list[socket.socket] = []
        self._introduction = Introduction()
        self._song = [os.urandom(_FRAMES * 4) for _ in range(64)]
        self._sent = 0
        self._start_s = 0.0
        self._start_ns = 0

    async def start(self, receivers: list[int]) -> None:
        """Open sessions and start to stream."""
        ports = Ports(_port(self._timing), _port(self._control))
        for receiver in receivers:
            await self._introduction.meet(receiver, ports)
        for target in self._introduction.targets:
            audio = _socket()
            audio.connect(("127.0.0.1", target.audio))
            self._audio.append(audio)
        self._loop.add_reader(self._timing, self._answer)
        self._start_s, self._start_ns = self._loop.time(), time.time_ns()
        self._pump()
        self._tell_line()

    def _pump(self) -> None:
        while (
            due_s := self._start_s + self._sent * _FRAMES / _RATE
        ) <= self._loop.time():
            for sequence in range(self._sent, self._sent + _BATCH):
                packet = self._packet(sequence)
                for audio in self._audio:
                    audio.send(packet)
            self._sent += _BATCH
        self._loop.call_at(due_s, self._pump)

    def _packet(self, sequence: int) -> bytes:
        frame = sequence * _FRAMES & 0xFFFFFFFF
        header = _HEADER.pack(0x80, 0x60, sequence & 0xFFFF, frame, 0)
        return header + self._song[sequence % len(self._song)]

    def _tell_line(self) -> None:
        frame = self._sent * _FRAMES
        ntp = _ntp(self._start_ns + frame * _SECOND_NS // _RATE)
        packet = _SYNC.pack(0x80, 0xD4, 7, frame, ntp, frame + _HIDDEN_LATENCY)
        for target in self._introduction.targets:
            self._control.sendto(packet, ("127.0.0.1", target.control))
        self._loop.call_later(1, self._tell_line)

    def _answer(self) -> None:
        while True:
            try:
                request, sender = self._timing.recvfrom(64)
            except BlockingIOError:
                return
            now = _ntp(time.time_ns())
            asked = int.from_bytes(request[24:32])
            reply = _TIMING.pack(0x80, 0xD3, 7, 0, asked, now, now)
            self._timing.sendto(reply, sender)


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    sock.bind(("127.0.0.1", 0))
    return sock


def _port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def _ntp(unix_ns: int) -> int:
    seconds, rest = divmod(unix_ns, _SECOND_NS)
    return (seconds + _NTP_EPOCH) << 32 | (rest << 32) // _SECOND_NS
