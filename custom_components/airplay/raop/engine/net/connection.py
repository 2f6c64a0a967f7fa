"""One RTSP connection: writes requests, waits for answers, detects its end."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
import logging
import socket
import struct
import time
from typing import TYPE_CHECKING

from ...errors import RaopError, ReceiverProtocolError, ReceiverUnreachableError
from ...session.climbing.patience import Patience
from ...session.limits.talk import TalkBudget
from ...wire.handshake import Handshake
from ...wire.rtsp import Call, Request, Response, ResponseParser
from .reaching import CONNECT_S, open_first
from .sockets import peers_of
from .tcp_quality import TcpQuality, tcp_quality

if TYPE_CHECKING:
    from ...auth.channel import ChannelKeys, EncryptedChannel

_LOGGER = logging.getLogger(__name__)

# A receiver that loses power sends nothing; this detects it in about ten seconds.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
# As long as receivers keep an idle session.
_ENDURANCE = (
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 60),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 120_000),
)
_RESET = ((socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),)
_READ_BYTES = 16_384
# How long a receiver may take to connect, and to answer.
STEP_S = 3.0
# How long a request waits for the one before it. A receiver that processes a picture
# must not delay the user's pause; it reads one request after the other. Nor may it
# play at a volume that is too high: a start takes half a second.
_PATIENCE_S = 0.4
# Requests of a receiver on this connection that ask whether we are there; no other is
# known to matter.
_QUESTIONS = ("OPTIONS", "GET_PARAMETER")


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A request that was sent; `extra` names one that sound does not need."""

    sequence: str
    extra: str | None
    answer: asyncio.Future[Response]


