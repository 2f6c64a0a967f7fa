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

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 64
MAX_BODY_BYTES = 1024 * 1024

_FORBIDDEN = re.compile(r"[\r\n\0]")
_FORBIDDEN_IN_LINE = re.compile(rb"[\r\0]")
_HEAD_END = re.compile(rb"\n\r?\n")
_CALL_LINE = re.compile(rb"([A-Z_]{1,32})[ \t]+([\x21-\x7e]{1,1024})[ \t]+\S{1,16}")
_STATUS_LINE = re.compile(rb"(?:RTSP/1\.0|HTTP/1\.[01])[ \t]+([1-9]\d\d)(?:[ \t](.*))?")
_BODY_LENGTH = re.compile(r"[0-9]{1,9}")
_PORT = re.compile(r"[0-9]{1,5}")


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

    def answer(self) -> bytes:
        """Write the acknowledgment, with the request's number if it has one."""
        number = self.headers.get("cseq")
        cseq = f"CSeq: {number}\r\n" if number else ""
        return f"RTSP/1.0 200 OK\r\n{cseq}Content-Length: 0\r\n\r\n".encode()


class MessageParser[M: (Response, Call)](ABC):
    """Splits the bytes of a connection into messages."""

    def __init__(self) -> None:
        """Start at the beginning of a connection."""
        self._buffer = bytearray()
        self._head: M | None = None
        self._body_length = 0

    @property
    def is_empty(self) -> bool:
        """Whether no incomplete message is buffered."""
        return self._head is None and not self._buffer

    def feed(self, data: bytes) -> list[M]:
        """Add received bytes and return the messages that are complete now.

        Raises ReceiverProtocolError: it is not a message, or too long.
        """
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    @abstractmethod
    def _parse_head(self, head: bytes) -> M:
        """Parse everything before the body."""

    def _next(self) -> M | None:
        if self._head is None:
            self._read_head()
        if self._head is None or len(self._buffer) < self._body_length:
            return None
        body = bytes(self._buffer[: self._body_length])
        del self._buffer[: self._body_length]
        head, self._head = self._head, None
        return replace(head, body=body)

    def _read_head(self) -> None:
        # Some receivers end a body with line ends beyond its length.
        self._buffer = self._buffer.lstrip(b"\r\n")
        end = _HEAD_END.search(self._buffer)
        if (end.end() if end else len(self._buffer)) > MAX_HEAD_BYTES:
            raise ReceiverProtocolError("the head of the message is too long")
        if end is None:
            return
        head = self._parse_head(bytes(self._buffer[: end.start()]))
        self._body_length = _body_length(head.headers)
        self._head = head
        del self._buffer[: end.end()]


class ResponseParser(MessageParser[Response]):
    """Splits the bytes of a control connection into responses."""

    @override
    def _parse_head(self, head: bytes) -> Response:
        status_line, headers = _split_head(head)
        status = _STATUS_LINE.fullmatch(status_line)
        if status is None:
            raise ReceiverProtocolError(f"not a status line: {status_line[:80]!r}")
        return Response(int(status[1]), _text(status[2] or b""), headers)


class CallParser(MessageParser[Call]):
    """Splits the bytes of an event channel into the receiver's requests."""

    @override
    def _parse_head(self, head: bytes) -> Call:
        request_line, headers = _split_head(head)
        call = _CALL_LINE.fullmatch(request_line)
        if call is None:
            raise ReceiverProtocolError(f"not a request line: {request_line[:80]!r}")
        return Call(_text(call[1]), _text(call[2]), headers)


def parse_transport(value: str) -> dict[str, str]:
    """Split a Transport header; its fields have any order, some have no value."""
    fields = (field.partition("=") for field in value.split(";"))
    return {key.strip().lower(): text.strip() for key, _, text in fields}


def transport_port(fields: Mapping[str, str], key: str) -> int | None:
    """Return a port of a Transport header, or None if the receiver names none.

    Raises ReceiverProtocolError: the value is not a port.
    """
    text = fields.get(key)
    if text is None:
        return None
    if not _PORT.fullmatch(text) or int(text) > 0xFFFF:
        raise ReceiverProtocolError(f"{key} of the transport is not a port: {text!r}")
    return int(text)


def _split_head(head: bytes) -> tuple[bytes, dict[str, str]]:
    first, *lines = (line.removesuffix(b"\r") for line in head.split(b"\n"))
    if any(_FORBIDDEN_IN_LINE.search(line) for line in (first, *lines)):
        # Our requests return headers to the receiver, and refuse these.
        raise ReceiverProtocolError("the message has control characters in its head")
    if len(lines) > MAX_HEADERS:
        raise ReceiverProtocolError("the message has too many headers")
    return first, _parse_headers(lines)


def _parse_headers(lines: list[bytes]) -> dict[str, str]:
    """Collect headers; repeated ones are joined, as RFC 2616 §4.2 allows."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        key = _text(name).lower()
        if not (colon and key):
            raise ReceiverProtocolError(f"not a header: {line[:80]!r}")
        said = headers.get(key)
        headers[key] = _text(value) if said is None else f"{said}, {_text(value)}"
    return headers


def _body_length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length") or "0"
    if not _BODY_LENGTH.fullmatch(text) or int(text) > MAX_BODY_BYTES:
        raise ReceiverProtocolError(f"not a body length: {text[:80]!r}")
    return int(text)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").strip()
