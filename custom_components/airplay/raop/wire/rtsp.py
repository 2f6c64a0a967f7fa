"""RTSP requests and responses on AirPlay's control connections.

Formats: RFC 2326 with the habits of real receivers (line ends, key case, missing
reasons); limits keep a hostile receiver from filling memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
import re
from typing import override

from ..errors import ReceiverProtocolError
from .framing import (
    MAX_BODY_BYTES,
    MAX_HEADERS,
    Body,
    PlainBody,
    body_of,
    decoded,
    split_head,
)

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_HEADERS",
    "MAX_HEAD_BYTES",
    "MAX_NOISE_BYTES",
    "Call",
    "CallParser",
    "MessageParser",
    "Request",
    "Response",
    "ResponseParser",
    "parse_transport",
    "transport_port",
    "transport_ports",
]

MAX_HEAD_BYTES = 16 * 1024
# What may come between two messages: line ends, NULs, binary frames, interim answers.
MAX_NOISE_BYTES = 256 * 1024

_FORBIDDEN = re.compile(r"[\r\n\0]")
_HEAD_END = re.compile(rb"\n\r?\n")
_PADDING = re.compile(rb"[\r\n\0 \t]*")
_CALL_LINE = re.compile(rb"([A-Z_]{1,32})[ \t]+([\x21-\x7e]{1,1024})[ \t]+\S{1,16}")
_STATUS_LINE = re.compile(
    rb"(?:RTSP/[12]\.[0-9]|HTTP/1\.[01])[ \t]+([1-9]\d\d)(?!\d)(.*)", re.IGNORECASE
)
_PROTOCOLS = (b"RTSP/", b"HTTP/")
_REASONS = {200: "OK", 501: "Not Implemented"}
_INTERIM = range(100, 200)
# Answers without a body, whatever their headers announce (RFC 2326 §4.4).
_BODILESS = (*_INTERIM, 204, 304)
_FRAME_MARK = b"$"
_FRAME_HEAD_BYTES = 4
_PORTS = re.compile(r"([0-9]{1,5})(?:[ \t]*-[ \t]*([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a receiver, without the number that its connection assigns."""

    method: str
    uri: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str | None = None

    def with_headers(self, *pairs: tuple[str, str]) -> Request:
        """Return the request with more headers appended."""
        return replace(self, headers=self.headers + pairs)

    def encode(self, cseq: int) -> bytes:
        """Write the request with the number that its connection assigns.

        Raises ValueError: a value contains a line end.
        """
        headers = [("CSeq", str(cseq)), *self.headers]
        if self.body:
            if self.content_type is not None:
                headers.append(("Content-Type", self.content_type))
            headers.append(("Content-Length", str(len(self.body))))
        lines = [
            f"{self.method} {self.uri} RTSP/1.0",
            *(f"{name}: {value}" for name, value in headers),
        ]
        for line in lines:
            if _FORBIDDEN.search(line):
                raise ValueError(f"a line of the request contains a line end: {line!r}")
        return "\r\n".join((*lines, "", "")).encode() + self.body


@dataclass(frozen=True, slots=True)
class Response:
    """A receiver's answer; header names are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case, or None."""
        return self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class Call:
    """A request from a receiver; header names are in lower case."""

    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes = b""

    def answer(self, status: int = 200) -> bytes:
        """Write an answer without a body, with the request's number if it has one."""
        number = self.headers.get("cseq")
        cseq = f"CSeq: {number}\r\n" if number else ""
        line = f"RTSP/1.0 {status} {_REASONS[status]}"
        return f"{line}\r\n{cseq}Content-Length: 0\r\n\r\n".encode()


