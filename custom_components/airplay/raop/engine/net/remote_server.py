"""The DACP server: accepts requests of receivers over TCP and answers at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
import errno
import logging
import secrets
import socket
import time
from typing import override

from ...errors import ReceiverProtocolError
from ...session.remote import Obeyed, Remotes
from ...wire.http import RequestParser
from .sockets import without_scope

_LOGGER = logging.getLogger(__name__)

# A request is one packet; a client that needs longer is not a receiver.
_PATIENCE_S = 5.0
_MOST_CONNECTIONS = 64
_MOST_AN_ADDRESS = 8
_BACKLOG = 32
# Below the ports that systems choose from for outgoing connections.
_PORTS = range(28_000, 32_768)
_TRIES = 20
_RETRY_S = 0.1
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}

type Obey = Callable[[Obeyed], None]


class RemoteServer:
    """Listens on every address of this machine, as receivers connect to any."""

    def __init__(self, remotes: Remotes, obey: Obey) -> None:
        self._remotes = remotes
        self._obey = obey
        self._servers: list[asyncio.Server] = []
        self._addresses: Counter[str] = Counter()
        self._conversations: set[_Conversation] = set()

    async def listen(self, wanted: int) -> int:
        """Listen on the wanted port, or on another if it is in use; return the port.

        Receivers remember the port that they found first, so another one is the last
        resort. If `wanted` is 0, no port was chosen before; if the result is 0, no port
        is free.
        """
        bound = await self._bind_patiently(wanted) if wanted else None
        if wanted and bound is None:
            _LOGGER.warning(
                "Port %d is in use; using another port. Buttons of speakers that "
                "remember the old port do not work until the speakers restart",
                wanted,
            )
        for _ in range(_TRIES):
            if bound:
                break
            bound = _bind(secrets.choice(_PORTS))
        if not bound:
            _LOGGER.error("No free port for the buttons of speakers")
            return 0
        loop = asyncio.get_running_loop()
        for sock in bound:
            server = await loop.create_server(
                lambda: _Conversation(self), sock=sock, backlog=_BACKLOG
            )
            self._servers.append(server)
        return int(bound[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and abort open connections."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for conversation in tuple(self._conversations):
            conversation.abort()

    async def _bind_patiently(self, port: int) -> list[socket.socket] | None:
        """Bind a port, waiting for an earlier process of ours to free it."""
        for _ in range(_TRIES):
            if bound := _bind(port):
                return bound
            await asyncio.sleep(_RETRY_S)
        return None

    def add(self, conversation: _Conversation) -> bool:
        """Register a connection; return whether it is within the limits."""
        address = conversation.address
        if (
            len(self._conversations) >= _MOST_CONNECTIONS
            or self._addresses[address] >= _MOST_AN_ADDRESS
        ):
            return False
        self._conversations.add(conversation)
        self._addresses[address] += 1
        return True

    def remove(self, conversation: _Conversation) -> None:
        """Unregister a connection that has ended."""
        if conversation not in self._conversations:
            return
        self._conversations.discard(conversation)
        self._addresses[conversation.address] -= 1
        if not self._addresses[conversation.address]:
            del self._addresses[conversation.address]

    def answer(self, parser: RequestParser, data: bytes, address: str) -> bytes | None:
        """Return the answer to a request that this data completes, or None.

        Raises ReceiverProtocolError: the data is not a request.
        """
        request = parser.feed(data)
        if request is None:
            return None
        answer = self._remotes.answer(request, address, time.monotonic())
        if not 200 <= answer.status < 300:
            _LOGGER.debug("%s: %d to %.80s", address, answer.status, request.path)
        for obeyed in answer.orders:
            self._obey(obeyed)
        return answer.encode()


class _Conversation(asyncio.Protocol):
    """One connection, with one request and one answer."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        self._parser = RequestParser()
        self._transport: asyncio.Transport | None = None
        self._fuse: asyncio.TimerHandle | None = None
        self.address = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection and limit its time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = without_scope(peer[0]) if peer else ""
        if not self._server.add(self):
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._fuse = loop.call_later(_PATIENCE_S, self.abort)

    @override
    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete; abort on invalid data."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        try:
            answer = self._server.answer(self._parser, data, self.address)
        except ReceiverProtocolError as err:
            _LOGGER.debug("%s: %s", self.address, err)
            transport.abort()
            return
        if answer is not None:
            transport.write(answer)
            transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Unregister the connection."""
        if self._fuse:
            self._fuse.cancel()
        self._server.remove(self)

    def abort(self) -> None:
        """End the connection without waiting for anything."""
        if self._transport:
            self._transport.abort()


def _bind(port: int) -> list[socket.socket]:
    """Open a port in each available address family; empty if it is in use."""
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
