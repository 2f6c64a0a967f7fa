"""Web addresses as media for libav: streams in order, files that can seek."""

import re

from ...media import MediaKind
from ..guard.reach import ANYWHERE, Reach
from ..icy import IcyDemuxer, decode_text
from ..job_scope import JobScope
from ..media_errors import BrokenStreamError, DeadlineError, for_status, only_a_part
from ..web import ShortError, WebResponse, get
from .http_file import HttpFile
from .liveness import End
from .parts import Part, claims_ranges, part_of
from .wav_head import HEAD_BYTES

_PIECE_BYTES = 1 << 15
_MAX_ICY_INTERVAL = 1 << 20
_ICY_INTERVAL = re.compile(r"\s*([0-9]{1,9})\s*")
# Stations that announce a length invent a large one. A song is not that long.
_INVENTED_BYTES = 500_000_000


def open_http(
    url: str, scope: JobScope, reach: Reach = ANYWHERE
) -> HttpFile | HttpStream:
    """Request a URL that is within reach.

    Raises UnplayableError: there is no answer, or one without media.
    """
    response, part = _ask(url, scope, reach)
    if response.status not in {200, 206}:
        response.close()
        raise for_status(response.status)
    stream = HttpStream(response)
    if stream.is_radio:
        scope.be_live()
    if stream.has_titles or not (part or _is_length_true(stream, response, scope.kind)):
        return stream
    return HttpFile(url, response, part, scope, reach)


def _ask(url: str, scope: JobScope, reach: Reach) -> tuple[WebResponse, Part | None]:
    """Request the whole, or what a server gives instead from its first byte on."""
    response = get(url, {"Icy-MetaData": "1"}, scope, reach)
    part = part_of(response)
    if part and part.start:
        # Nobody asked for this part.
        response.close()
        response = get(url, {"Range": "bytes=0-"}, scope, reach)
        part = part_of(response)
        if part and part.start:
            response.close()
            raise only_a_part()
    return response, part


def _is_length_true(stream: HttpStream, response: WebResponse, kind: MediaKind) -> bool:
    """Whether there is a length, and it is not one that a station invents."""
    if response.length is None:
        return False
    if claims_ranges(response):
        return True
    is_long = response.length >= _INVENTED_BYTES
    return not (kind is MediaKind.RADIO or (stream.is_radio and is_long))


class HttpStream:
    """An answer that is read once, in order."""

    def __init__(self, response: WebResponse) -> None:
        """Wrap the response.

        `title` is the latest title in the stream, `is_radio` whether its headers are
        those of a station, and `end` how it ended, as soon as it did.
        """
        response.may_exceed = True
        headers = response.headers
        self.url = response.url
        self.beyond = response.beyond
        self.content_type = headers.get("Content-Type", "")
        self.station = _text(headers.get("icy-name"))
        self.title: str | None = None
        self.is_radio = any(name.lower().startswith("icy-") for name in headers)
        # A container may be over before its transfer is.
        self.end = End.CLOSED
        self._response = response
        self._is_bounded = response.is_chunked or response.length is not None
        self._icy = _icy_demuxer(headers.get("icy-metaint"))
        self._peeked = b""
        self._has_begun = False
        self._is_over = False
        # Its first bytes, in which it may state how long it is.
        self.head = b""

    @property
    def has_titles(self) -> bool:
        """Whether there are titles between its sound, at places that only count so."""
        return self._icy is not None

    def peek(self, size: int) -> bytes:
        """Return the beginning without consuming it, shorter only at the end."""
        while len(self._peeked) < size and (piece := self._next(_PIECE_BYTES)):
            self._peeked += piece
        return self._peeked[:size]

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises BrokenStreamError: it broke off before it `began`.
        Raises DeadlineError: see `JobScope.check`.
        """
        if self._peeked:
            piece, self._peeked = self._peeked[:size], self._peeked[size:]
            return piece
        return self._next(size)

    def began(self) -> None:
        """Give no error but an end where it breaks off from now on."""
        self._has_begun = True

    def expect_end(self, within_s: float) -> None:
        """Take silence of this length for the end from now on."""
        self._response.expect_end(within_s)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()

    def _next(self, size: int) -> bytes:
        while not self._is_over:
            try:
                piece = self._response.read(size)
            except DeadlineError:
                raise
            except ShortError:
                return self._ended(End.CLOSED)
            except OSError as err:
                if self._has_begun:
                    return self._ended(End.BROKEN)
                raise BrokenStreamError from err
            if not piece:
                return self._ended(End.WHOLE if self._is_bounded else End.CLOSED)
            if sound := self._sound_in(piece):
                self.head += sound[: HEAD_BYTES - len(self.head)]
                return sound
        return b""

    def _ended(self, end: End) -> bytes:
        # libav may read on behind the end.
        self._is_over = True
        self.end = end
        return b""

    def _sound_in(self, piece: bytes) -> bytes:
        if self._icy is None:
            return piece
        sound, titles = self._icy.feed(piece)
        if titles:
            self.title = titles[-1]
        return sound


def _icy_demuxer(interval: str | None) -> IcyDemuxer | None:
    match = _ICY_INTERVAL.fullmatch(interval or "")
    count = int(match[1]) if match else 0
    return IcyDemuxer(count) if 0 < count <= _MAX_ICY_INTERVAL else None


def _text(header: str | None) -> str | None:
    # http.client reads headers as Latin-1; most stations write UTF-8.
    return decode_text((header or "").encode("latin-1", "replace")).strip() or None
