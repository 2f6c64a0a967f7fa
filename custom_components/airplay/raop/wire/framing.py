"""Heads and bodies of RTSP messages, as receivers write them.

RFC 2326 and RFC 9112 with the habits of real receivers: bare line feeds, folded lines,
lines that are no header, chunked bodies. Everything is read once, and within limits.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
import re
from typing import override

from ..errors import ReceiverProtocolError

MAX_HEADERS = 64
MAX_BODY_BYTES = 1024 * 1024

_MAX_CHUNK_LINE_BYTES = 256
# Reading a chunk takes as long as reading hundreds of bytes, and must not hold the loop.
_MAX_CHUNKS = 4096
# Padding around a line; some receivers send the NUL at the end of their strings.
_PADDING = b" \t\r\0"
_FORBIDDEN = re.compile(rb"[\r\0]")
_LENGTH = re.compile(r"[0-9]{1,9}")
_CHUNK_BYTES = re.compile(rb"[0-9A-Fa-f]{1,8}")


def split_head(head: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the first line of a head, and its headers with names in lower case.

    Raises ReceiverProtocolError: there are too many headers, or one could not be
    returned to the receiver.
    """
    first, *lines = head.split(b"\n")
    if len(lines) > MAX_HEADERS:
        raise ReceiverProtocolError("the message has too many headers")
    return _cleaned(first), parse_headers(lines)


def parse_headers(lines: list[bytes]) -> dict[str, str]:
    """Collect headers; repeated ones are joined, as RFC 2616 §4.2 allows.

    A line that begins with a space continues the one before it. Lines without a name
    and a colon have no meaning, and are ignored.

    Raises ReceiverProtocolError: a line has control characters.
    """
    headers: dict[str, str] = {}
    # The header that a folded line continues; none continues the first line.
    key: str | None = None
    may_fold = False
    for line in lines:
        text = decoded(_cleaned(line))
        if may_fold and line[:1] in (b" ", b"\t"):
            if key is not None:
                headers[key] = f"{headers[key]} {text}".strip()
            continue
        name, _, value = text.partition(":")
        key = (name.strip().lower() or None) if ":" in text else None
        may_fold = True
        if key is not None:
            value = value.strip()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


class Body(ABC):
    """The body of one message, taken from the front of a connection's bytes."""

    @abstractmethod
    def take(self, buffer: bytearray) -> bytes | None:
        """Remove what belongs to the body; return the body once it is complete.

        Raises ReceiverProtocolError: it is malformed, or too long.
        """


class PlainBody(Body):
    """A body of a known length."""

    def __init__(self, length_bytes: int) -> None:
        self.length_bytes = length_bytes

    @override
    def take(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < self.length_bytes:
            return None
        body = bytes(buffer[: self.length_bytes])
        del buffer[: self.length_bytes]
        return body


class ChunkedBody(Body):
    """A body in chunks, each after its length (RFC 9112 §7.1)."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._missing_bytes = 0
        self._chunks = 0
        self._is_in_chunk = False
        self._trailers: int | None = None

    @override
    def take(self, buffer: bytearray) -> bytes | None:
        while True:
            part = buffer[: self._missing_bytes]
            del buffer[: len(part)]
            self._body += part
            self._missing_bytes -= len(part)
            if self._missing_bytes or (line := _line(buffer)) is None:
                return None
            if self._trailers is not None:
                if not line:
                    return bytes(self._body)
                self._count_trailer()
            elif self._is_in_chunk:
                self._end_chunk(line)
            else:
                self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        size = line.partition(b";")[0].strip(_PADDING)
        if not _CHUNK_BYTES.fullmatch(size):
            raise ReceiverProtocolError(f"not the length of a chunk: {line[:80]!r}")
        self._missing_bytes = int(size, 16)
        if len(self._body) + self._missing_bytes > MAX_BODY_BYTES:
            raise ReceiverProtocolError(f"a chunk is too long: {line[:80]!r}")
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            raise ReceiverProtocolError("the body has too many chunks")
        if self._missing_bytes:
            self._is_in_chunk = True
        else:
            self._trailers = 0

    def _end_chunk(self, line: bytes) -> None:
        if line:
            text = f"a chunk is longer than announced: {line[:80]!r}"
            raise ReceiverProtocolError(text)
        self._is_in_chunk = False

    def _count_trailer(self) -> None:
        self._trailers = (self._trailers or 0) + 1
        if self._trailers > MAX_HEADERS:
            raise ReceiverProtocolError("the message has too many headers")


def body_of(headers: Mapping[str, str]) -> Body:
    """Return how the body after a head is read.

    A transfer encoding counts more than a length (RFC 9112 §6.3).

    Raises ReceiverProtocolError: the headers contradict each other, or make no sense.
    """
    coding = headers.get("transfer-encoding", "identity").lower()
    if coding == "chunked":
        return ChunkedBody()
    if coding not in ("", "identity"):
        text = f"not a known encoding: Transfer-Encoding: {coding[:80]!r}"
        raise ReceiverProtocolError(text)
    said = headers.get("content-length", "")
    lengths = {text.strip().lstrip("0") or "0" for text in said.split(",")}
    length = lengths.pop()
    is_length = not lengths and _LENGTH.fullmatch(length)
    if not is_length or int(length) > MAX_BODY_BYTES:
        text = f"not a body length: Content-Length: {said[:80]!r}"
        raise ReceiverProtocolError(text)
    return PlainBody(int(length))


def decoded(raw: bytes) -> str:
    """Return bytes as text; receivers use UTF-8, and little else than ASCII."""
    return raw.decode(errors="replace").strip()


def _cleaned(line: bytes) -> bytes:
    cleaned = line.strip(_PADDING)
    if _FORBIDDEN.search(cleaned):
        # Our requests return headers to the receiver, and refuse these.
        text = f"the message has control characters in its head: {line[:80]!r}"
        raise ReceiverProtocolError(text)
    return cleaned


def _line(buffer: bytearray) -> bytes | None:
    """Remove one line; return it without its end, or None if it is incomplete."""
    end = buffer.find(b"\n", 0, _MAX_CHUNK_LINE_BYTES)
    if end < 0:
        if len(buffer) >= _MAX_CHUNK_LINE_BYTES:
            text = f"a line of a chunked body is too long: {bytes(buffer[:80])!r}"
            raise ReceiverProtocolError(text)
        return None
    line = bytes(buffer[:end]).strip(_PADDING)
    del buffer[: end + 1]
    return line
