"""A bad path in front of a receiver's UDP ports: loss, disorder, and duplicates.

A sender is led to it by the reply to SETUP, which a quirk rewrites. Only what the sender
sends to the receiver goes through; the receiver answers directly.
"""

import asyncio
import plistlib
import random
import re
import socket

from .habits import of_list

_PORTS = re.compile(rb"(server_port|control_port)=(\d+)")
_PORT_KEYS = ("dataPort", "controlPort")
_BUFFERED = 103
_DATAGRAM_BYTES = 2048


class Relay:
    """Passes the datagrams for some ports on, as a bad network would."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        loss: float = 0.0,
        disorder_s: float = 0.0,
        duplicates: float = 0.0,
        seed: int = 1,
    ) -> None:
        """Describe the path: shares of all datagrams, and their longest delay."""
        self._host = host
        self._loss = loss
        self._disorder_s = disorder_s
        self._duplicates = duplicates
        self._random = random.Random(seed)
        self._sockets: list[socket.socket] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self.lost = 0

    def rewrite(self, method: str, reply: bytes) -> bytes:
        """Name ports of the relay in a reply to SETUP, for the quirk `rewrite`."""
        if method != "SETUP":
            return reply

        def moved(found: re.Match[bytes]) -> bytes:
            return b"%b=%d" % (found[1], self._open(int(found[2])))

        return of_list(self._moved)(method, _PORTS.sub(moved, reply))

    def close(self) -> None:
        """Close all ports; what is on the way is lost."""
        loop = asyncio.get_running_loop()
        for timer in self._timers:
            timer.cancel()
        for sock in self._sockets:
            loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _moved(self, table: dict[str, object]) -> bytes:
        streams = table.get("streams")
        for each in streams if isinstance(streams, list) else []:
            if each.get("type") != _BUFFERED:
                each |= {key: self._open(each[key]) for key in _PORT_KEYS}
        return plistlib.dumps(table, fmt=plistlib.FMT_BINARY)

    def _open(self, port: int) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.bind((self._host, 0))
        self._sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock, self._pass, sock, port)
        own: int = sock.getsockname()[1]
        return own

    def _pass(self, sock: socket.socket, port: int) -> None:
        try:
            datagram = sock.recv(_DATAGRAM_BYTES)
        except BlockingIOError:
            return
        if self._random.random() < self._loss:
            self.lost += 1
            return
        loop = asyncio.get_running_loop()
        copies = 1 + (self._random.random() < self._duplicates)
        for _ in range(copies):
            delay_s = self._random.random() * self._disorder_s
            timer = loop.call_later(delay_s, self._send, sock, datagram, port)
            self._timers = {each for each in self._timers if each.when() > loop.time()}
            self._timers.add(timer)

    def _send(self, sock: socket.socket, datagram: bytes, port: int) -> None:
        sock.sendto(datagram, (self._host, port))