class Connection:
    """Exchanges requests and responses in order; one request at a time."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hosts: Sequence[str] = (),
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = ResponseParser()
        self._budget = TalkBudget()
        self._channel: EncryptedChannel | None = None
        self._waiting: deque[_Awaited] = deque()
        self._turn = asyncio.Lock()
        self._in_a_hurry = 0
        self._sequence = 0
        self._last_request = ""
        # How long the receiver took for its last answer.
        self.answer_s: float | None = None
        self._task = asyncio.create_task(self._read())
        self.closed: asyncio.Future[RaopError] = asyncio.Future()
        # Bounds all answers together until a start is over.
        self.patience: Patience | None = None
        # Whether the receiver closed it, over a working network.
        self.has_hung_up = False
        self.local = _address(writer, "sockname")
        self.remote = _address(writer, "peername")
        # The receiver's addresses, from each of which its packets may come.
        self.peers = peers_of(self.remote, hosts)

    @classmethod
    async def connect(
        cls, hosts: str | Sequence[str], port: int, *, timeout_s: float = CONNECT_S
    ) -> Connection:
        """Connect to a receiver's control port at one of its addresses; event loop.

        Raises ReceiverUnreachableError: see `open_first`.
        """
        known = (hosts,) if isinstance(hosts, str) else tuple(hosts)
        reader, writer = await open_first(known, port, timeout_s=timeout_s)
        _set(writer.get_extra_info("socket"), _KEEPALIVE)
        return cls(reader, writer, known)

    async def perform[T](
        self,
        handshake: Handshake[T],
        *,
        timeout_s: float | None = None,
        is_urgent: bool = True,
        extra: str | None = None,
    ) -> T:
        """Run a handshake; `timeout_s` limits the wait for each answer, else 3 s.

        A handshake that is not urgent yields to all others. `extra` is its name if sound
        does not need it; an error has it if the receiver ends the connection meanwhile.

        Raises ReceiverUnreachableError: no answer in time, or the connection is closed.
        Raises SlowReceiverError: the answers of a start take too long together.
        Raises RaopError: the handshake failed.
        """
        has_turn = await (self._take_turn() if is_urgent else self._take_last_turn())
        try:
            request = next(handshake)
            while True:
                answer = await self._exchange(request, timeout_s, extra)
                request = handshake.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
        except RaopError as err:
            err.request = err.request or self._last_request
            raise
        finally:
            handshake.close()
            if has_turn:
                self._turn.release()

    def encrypt(self, keys: ChannelKeys) -> None:
        """Encrypt both directions from now on; call it while no request is pending."""
        from ...auth.channel import EncryptedChannel

        self._channel = EncryptedChannel(keys)

    def endure(self) -> None:
        """Keep the connection through a silence of up to 2 minutes."""
        _set(self._writer.get_extra_info("socket"), _ENDURANCE)

    def quality(self) -> TcpQuality | None:
        """Return what the system has measured of the connection; None if it cannot."""
        return tcp_quality(self._writer.get_extra_info("socket"))

    def abort(self) -> None:
        """Close at once with a TCP reset.

        Unsent data would delay the end for the receiver, and some receivers accept no
        other sender until then.
        """
        _set(self._writer.get_extra_info("socket"), _RESET)
        self._writer.transport.abort()
        self.close()

    def close(self, reason: RaopError | None = None) -> None:
        """Close at once; pending requests fail with the reason."""
        self._task.cancel()
        closed = ReceiverUnreachableError("the connection was closed")
        if reason and not self.closed.done():
            # The audio connection of a receiver that ends all may be noticed first.
            reason.extra = reason.extra or self._pending_extra
        self._finish(reason or closed)

    async def _take_turn(self) -> bool:
        self._in_a_hurry += 1
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._turn.acquire()
        except TimeoutError:
            return False
        finally:
            self._in_a_hurry -= 1
        return True

    async def _take_last_turn(self) -> bool:
        await self._turn.acquire()
        while self._in_a_hurry:
            # The lock is fair, so this request queues behind those that wait now.
            self._turn.release()
            await self._turn.acquire()
        return True

    async def _exchange(
        self, request: Request, timeout_s: float | None, extra: str | None
    ) -> Response:
        if self.closed.done():
            raise ReceiverUnreachableError("the connection is closed")
        patience, limit_s = self.patience, STEP_S if timeout_s is None else timeout_s
        if patience:
            if patience.is_over:
                raise patience.error
            limit_s = min(limit_s, patience.left_s)
        self._sequence += 1
        self._last_request = _name_of(request)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Awaited(str(self._sequence), extra, answer))
        self._write(request.encode(self._sequence))
        _LOGGER.debug("%s %s", request.method, request.uri)
        sent_s = time.monotonic()
        try:
            async with asyncio.timeout(limit_s):
                response = await answer
        except TimeoutError as err:
            step = f"{request.method} {request.uri}"
            text = f"{request.method}: no answer within {limit_s:g} s"
            raise ReceiverUnreachableError(text, step=step) from err
        finally:
            if patience:
                patience.spend(request.method, time.monotonic() - sent_s)
        self.answer_s = time.monotonic() - sent_s
        _LOGGER.debug("%s: %d %s", request.method, response.status, response.reason)
        return response

    async def _read(self) -> None:
        end: RaopError
        end = closed = ReceiverUnreachableError("the receiver closed the connection")
        closed.is_early = True
        is_by_receiver = True
        try:
            while received := await self._reader.read(_READ_BYTES):
                self._budget.count_bytes(len(received), time.monotonic())
                if self._channel:
                    received = self._channel.feed(received)
                for message in self._parser.feed(received):
                    closed.is_early = False
                    await self._receive(message)
            self.has_hung_up = True
        except ReceiverProtocolError as err:
            end = err
        except OSError as err:
            end = ReceiverUnreachableError(f"the connection broke: {err.strerror}")
            is_by_receiver = isinstance(err, ConnectionError)
        if is_by_receiver:
            end.extra = self._pending_extra
        self._finish(end)

    def _write(self, message: bytes) -> None:
        self._writer.write(self._channel.encrypt(message) if self._channel else message)

    async def _receive(self, message: Response | Call) -> None:
        if isinstance(message, Response):
            self._deliver(message)
            return
        self._budget.count_call(time.monotonic())
        status = 200 if message.method in _QUESTIONS else 501
        _LOGGER.debug("%s from the receiver: %d", message.method, status)
        self._write(message.answer(status))
        # A receiver that asks without reading must not fill our memory.
        await self._writer.drain()

    def _deliver(self, response: Response) -> None:
        """Deliver a response to the oldest request, pending or timed out.

        Not by CSeq: some receivers answer with a wrong one (Reflector, Airfoil). But if
        it matches a later request, the timed-out requests before it get no answer.
        """
        if not self._waiting:
            raise ReceiverProtocolError("a response without a request")
        number = response.header("cseq")
        if number in [each.sequence for each in self._waiting]:
            while (first := self._waiting[0]).sequence != number:
                if not first.answer.done():
                    break
                self._waiting.popleft()
        answer = self._waiting.popleft().answer
        if not answer.done():
            answer.set_result(response)

    @property
    def _pending_extra(self) -> str | None:
        """The oldest request without an answer, if sound does not need it."""
        pending = (each for each in self._waiting if not each.answer.done())
        return first.extra if (first := next(pending, None)) else None

    def _finish(self, reason: RaopError) -> None:
        self._writer.close()
        if not self.closed.done():
            self.closed.set_result(reason)
        while self._waiting:
            answer = self._waiting.popleft().answer
            if not answer.done():
                answer.set_exception(reason)


def _name_of(request: Request) -> str:
    """Return the name of a request for people, without the number of its session."""
    is_path = request.uri.startswith("/")
    return f"{request.method} {request.uri}" if is_path else request.method


def _address(writer: asyncio.StreamWriter, which: str) -> str:
    """Return an address of the connection, with the scope if it is link-local."""
    name: tuple[str, int] | tuple[str, int, int, int] = writer.get_extra_info(which)
    host = name[0]
    if len(name) == 4 and name[3] and "%" not in host:
        return f"{host}%{socket.if_indextoname(name[3])}"
    return host


def _set(
    sock: socket.socket, options: tuple[tuple[int, int, int | bytes], ...]
) -> None:
    for level, option, value in options:
        try:
            sock.setsockopt(level, option, value)
        except OSError:
            continue
