"""RTSP requests as a receiver reads them, and the replies that it writes.

Pairing apps ask in HTTP on the same connection, and are answered in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re

HEAD_LIMIT_BYTES = 16 * 1024
BODY_LIMIT_BYTES = 8 * 1024 * 1024

_ANSWER_LINE = re.compile(r"RTSP/1\.0 ([0-9]{3}) [^\r\n]+")
_REQUEST_LINE = re.compile(r"([A-Z_]+) (\S+) (RTSP/1\.0|HTTP/1\.1)")
_HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    470: "Connection Authorization Required",
    500: "Internal Server Error",
    501: "Not Implemented",
    520: "Origin Error",
}


class RtspError(Exception):
    """The input is not an RTSP request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes = b""
    received_ns: int = 0
    protocol: str = "RTSP/1.0"

    @property
    def content_type(self) -> str:
        """Return the body's type without its parameters, or an empty text."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """One reply; the connection adds CSeq and Server."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    close: bool = False

    def build(
        self,
        cseq: str | None,
        protocol: str = "RTSP/1.0",
        *,
        version: str = "105.1",
    ) -> bytes:
        """Write the reply as it goes over the wire, by software of a version."""
        lines = [f"{protocol} {self.status} {_REASONS.get(self.status, 'Unknown')}"]
        if cseq is not None:
            lines.append(f"CSeq: {cseq}")
        lines.append(f"Server: AirTunes/{version}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class RequestParser:
    """Cut a stream of bytes into requests."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._buffer = bytearray()
        self.answers: list[int] = []
        """The statuses of the sender's answers to our own requests."""

    def feed(self, received: bytes, now_ns: int = 0) -> list[Request]:
        """Add more bytes and return the requests that are now complete."""
        self._buffer += received
        requests = []
        while (request := self._next(now_ns)) is not None:
            requests.append(request)
        return requests

    def _next(self, now_ns: int) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n", 0, HEAD_LIMIT_BYTES)
        if end < 0:
            if len(self._buffer) >= HEAD_LIMIT_BYTES:
                raise RtspError("request head too long")
            return None
        if self._buffer.startswith(b"RTSP/"):
            self.answers.append(parse_answer(bytes(self._buffer[:end])))
            del self._buffer[: end + 4]
            return self._next(now_ns)
        method, uri, protocol, headers = parse_head(bytes(self._buffer[:end]))
        size = _content_length(headers)
        if len(self._buffer) < end + 4 + size:
            return None
        body = bytes(self._buffer[end + 4 : end + 4 + size])
        del self._buffer[: end + 4 + size]
        return Request(method, uri, headers, body, now_ns, protocol)


def parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """Read request line and headers, which end without an empty line."""
    try:
        first, *lines = head.decode().split("\r\n")
    except UnicodeDecodeError as err:
        raise RtspError("request head is not UTF-8") from err
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise RtspError(f"not a request line: {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER_LINE.fullmatch(line)
        if header is None:
            raise RtspError(f"not a header line: {line[:80]!r}")
        name = header[1].lower()
        if name in headers:
            raise RtspError(f"header twice: {name}")
        headers[name] = header[2]
    return request_line[1], request_line[2], request_line[3], headers


def parse_answer(head: bytes) -> int:
    """Read the sender's answer, which has a number and no body; return its status."""
    first, *lines = head.decode().split("\r\n")
    status = _ANSWER_LINE.fullmatch(first)
    if status is None or sorted(lines) != ["CSeq: 4711", "Content-Length: 0"]:
        raise RtspError(f"not an answer: {head!r}")
    return int(status[1])


def _content_length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise RtspError(f"not a length: {text!r}")
    size = int(text)
    if size > BODY_LIMIT_BYTES:
        raise RtspError(f"body of {size} bytes")
    return size


def parse_parameters(text: str, separator: str) -> dict[str, str]:
    """Read `a=1;b=2` as used in Transport and RTP-Info; bare words are empty."""
    pairs = (part.partition("=") for part in text.split(separator) if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}
