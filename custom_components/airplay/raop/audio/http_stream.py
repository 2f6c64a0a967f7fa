"""Web addresses as files for libav: radios with their titles, files that can seek."""

from collections.abc import Callable
import io
import re
from typing import Protocol

from .connection import Response, get
from .icy import IcyDemuxer, decode_text
from .link import Link
from .problems import (
    BrokenStreamError,
    MediaProblem,
    for_network,
    for_status,
    unreachable,
)

_PIECE_BYTES = 1 << 15
_HEAD_BYTES = 1 << 17
_TAIL_BYTES = 1 << 16
_SKIP_BYTES = 1 << 18
_TRIES = 6
_MAX_ICY_INTERVAL = 1 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class HttpStream(Protocol):
    """What radios and files on the web have in common."""

    url: str
    content_type: str

    def peek(self, size: int) -> bytes:
        """Return the beginning without taking it, less if there is less."""

    def read(self, size: int) -> bytes:
        """Return what comes next, at most this much; b"" at the end."""

    def close(self) -> None:
        """Close the connection."""


def open_http(url: str, link: Link) -> "HttpFile | HttpRadio":
    """Ask for a URL; raise MediaProblem unless there is something."""
    response = get(url, {"Icy-MetaData": "1"}, link)
    if response.status not in (200, 206):
        response.close()
        raise for_status(response.status)
    if response.length is None:
        return HttpRadio(response)
    return HttpFile(response, response.length, link)


class HttpRadio:
    """A stream without a length: read once, as it comes."""

    def __init__(self, response: Response) -> None:
        """Take over the response; titles go to `on_title` on the reading thread."""
        headers = response.headers
        self.url = response.url
        self.content_type = headers.get("Content-Type", "")
        self.station = _text(headers.get("icy-name"))
        self.on_title: Callable[[str], None] = lambda title: None
        # A radio ends only when something went wrong.
        self._is_endless = any(name.lower().startswith("icy-") for name in headers)
        self._response = response
        self._icy = _icy_demuxer(headers.get("icy-metaint"))
        self._peeked = b""

    def peek(self, size: int) -> bytes:
        """Return the beginning without taking it; what came first is enough."""
        while len(self._peeked) < size:
            if not (piece := self._next(_PIECE_BYTES)):
                break
            self._peeked += piece
        return self._peeked[:size]

    def read(self, size: int) -> bytes:
        """Return what comes next; raise BrokenStreamError when a radio breaks off."""
        if self._peeked:
            piece, self._peeked = self._peeked[:size], self._peeked[size:]
            return piece
        return self._next(size)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()

    def _next(self, size: int) -> bytes:
        while True:
            try:
                piece = self._response.read(size)
            except OSError as err:
                raise BrokenStreamError from err
            if not piece:
                if self._is_endless:
                    raise BrokenStreamError
                return b""
            if self._icy is None:
                return piece
            sound, titles = self._icy.feed(piece)
            for title in titles:
                self.on_title(title)
            if sound:
                return sound


class HttpFile:
    """A file on the web: seeks by ranges and goes on where a connection broke."""

    def __init__(self, response: Response, length: int, link: Link) -> None:
        """Take over the response to a request for all of the file."""
        self.url = response.url
        self.content_type = response.headers.get("Content-Type", "")
        self.length = length
        self.is_ranged = response.headers.get("Accept-Ranges", "").lower() == "bytes"
        self.must_seek = False
        self._link = link
        self._response: Response | None = response
        self._response_at = 0
        self._position = 0
        # The beginning and the end are kept: libav looks at both and comes back.
        self._head = bytearray()
        self._tail = b""

    def peek(self, size: int) -> bytes:
        """Return the beginning without taking it."""
        while len(self._head) < min(size, self.length):
            self._position = len(self._head)
            self._fetch(_PIECE_BYTES)
        self._position = 0
        return bytes(self._head[:size])

    def read(self, size: int) -> bytes:
        """Return what comes next; raise MediaProblem when it cannot be had."""
        at = self._position
        tail_at = self.length - len(self._tail)
        if at >= self.length:
            return b""
        if at < len(self._head):
            piece = bytes(self._head[at : at + size])
        elif at >= tail_at:
            piece = self._tail[at - tail_at : at - tail_at + size]
        else:
            piece = self._fetch(size)
        self._position = at + len(piece)
        return piece

    def seekable(self) -> bool:
        """Tell libav whether it may seek."""
        return self.is_ranged or self.must_seek

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place; nothing is asked of the server before the next read."""
        base = {io.SEEK_CUR: self._position, io.SEEK_END: self.length}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def close(self) -> None:
        """Close the connection."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _fetch(self, size: int) -> bytes:
        """Read at the position from the server, again if the connection breaks."""
        pauses = iter((0.0, *self._link.limits.pauses_s))
        while True:
            try:
                if self._is_in_far_tail():
                    return self._fetch_tail()[:size]
                self._go_to_position()
                if piece := self._next(size):
                    return piece
                raise ConnectionResetError
            except OSError as err:
                self.close()
                self._link.check()
                if (pause := next(pauses, None)) is None:
                    raise for_network(err) from err
                self._link.pause(pause)

    def _is_in_far_tail(self) -> bool:
        is_far = self._position - self._response_at > _SKIP_BYTES
        return is_far and self.is_ranged and self._position >= self.length - _TAIL_BYTES

    def _fetch_tail(self) -> bytes:
        """Read the end on a connection of its own, so that the first one goes on."""
        start = self.length - _TAIL_BYTES
        response = self._ask(start)
        tail = bytearray()
        try:
            while len(tail) < _TAIL_BYTES:
                tail += response.read(_PIECE_BYTES)
        finally:
            response.close()
        self._tail = bytes(tail)
        return self._tail[self._position - start :]

    def _go_to_position(self) -> None:
        ahead = self._position - self._response_at
        if self._response is None or ahead < 0 or ahead > _SKIP_BYTES:
            self.close()
            self._response = self._ask(self._position)
            self._response_at = self._position if self.is_ranged else 0
        while (ahead := self._position - self._response_at) > 0:
            if not self._next(min(ahead, _PIECE_BYTES)):
                raise ConnectionResetError

    def _ask(self, start: int) -> Response:
        response = get(self.url, {"Range": f"bytes={start}-"}, self._link)
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if response.status == 206 and match and int(match[1]) == start:
            total = match[2]
            self.is_ranged = True
        elif response.status == 200:
            total = str(response.length)
            self.is_ranged = False
        else:
            response.close()
            raise for_status(response.status)
        if total not in ("*", str(self.length)):
            response.close()
            raise unreachable("it changed on its server while it played")
        return response

    def _next(self, size: int) -> bytes:
        assert self._response is not None
        piece = self._response.read(size)
        at, self._response_at = self._response_at, self._response_at + len(piece)
        if at == len(self._head) < _HEAD_BYTES:
            self._head += piece
        return piece


def _icy_demuxer(interval: str | None) -> IcyDemuxer | None:
    if interval is None or not interval.strip().isdecimal():
        return None
    count = int(interval)
    return IcyDemuxer(count) if 0 < count <= _MAX_ICY_INTERVAL else None


def _text(header: str | None) -> str | None:
    # http.client reads headers as Latin-1; most stations write UTF-8.
    return decode_text((header or "").encode("latin-1", "replace")).strip() or None