class MessageParser[M: Response | Call](ABC):
    """Splits the bytes of a connection into messages.

    Between messages it ignores line ends and NULs, and binary frames of channels that
    nobody opened (RFC 2326 §10.12). Interim answers (1xx) are dropped.
    """

    def __init__(self) -> None:
        """Start at the beginning of a connection."""
        self._buffer = bytearray()
        # How far the buffer has been searched for the end of the head.
        self._searched = 0
        self._head: M | None = None
        self._body: Body = PlainBody(0)
        self._noise_bytes = 0
        # The rest of a frame, and of a body that may not exist.
        self._skipped_bytes = 0
        self._doubtful_bytes = 0

    def feed(self, data: bytes) -> list[M]:
        """Add received bytes and return the messages that are complete now.

        Raises ReceiverProtocolError: it is not a message, or too long; the text has the
        line.
        """
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            if isinstance(message, Response) and message.status in _INTERIM:
                continue
            self._noise_bytes = 0
            messages.append(message)
        return messages

    @abstractmethod
    def _parse_head(self, head: bytes) -> M:
        """Parse everything before the body."""

    def _next(self) -> M | None:
        if self._head is None and self._skip_noise():
            self._read_head()
        if self._head is None or (body := self._body.take(self._buffer)) is None:
            return None
        head, self._head = self._head, None
        return replace(head, body=body)

    def _read_head(self) -> None:
        end = _HEAD_END.search(self._buffer, max(0, self._searched - 2))
        if (end.end() if end else len(self._buffer)) > MAX_HEAD_BYTES:
            begin = bytes(self._buffer[:80])
            text = f"the head of the message is too long: {begin!r}"
            raise ReceiverProtocolError(text)
        if end is None:
            self._searched = len(self._buffer)
            return
        head = self._parse_head(bytes(self._buffer[: end.start()]))
        del self._buffer[: end.end()]
        self._searched = 0
        self._body = body_of(head.headers)
        if isinstance(head, Response) and head.status in _BODILESS:
            if isinstance(self._body, PlainBody):
                self._doubtful_bytes = self._body.length_bytes
            self._body = PlainBody(0)
            self._count_noise(end.end())
        self._head = head

    def _skip_noise(self) -> bool:
        """Drop everything before a message; return whether one begins."""
        while self._buffer:
            if self._skipped_bytes:
                dropped = min(self._skipped_bytes, len(self._buffer))
                del self._buffer[:dropped]
                self._skipped_bytes -= dropped
                continue
            noise_bytes = self._noise_ahead()
            if noise_bytes is None:
                return False
            if noise_bytes == 0:
                return True
            self._count_noise(noise_bytes)
            self._skipped_bytes = noise_bytes
        return False

    def _noise_ahead(self) -> int | None:
        """Return the length of the noise that begins here; None if it is not clear."""
        start = bytes(self._buffer[: len(_PROTOCOLS[0])])
        padding = _PADDING.match(self._buffer)
        if padding and padding.end():
            self._doubtful_bytes = max(0, self._doubtful_bytes - padding.end())
            return padding.end()
        if self._doubtful_bytes:
            if any(each.startswith(start.upper()) for each in _PROTOCOLS):
                if len(start) < len(_PROTOCOLS[0]):
                    return None
                self._doubtful_bytes = 0
            doubtful_bytes, self._doubtful_bytes = self._doubtful_bytes, 0
            return doubtful_bytes
        if start.startswith(_FRAME_MARK):
            if len(start) < _FRAME_HEAD_BYTES:
                return None
            return _FRAME_HEAD_BYTES + int.from_bytes(start[2:_FRAME_HEAD_BYTES])
        return 0

    def _count_noise(self, noise_bytes: int) -> None:
        self._noise_bytes += noise_bytes
        if self._noise_bytes > MAX_NOISE_BYTES:
            begin = bytes(self._buffer[:80])
            raise ReceiverProtocolError(f"bytes that are no message: {begin!r}")


class ResponseParser(MessageParser[Response | Call]):
    """Splits the bytes of a control connection into responses.

    Receivers may also send requests there.
    """

    @override
    def _parse_head(self, head: bytes) -> Response | Call:
        line, headers = split_head(head)
        if status := _STATUS_LINE.fullmatch(line):
            return Response(int(status[1]), decoded(status[2]), headers)
        if call := _CALL_LINE.fullmatch(line):
            return Call(decoded(call[1]), decoded(call[2]), headers)
        raise ReceiverProtocolError(f"not a status line: {line[:80]!r}")


class CallParser(MessageParser[Call]):
    """Splits the bytes of an event channel into the receiver's requests."""

    @override
    def _parse_head(self, head: bytes) -> Call:
        line, headers = split_head(head)
        call = _CALL_LINE.fullmatch(line)
        if call is None:
            raise ReceiverProtocolError(f"not a request line: {line[:80]!r}")
        return Call(decoded(call[1]), decoded(call[2]), headers)


def parse_transport(value: str) -> dict[str, str]:
    """Split a Transport header; its fields have any order, some have no value.

    Values may be in quotes. Of fields with the same name the first counts, so of
    several transports the one that the receiver prefers.
    """
    fields: dict[str, str] = {}
    for field in _split(value):
        key, _, text = field.partition("=")
        fields.setdefault(key.strip().lower(), text.strip().strip('"').strip())
    return fields


def transport_port(fields: Mapping[str, str], key: str) -> int | None:
    """Return a port of a Transport header, or None if the receiver names none.

    Raises ReceiverProtocolError: the value is not a port.
    """
    return next(iter(transport_ports(fields, key)), None)


def transport_ports(fields: Mapping[str, str], key: str) -> tuple[int, ...]:
    """Return both ports of a range, one port, or none.

    Raises ReceiverProtocolError: the value is not a port or a range of ports.
    """
    text = fields.get(key)
    if text is None:
        return ()
    found = _PORTS.fullmatch(text)
    ports = tuple(int(port) for port in found.groups() if port) if found else ()
    if not ports or max(ports) > 0xFFFF:
        text = f"{key} of the transport is not a port: {text[:80]!r}"
        raise ReceiverProtocolError(text)
    return ports


def _split(value: str) -> list[str]:
    """Split at commas and semicolons that are not in quotes."""
    pieces = value.split('"')
    pieces[::2] = [re.sub("[;,]", "\0", piece) for piece in pieces[::2]]
    return '"'.join(pieces).split("\0")
