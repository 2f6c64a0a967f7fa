"""One HTTP request per connection, as receivers and remote apps send it.

RFC 9112 without chunked bodies, with the habits of real receivers: HTTP/1.0, bare
line feeds, absolute targets (iTunes), POST for commands. Everything else is refused,
and no input makes the parser hold more than its limits.

Anyone may connect. So the only proof that a request has, the number of a session, is
looked at before anything else of it is parsed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re
from urllib.parse import parse_qsl, unquote

from ..errors import ReceiverProtocolError

MAX_HEAD_BYTES = 8 * 1024
MAX_HEADERS = 32
MAX_BODY_BYTES = 4 * 1024
MAX_FIELDS = 32

_HEAD_END = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"(GET|POST|PUT|HEAD) ([\x21-\x7e]+) HTTP/1\.[01]")
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\0\r]*)")
_ACTIVE_REMOTE = re.compile(rb"^active-remote:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_AUTHORITY = re.compile(r"(?:http|daap)://[^/?]*", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,6}")
_REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; header names are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""


class NotAdmittedError(Exception):
    """The request has no valid number of a session."""


class RequestParser:
    """Collects the bytes of a connection until its one request is complete."""

    def __init__(self, admits: Callable[[str], bool] = lambda _: True) -> None:
        """Start at the beginning of a connection.

        `admits` gets the value of Active-Remote, which is empty without that header.
        """
        self._admits = admits
        self._buffer = bytearray()
        self._skipped_bytes = 0
        # How far the buffer has been searched for the end of the head.
        self._searched = 0
        self._head: tuple[HttpRequest, int] | None = None

    def feed(self, data: bytes) -> HttpRequest | None:
        """Add received bytes; return the request once it is complete.

        Raises NotAdmittedError: the request is not admitted.
        Raises ReceiverProtocolError: it is not a request, or too long.
        """
        # Hold at most the longest request; bytes after a request are ignored.
        room = MAX_HEAD_BYTES + MAX_BODY_BYTES + 1 - len(self._buffer)
        self._buffer += data[:room]
        if self._head is None:
            self._read_head()
        if self._head is None:
            return None
        head, length = self._head
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        return HttpRequest(head.method, head.path, head.query, head.headers, body)

    def _read_head(self) -> None:
        self._skip_line_ends()
        end = _HEAD_END.search(self._buffer, max(0, self._searched - 2))
        size = end.end() if end else len(self._buffer)
        if self._skipped_bytes + size > MAX_HEAD_BYTES:
            raise ReceiverProtocolError("the head of the request is too long")
        if end is None:
            self._searched = len(self._buffer)
            return
        raw = bytes(self._buffer[: end.start()])
        if not self._admits(_active_remote(raw)):
            raise NotAdmittedError
        head = parse_head(raw)
        del self._buffer[: end.end()]
        self._head = head, _body_length(head)

    def _skip_line_ends(self) -> None:
        """Drop line ends before a request, each once."""
        if self._buffer.startswith((b"\r", b"\n")):
            kept = self._buffer.lstrip(b"\r\n")
            self._skipped_bytes += len(self._buffer) - len(kept)
            self._buffer = kept


def parse_head(head: bytes) -> HttpRequest:
    """Parse everything before the body.

    Raises ReceiverProtocolError: the request line or a header is malformed, a header is
    repeated, or there are too many.
    """
    first, *lines = (line.removesuffix(b"\r") for line in head.split(b"\n"))
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise ReceiverProtocolError(f"not a request line: {first[:80]!r}")
    if len(lines) > MAX_HEADERS:
        raise ReceiverProtocolError("the request has too many headers")
    method, target = (word.decode("ascii") for word in request_line.groups())
    path, query = _split(target)
    return HttpRequest(method, path, query, _headers(lines))


def encode_response(
    status: int, body: bytes = b"", content_type: str = "application/x-dmap-tagged"
) -> bytes:
    """Write a response after which the connection is closed."""
    return (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "DAAP-Server: iTunes/11.0.4 (Windows; N)\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body


def _active_remote(head: bytes) -> str:
    """Return the first value of Active-Remote; `parse_head` refuses repeated ones."""
    found = _ACTIVE_REMOTE.search(head)
    return found[1].decode(errors="replace") if found else ""


def _split(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    plain = _AUTHORITY.sub("", target, count=1) if target[:1] != "/" else target
    path, _, query = plain.partition("?")
    if path[:1] != "/":
        raise ReceiverProtocolError(f"not a path: {target[:80]!r}")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as err:
        raise ReceiverProtocolError("the request has too many fields") from err
    return unquote(path), tuple(pairs)


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        parts = _HEADER_LINE.fullmatch(line)
        if parts is None:
            raise ReceiverProtocolError(f"not a header: {line[:80]!r}")
        name = parts[1].decode("ascii").lower()
        if name in headers:
            # Another parser on the path could choose the other value.
            raise ReceiverProtocolError(f"{name} is repeated")
        headers[name] = parts[2].strip(b" \t").decode(errors="replace")
    return headers


def _body_length(head: HttpRequest) -> int:
    if "transfer-encoding" in head.headers:
        coding = head.headers["transfer-encoding"]
        text = f"chunked bodies are not supported: {coding[:80]!r}"
        raise ReceiverProtocolError(text)
    text = head.headers.get("content-length", "0")
    if not _LENGTH.fullmatch(text) or int(text) > MAX_BODY_BYTES:
        raise ReceiverProtocolError(f"not a body length: {text[:80]!r}")
    return int(text)
