"""A TCP port in both address families, whose connections are checked one by one.

A connection that is refused costs no more than its acceptance: nothing is built for it.
"""

import asyncio
from collections.abc import Callable, Sequence
import errno
import socket
import struct
import time

from ...session.limits.allowance import Allowance

# More than the hosts of a home open at once, so that no receiver is turned away.
_BACKLOG = 1024
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
# Between other work of the event loop; and in all, with a rest if there are more.
_AT_A_TIME = 16
_PER_SECOND = 1000.0
_AT_ONCE = 1000.0
_REST_S = 0.05
_RESET = struct.pack("ii", 1, 0)


class Acceptor:
    """Accepts connections on the event loop; `admit` decides, by the address."""

    def __init__(
        self,
        listening: Sequence[socket.socket],
        admit: Callable[[str], asyncio.Protocol | None],
    ) -> None:
        """Listen; `admit` returns the protocol of a connection, or None.

        It gets the address without its scope. The sockets belong to this object.
        """
        self._loop = asyncio.get_running_loop()
        self._listening = tuple(listening)
        self._admit = admit
        self._allowance = Allowance(_PER_SECOND, _AT_ONCE)
        self._rest: asyncio.TimerHandle | None = None
        self._opening: dict[asyncio.Task[None], socket.socket] = {}
        self._listen()

    def close(self) -> None:
        """Stop listening, and abort connections that are being set up; repeatable."""
        self._pause()
        listening, self._listening = self._listening, ()
        for sock in listening:
            sock.close()
        # A task that is canceled before it runs closes nothing.
        for task, sock in tuple(self._opening.items()):
            task.cancel()
            sock.close()

    def _listen(self) -> None:
        self._rest = None
        for sock in self._listening:
            self._loop.add_reader(sock, self._accept, sock)

    def _pause(self) -> None:
        if self._rest:
            self._rest.cancel()
        for sock in self._listening:
            self._loop.remove_reader(sock)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_A_TIME):
            if not self._allowance.spend(time.monotonic()):
                self._take_rest()
                return
            try:
                accepted, peer = listening.accept()
            except BlockingIOError, InterruptedError, ConnectionAbortedError:
                return
            except OSError:
                # No descriptor or no memory is left; both may be again.
                self._take_rest()
                return
            self._greet(accepted, str(peer[0]))

    def _take_rest(self) -> None:
        self._pause()
        self._rest = self._loop.call_later(_REST_S, self._listen)

    def _greet(self, accepted: socket.socket, address: str) -> None:
        protocol = self._admit(address.partition("%")[0])
        if protocol is None:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            accepted.close()
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._open(protocol, accepted))
        self._opening[task] = accepted
        task.add_done_callback(self._opening.pop)

    async def _open(self, protocol: asyncio.Protocol, sock: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, sock)
        except OSError:
            sock.close()


def bind(port: int) -> list[socket.socket]:
    """Listen on a port in each available address family; empty if it is in use."""
    bound: list[socket.socket] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            bound.append(_bind_one(family, port))
        except OSError as err:
            if err.errno in _NO_SUCH_FAMILY:
                continue
            for sock in bound:
                sock.close()
            return []
    return bound


def _bind_one(family: socket.AddressFamily, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", port))
        # With SO_REUSEADDR two sockets may bind the port, but only one may listen.
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
