"""Ways in which receivers write their replies, as functions from bytes to bytes.

Each is a `rewrite` of the quirks: it gets the method of the request, and the reply.
"""

from collections.abc import Callable
import plistlib
import re

type Rewrite = Callable[[str, bytes], bytes]

# Requests of the receiver itself; a sender repeats their number.
_PING = b"OPTIONS * RTSP/1.0\r\nCSeq: 4711\r\n\r\n"
_COMMAND = b"POST /command RTSP/1.0\r\nCSeq: 4711\r\nContent-Length: 4\r\n\r\nplay"
_FRAME = b"$\1\0\x0bRTSP/1.0 20"
_INTERIM = b"RTSP/1.0 100 Continue\r\nContent-Length: 3\r\n\r\n"
_LENGTH = re.compile(rb"Content-Length: \d+\r\n")
_BINARY = b"bplist00"


def _apart(reply: bytes) -> tuple[bytes, bytes, bytes]:
    """Return first line, headers, and body; both heads end with a line end."""
    head, _, body = reply.partition(b"\r\n\r\n")
    first, _, headers = (head + b"\r\n").partition(b"\r\n")
    return first + b"\r\n", headers, body


def with_lines(reply: bytes, *lines: bytes) -> bytes:
    """Return a reply with more lines in its head, as they are."""
    first, headers, body = _apart(reply)
    return first + headers + b"".join(lines) + b"\r\n" + body


def with_body(reply: bytes, body: bytes) -> bytes:
    """Return a reply with another body."""
    first, headers, _ = _apart(_LENGTH.sub(b"", reply))
    return first + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _folded(_: str, reply: bytes) -> bytes:
    first, headers, body = _apart(reply)
    return first + headers.replace(b": ", b":\r\n \t ") + b"\r\n" + body


def _length_twice(_: str, reply: bytes) -> bytes:
    return _LENGTH.sub(lambda found: found[0] * 2, reply)


def _chunked(_: str, reply: bytes) -> bytes:
    first, headers, body = _apart(_LENGTH.sub(b"", reply))
    half = len(body) // 2
    chunks = [
        b"%X;x=y\r\n%b\r\n" % (len(each), each)
        for each in (body[:half], body[half:])
        if each
    ]
    coding = b"Transfer-Encoding: chunked\r\n\r\n"
    return first + headers + coding + b"".join(chunks) + b"0\r\n\r\n"


def _line_feeds(_: str, reply: bytes) -> bytes:
    first, headers, body = _apart(reply)
    return (first + headers + b"\r\n").replace(b"\r\n", b"\n") + body


def _shouted(_: str, reply: bytes) -> bytes:
    first, headers, body = _apart(reply)
    names = re.sub(rb"(?m)^[^:]+", lambda found: found[0].upper() + b" ", headers)
    return first + names + b"\r\n" + body


def _nul(_: str, reply: bytes) -> bytes:
    first, headers, body = _apart(reply)
    return b"\0" + first + headers.replace(b"\r\n", b"\0\r\n") + b"\r\n" + body + b"\0"


def _asking(method: str, reply: bytes) -> bytes:
    if method == "POST":
        # The answers would meet the beginning of the encryption.
        return reply
    return _PING + _COMMAND + reply + _PING


def _ports(template: bytes) -> Rewrite:
    def rewrite(_: str, reply: bytes) -> bytes:
        return re.sub(rb"(\w+_port)=(\d+)", template, reply)

    return rewrite


def of_list(change: Callable[[dict[str, object]], bytes]) -> Rewrite:
    """Change the property list in a reply."""

    def rewrite(_: str, reply: bytes) -> bytes:
        first, headers, body = _apart(reply)
        if not body.startswith(_BINARY):
            return reply
        changed = change(plistlib.loads(body))
        length = b"Content-Length: %d\r\n" % len(changed)
        return first + _LENGTH.sub(length, headers) + b"\r\n" + changed

    return rewrite


def _binary(table: dict[str, object]) -> bytes:
    return plistlib.dumps(table, fmt=plistlib.FMT_BINARY)


def _another_first(table: dict[str, object]) -> bytes:
    if isinstance(streams := table.get("streams"), list):
        table["streams"] = [{"type": 130, "dataPort": 9, "controlPort": 9}, *streams]
    return _binary(table)


def _as_text(table: object) -> object:
    if isinstance(table, list):
        return [_as_text(each) for each in table]
    if isinstance(table, dict):
        return {
            key: str(value) if key.endswith("Port") else _as_text(value)
            for key, value in table.items()
        }
    return table


def _ports_as_text(table: dict[str, object]) -> bytes:
    changed = _as_text(table)
    assert isinstance(changed, dict)
    return _binary(changed)


HABITS: dict[str, Rewrite] = {
    "folded headers": _folded,
    "lines without a colon": lambda _, reply: with_lines(
        reply, b"Audio Jack\r\n", b" on\r\n"
    ),
    "Content-Length twice": _length_twice,
    "chunked bodies": _chunked,
    "interim answers": lambda _, reply: _INTERIM * 2 + reply,
    "interim answers with a body": lambda _, reply: _INTERIM + b"abc" + reply,
    "RTSP/2.0": lambda _, reply: reply.replace(b"RTSP/1.0", b"RTSP/2.0", 1),
    "requests of its own": _asking,
    "NULs": _nul,
    "binary frames": lambda _, reply: _FRAME + reply + _FRAME,
    "line feeds": _line_feeds,
    "shouted headers": _shouted,
    "no number": lambda _, reply: re.sub(rb"CSeq: .*\r\n", b"", reply),
    "empty lines": lambda _, reply: b"\r\n" + reply + b"\r\n\r\n",
}
"""Habits of any reply."""

TRANSPORTS: dict[str, Rewrite] = {
    "ports in quotes": _ports(rb'\1="\2"'),
    "ranges of ports": _ports(rb"\1=\2-\2"),
    "spaces around ports": _ports(rb" \1 = \2 "),
}
"""Habits of the Transport header, for AirPlay 1."""

LISTS: dict[str, Rewrite] = {
    "XML": of_list(plistlib.dumps),
    "another stream first": of_list(_another_first),
    "ports as text": of_list(_ports_as_text),
}
"""Habits of property lists, for AirPlay 2."""
