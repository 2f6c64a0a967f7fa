"""Web addresses as files for libav: endless radios, seekable files."""

import io
import re

from ..errors import MediaError, MediaUnreachableError
from .guard.reach import ANYWHERE, Reach
from .icy import IcyDemuxer, decode_text
from .job_scope import JobScope
from .media_errors import BrokenStreamError, UnplayableError, for_network, for_status
from .web import WebResponse, get

_PIECE_BYTES = 1 << 15
_HEAD_BYTES = 1 << 17
_TAIL_BYTES = 1 << 16
_SKIP_BYTES = 1 << 18
_MAX_ICY_INTERVAL = 1 << 20
# No more digits than a file has: Python refuses to convert thousands of them.
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_ICY_INTERVAL = re.compile(r"\s*([0-9]{1,9})\s*")


def open_http(
    url: str, scope: JobScope, reach: Reach = ANYWHERE
) -> HttpFile | HttpRadio:
    """Request a URL that is within reach.

    Raises UnplayableError: there is no answer, or one without media.
    """
    response = get(url, {"Icy-MetaData": "1"}, scope, reach)
    if response.status not in {200, 206}:
        response.close()
        raise for_status(response.status)
    if response.length is None:
        return HttpRadio(response)
    return HttpFile(url, response, response.length, scope, reach)


class HttpRadio:
    """A stream without a length: read once, in order."""

    def __init__(self, response: WebResponse) -> None:
        """Wrap the response; `title` is the latest title in the stream."""
        headers = response.headers
        self.url = response.url
        self.beyond = response.beyond
        self.content_type = headers.get("Content-Type", "")
        self.station = _text(headers.get("icy-name"))
        self.title: str | None = None
        # A radio ends only after a failure.
        self._is_endless = any(name.lower().startswith("icy-") for name in headers)
        self._response = response
        self._icy = _icy_demuxer(headers.get("icy-metaint"))
        self._peeked = b""

    def peek(self, size: int) -> bytes:
        """Return the beginning without consuming it, shorter only at the end."""
        while len(self._peeked) < size and (piece := self._next(_PIECE_BYTES)):
            self._peeked += piece
        return self._peeked[:size]

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises BrokenStreamError: a radio broke off.
        """
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
            if titles:
                self.title = titles[-1]
            if sound:
                return sound


class HttpFile:
    """A file on the web: it can seek, and continues after a broken connection."""

    def __init__(
        self,
        url: str,
        response: WebResponse,
        length: int,
        scope: JobScope,
        reach: Reach,
    ) -> None:
        """Wrap the response to a request for the whole file at this URL."""
        headers = response.headers
        self.url = response.url
        self.beyond = response.beyond
        # The target of a redirect may have expired at a later request.
        self._asked_url = url
        self.content_type = headers.get("Content-Type", "")
        self.is_ranged = headers.get("Accept-Ranges", "").lower() == "bytes"
        # Without ranges, a read far ahead costs all bytes before it.
        self.reads_far = False
        self._length = length
        self._scope = scope
        self._reach = reach
        self._response: WebResponse | None = response
        self._response_at = 0
        self._position = 0
        # The beginning and the end are kept: libav reads both, then seeks back.
        self._head = bytearray()
        self._tail = b""

    def peek(self, size: int) -> bytes:
        """Return the beginning without consuming it."""
        while len(self._head) < min(size, self._length):
            self._position = len(self._head)
            self._fetch(_PIECE_BYTES)
        self._position = 0
        return bytes(self._head[:size])

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises UnplayableError: the server does not deliver it.
        """
        at = self._position
        tail_at = self._length - len(self._tail)
        if at >= self._length:
            return b""
        if at < len(self._head):
            piece = bytes(self._head[at : at + size])
        elif at >= tail_at:
            piece = self._tail[at - tail_at : at - tail_at + size]
        elif self._is_far() and not (self.is_ranged or self.reads_far):
            # libav looks for tags at the end, and works without them.
            return b""
        else:
            piece = self._fetch(size)
        self._position = at + len(piece)
        return piece

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; nothing is requested before the next read."""
        base = {io.SEEK_CUR: self._position, io.SEEK_END: self._length}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def close(self) -> None:
        """Close the connection."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _is_far(self) -> bool:
        return self._position - self._response_at > _SKIP_BYTES

    def _is_far_tail(self) -> bool:
        is_tail = self._position >= self._length - _TAIL_BYTES
        return self.is_ranged and is_tail and self._is_far()

    def _fetch(self, size: int) -> bytes:
        """Read at the position from the server; retry if the connection breaks."""
        pauses = iter((0.0, *self._scope.limits.pauses_s))
        while True:
            try:
                if self._is_far_tail():
                    return self._fetch_tail()[:size]
                self._go_to_position()
                return self._next(size)
            except (OSError, UnplayableError) as err:
                self.close()
                self._scope.check()
                problem = err if isinstance(err, UnplayableError) else for_network(err)
                pause = next(pauses, None)
                if pause is None or problem.kind is not MediaUnreachableError:
                    raise problem from err
                self._scope.pause(pause)

    def _fetch_tail(self) -> bytes:
        """Read the end on its own connection, so that the first one continues."""
        start = self._length - _TAIL_BYTES
        response = self._ask(start)
        tail = bytearray()
        try:
            while self.is_ranged and len(tail) < _TAIL_BYTES:
                tail += _more(response, _PIECE_BYTES)
        finally:
            response.close()
        if not self.is_ranged:
            raise ConnectionResetError
        self._tail = bytes(tail)
        return self._tail[self._position - start :]

    def _go_to_position(self) -> None:
        if (
            self._response is None
            or self._is_far()
            or self._position < self._response_at
        ):
            self.close()
            self._response = self._ask(self._position)
            self._response_at = self._position if self.is_ranged else 0
        while (ahead := self._position - self._response_at) > 0:
            self._next(min(ahead, _PIECE_BYTES))

    def _ask(self, start: int) -> WebResponse:
        """Request the file from a position; without ranges, all of it."""
        asked = {"Range": f"bytes={start}-"}
        response = get(self._asked_url, asked, self._scope, self._reach)
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
        if total not in {"*", str(self._length)}:
            response.close()
            raise UnplayableError(
                MediaError, "it changed on its server while it played"
            )
        return response

    def _next(self, size: int) -> bytes:
        assert self._response is not None
        piece = _more(self._response, size)
        at, self._response_at = self._response_at, self._response_at + len(piece)
        if at == len(self._head) < _HEAD_BYTES:
            self._head += piece
        return piece


def _more(response: WebResponse, size: int) -> bytes:
    """Read bytes that must exist, because the length of the file is known."""
    if piece := response.read(size):
        return piece
    raise ConnectionResetError


def _icy_demuxer(interval: str | None) -> IcyDemuxer | None:
    match = _ICY_INTERVAL.fullmatch(interval or "")
    count = int(match[1]) if match else 0
    return IcyDemuxer(count) if 0 < count <= _MAX_ICY_INTERVAL else None


def _text(header: str | None) -> str | None:
    # http.client reads headers as Latin-1; most stations write UTF-8.
    return decode_text((header or "").encode("latin-1", "replace")).strip() or None
