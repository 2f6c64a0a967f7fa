"""The channel on which a receiver asks its sender."""

import asyncio
from collections.abc import Callable, Mapping
import re

from tests.virtual_receiver.network.rtsp import HEAD_LIMIT_BYTES, RtspError
from tests.virtual_receiver.network.udp import Address
from tests.virtual_receiver.pairing import SecureChannel

from .bodies import CONTENT_TYPE, build
from .tcp_port import OPEN, Door, TcpPort

_READ_BYTES = 65536
_REPLY = re.compile(rb"RTSP/1\.0 (\d{3})[^\r\n]*((?:\r\n[^\r\n]+)*)\r\n\r\n")
_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d{1,9})\s*$")


class EventChannel:
    """Send requests to the sender, and read its answers."""

    def __init__(
        self,
        local: Address,
        peer: Address,
        secret: bytes,
        greeting: Mapping[str, object] | None,
        violation: Callable[[str], None],
        changed: Callable[[], None],
        door: Door = OPEN,
    ) -> None:
        """Listen; send `greeting` as updateInfo on each connection."""
        self._secret = secret
        self._greeting = greeting
        self._violation = violation
        self._changed = changed
        self._channel: SecureChannel | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._cseq = 0
        self.connections = 0
        self.replies: list[int] = []
        """The status of each answer."""
        self.asked = 0
        """How much was asked that wants an answer."""
        self.tcp_port = TcpPort(
            local, peer, self._serve, lambda: violation("events of a stranger"), door
        )

    @property
    def is_open(self) -> bool:
        """Return whether the sender is connected."""
        return self._writer is not None

    def tell(self, kind: str, value: object, *, with_cseq: bool = True) -> None:
        """Send `POST /command`; RuntimeError while no sender is connected."""
        if self._writer is None or self._channel is None:
            raise RuntimeError("the event channel is not open")
        body = build({"type": kind, "value": value})
        lines = ["POST /command RTSP/1.0"]
        if with_cseq:
            self._cseq += 1
            lines.append(f"CSeq: {self._cseq}")
        lines += [f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {len(body)}"]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        self._writer.write(self._channel.seal(request))
        self.asked += 1

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self._writer = writer
        # each connection begins to count its frames anew
        channel = self._channel = SecureChannel(self._secret, is_event=True)
        try:
            # measured: at once, and without CSeq
            if self._greeting is not None:
                self.tell("updateInfo", self._greeting, with_cseq=False)
            self._changed()
            received = b""
            while sealed := await reader.read(_READ_BYTES):
                received = self._read(received + channel.open(sealed))
        except RtspError as err:
            self._violation(f"events: {err}")
        finally:
            self._writer = None
            self._changed()

    def _read(self, received: bytes) -> bytes:
        """Store the complete answers and return the rest."""
        while (reply := _REPLY.match(received)) is not None:
            length = _LENGTH.search(reply[2])
            end = reply.end() + (int(length[1]) if length else 0)
            if len(received) < end:
                break
            self.replies.append(int(reply[1]))
            received = received[end:]
            self._changed()
        if len(received) > HEAD_LIMIT_BYTES:
            raise RtspError("not an answer")
        return received
