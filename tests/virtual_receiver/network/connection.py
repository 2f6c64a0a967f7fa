"""One RTSP connection: bytes in, replies out, with the quirks of a bad one."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import socket
import struct
from typing import cast

from tests.virtual_receiver.clock import monotonic_ns
from tests.virtual_receiver.pairing import SecureChannel
from tests.virtual_receiver.quirks import Quirks, Reaction
from tests.virtual_receiver.raop.session import HANG_UP, Session, SessionState

from .rtsp import Request, RequestParser, Response, RtspError
from .udp import Address

_READ_BYTES = 65536
_HEADER_LIMIT = 1_000_000
GARBAGE = b"\x00\xff\xfe garbage \r\n\r\n"


class Connection:
    """Serve a sender until it or we close."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        quirks: Quirks,
        received: Callable[[Request], None],
        violation: Callable[[str], None],
        plugged: asyncio.Event,
        timed: Callable[[], Awaitable[None]],
        answered: Callable[[list[int]], None],
    ) -> None:
        """Accept a connection; `session` is set before it is served.

        `timed` waits until a timing request was answered.
        """
        self._reader = reader
        self._writer = writer
        self._quirks = quirks
        self._received = received
        self._violation = violation
        self._plugged = plugged
        self._timed = timed
        self._answered = answered
        self._drop_timer: asyncio.TimerHandle | None = None
        self._channel: SecureChannel | None = None
        self.session: Session
        self.version = "105.1"

    @property
    def local(self) -> Address:
        """Return our address, IPv6 scope included."""
        return cast(Address, self._writer.get_extra_info("sockname"))

    @property
    def peer(self) -> Address:
        """Return the sender's address, IPv6 scope included."""
        return cast(Address, self._writer.get_extra_info("peername"))

    async def serve(self) -> None:
        """Answer requests until the connection ends."""
        parser = RequestParser()
        try:
            while received := await self._reader.read(_READ_BYTES):
                if self._channel:
                    received = self._channel.open(received)
                for request in parser.feed(received, monotonic_ns()):
                    if not await self._exchange(request):
                        return
                self._answered(parser.answers)
        except RtspError as err:
            self._violation(f"RTSP: {err}")
            self._writer.write(Response(400, close=True).build(None))
        except ConnectionError:
            return
        finally:
            await self._finish()

    def close(self) -> None:
        """Close the connection from our side."""
        if self._drop_timer is not None:
            self._drop_timer.cancel()
        self.session.close()
        self._writer.close()

    def abort(self) -> None:
        """Break the connection with a reset; one that is closed already stays closed."""
        sock = self._writer.get_extra_info("socket")
        if sock.fileno() == -1:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.close()

    async def _finish(self) -> None:
        self.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    async def _exchange(self, request: Request) -> bool:
        """Handle one request; False when the connection is over."""
        await self._plugged.wait()
        self._received(request)
        quirks = self._quirks
        if quirks.drop_at in (request.method, request.uri):
            return False
        if reaction := quirks.react and quirks.react(request):
            await asyncio.sleep(reaction.late_s)
            if not reaction.late_s:
                return await self._react(request, reaction)
        if request.method == "SETUP":
            await asyncio.sleep(quirks.setup_delay_s)
        response = self.session.handle(request)
        if response is HANG_UP:
            return False
        if request.method == "RECORD" and quirks.drop_after_s is not None:
            loop = asyncio.get_running_loop()
            self._drop_timer = loop.call_later(quirks.drop_after_s, self.close)
        if request.method == "RECORD" and quirks.record_waits_for_time:
            await self._timed()
        await asyncio.sleep(quirks.reply_delay_s.get(request.method, 0.0))
        await self._plugged.wait()
        if self.session.answers(request):
            await self._reply(request, response)
        secret = self.session.secret
        if secret and self._channel is None:
            # the answer that ended the pairing was still plain
            self._channel = SecureChannel(secret)
        return not response.close and self.session.state is not SessionState.CLOSED

    async def _react(self, request: Request, reaction: Reaction) -> bool:
        """React without handling a request; False when the connection is over."""
        if reaction.is_garbage:
            self._writer.write(GARBAGE)
        elif reaction.status:
            await self._reply(request, Response(reaction.status))
        return not reaction.hangs_up

    async def _reply(self, request: Request, response: Response) -> None:
        quirks = self._quirks
        if quirks.applies(quirks.garbage_reply, request.method):
            self._writer.write(GARBAGE)
        elif quirks.applies(quirks.endless_headers, request.method):
            await self._write_endless_headers()
        else:
            reply = response.build(
                self._cseq(request), request.protocol, version=self.version
            )
            if quirks.rewrite:
                reply = quirks.rewrite(request.method, reply)
            await self._write(reply)
        await self._writer.drain()

    def _cseq(self, request: Request) -> str | None:
        cseq = request.headers.get("cseq")
        return f"{cseq}7" if self._quirks.wrong_cseq and cseq is not None else cseq

    async def _write(self, reply: bytes) -> None:
        if self._channel:
            reply = self._channel.seal(reply)
        if not self._quirks.byte_by_byte:
            self._writer.write(reply)
            return
        for byte in reply:
            self._writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async def _write_endless_headers(self) -> None:
        """Write headers until the sender hangs up."""
        self._writer.write(b"RTSP/1.0 200 OK\r\n")
        for number in range(_HEADER_LIMIT):
            self._writer.write(b"X-Header-%d: %s\r\n" % (number, b"x" * 1000))
            await self._writer.drain()
