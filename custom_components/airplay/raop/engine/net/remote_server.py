"""The DACP server: accepts requests of receivers over TCP and answers at once."""

import asyncio
from collections.abc import Callable
import logging
import secrets
import socket
import time
from typing import override

from ...errors import ReceiverProtocolError
from ...session.limits.places import Places, Share
from ...session.remote import Answer, Obeyed, Remotes
from ...wire.http import NotAdmittedError, RequestParser
from .acceptor import Acceptor, bind

_LOGGER = logging.getLogger(__name__)

# A request is one packet; a client that needs longer is not a receiver.
_PATIENCE_S = 5.0
_PATIENCE_WITH_STRANGERS_S = 2.0
# Receivers of a session have their own places. A knob sends 20 requests a second, and
# some receivers ask for properties besides.
_RECEIVERS = Share(
    places=48,
    places_an_address=8,
    per_second=200,
    at_once=600,
    per_second_an_address=100,
    at_once_an_address=300,
)
# Nothing that a stranger sends is obeyed; an answer helps only to find out why.
_STRANGERS = Share(
    places=16,
    places_an_address=2,
    per_second=20,
    at_once=40,
    per_second_an_address=2,
    at_once_an_address=8,
)
# Below the ports that systems choose from for outgoing connections.
_PORTS = range(28_000, 32_768)
_TRIES = 20
_RETRY_S = 0.1

type Obey = Callable[[Obeyed], None]


class RemoteServer:
    """Listens on every address of this machine, as receivers connect to any."""

    def __init__(self, remotes: Remotes, obey: Obey) -> None:
        self._remotes = remotes
        self._obey = obey
        self._acceptor: Acceptor | None = None
        self._receivers = Places[_Conversation](_RECEIVERS)
        self._strangers = Places[_Conversation](_STRANGERS)
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
            bound = bind(secrets.choice(_PORTS))
        if not bound:
            _LOGGER.error("No free port for the buttons of speakers")
            return 0
        port = int(bound[0].getsockname()[1])
        self._acceptor = Acceptor(bound, self._admit)
        return port

    def close(self) -> None:
        """Stop listening and abort open connections."""
        if self._acceptor:
            self._acceptor.close()
            self._acceptor = None
        for conversation in tuple(self._conversations):
            conversation.abort()

    async def _bind_patiently(self, port: int) -> list[socket.socket] | None:
        """Bind a port, waiting for an earlier process of ours to free it."""
        for _ in range(_TRIES):
            if bound := bind(port):
                return bound
            await asyncio.sleep(_RETRY_S)
        return None

    def _admit(self, address: str) -> _Conversation | None:
        """Return a conversation with an address, unless it has had too many."""
        is_known = self._remotes.knows(address)
        places = self._receivers if is_known else self._strangers
        if not places.admits(address, time.monotonic()):
            return None
        patience_s = _PATIENCE_S if is_known else _PATIENCE_WITH_STRANGERS_S
        return _Conversation(self, address, places, patience_s)

    def add(self, conversation: _Conversation) -> None:
        """Register a connection, for which an older one may have to make room."""
        self._conversations.add(conversation)
        displaced = conversation.places.add(conversation, conversation.address)
        if displaced:
            displaced.abort()

    def remove(self, conversation: _Conversation) -> None:
        """Unregister a connection that has ended."""
        self._conversations.discard(conversation)
        conversation.places.remove(conversation)

    def parser(self, address: str) -> RequestParser:
        """Return the parser of a request from an address."""
        return RequestParser(lambda number: self._remotes.admits(number, address))

    def answer(self, parser: RequestParser, data: bytes, address: str) -> bytes | None:
        """Return the answer to a request that this data completes, or None.

        Raises ReceiverProtocolError: the data is not a request.
        """
        try:
            request = parser.feed(data)
        except NotAdmittedError:
            _LOGGER.debug("%s: a request without the number of a session", address)
            return Answer(403).encode()
        if request is None:
            return None
        answer = self._remotes.answer(request, address, time.monotonic())
        if not 200 <= answer.status < 300:
            _LOGGER.debug("%s: %d to %.80r", address, answer.status, request.path)
        for obeyed in answer.orders:
            self._obey(obeyed)
        return answer.encode()


class _Conversation(asyncio.Protocol):
    """One connection, with one request and one answer."""

    def __init__(
        self,
        server: RemoteServer,
        address: str,
        places: Places[_Conversation],
        patience_s: float,
    ) -> None:
        self._server = server
        self._parser = server.parser(address)
        self._patience_s = patience_s
        self._transport: asyncio.Transport | None = None
        self._fuse: asyncio.TimerHandle | None = None
        self.address = address
        self.places = places

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection and limit its time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.add(self)
        loop = asyncio.get_running_loop()
        self._fuse = loop.call_later(self._patience_s, self.abort)

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
