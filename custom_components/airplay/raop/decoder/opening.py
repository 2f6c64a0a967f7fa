"""Open an address as a container of libav."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
import stat
from urllib.parse import unquote, urljoin, urlsplit

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from ..errors import MediaError
from .cancel_scope import CancelScope
from .http_stream import HttpFile, HttpRadio, open_http
from .media_errors import (
    UnplayableError,
    empty,
    for_libav,
    forbidden,
    not_audio,
    not_found,
)
from .playlists import MAX_PLAYLIST_BYTES, entries_of
from .sniff import HEAD_BYTES, Kind, kind_of
from .web import USER_AGENT

_MAX_DEPTH = 3
_MAX_ENTRIES = 5
_WEB_PROTOCOLS = "http,https,tls,tcp,crypto,data"
_RAW_PROBE_BYTES = "65536"
# Radios send in real time: each second of analysis delays the start.
_RADIO_ANALYSIS_US = "500000"
_SEGMENTED = {"hls", "dash"}


@dataclass(slots=True)
class Input:
    """Open media: its properties before anything is decoded."""

    container: InputContainer
    stream: AudioStream
    web: HttpFile | HttpRadio | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has no known end."""
        return isinstance(self.web, HttpRadio) or self.is_growing

    @property
    def is_growing(self) -> bool:
        """Whether it is a growing playlist of segments: libav cannot detect its end."""
        is_segmented = self.container.format.name in _SEGMENTED
        return is_segmented and self.container.duration is None

    @property
    def station(self) -> str | None:
        """The name that a radio announces."""
        return self.web.station if isinstance(self.web, HttpRadio) else None

    @property
    def title(self) -> str | None:
        """The title that a radio announces as playing."""
        return self.web.title if isinstance(self.web, HttpRadio) else None

    @property
    def can_skip(self) -> bool:
        """Whether a seek costs less than reading everything before."""
        if isinstance(self.web, HttpFile):
            return self.web.is_ranged
        return not self.is_live

    @property
    def duration_ms(self) -> int | None:
        """The duration, if it is known."""
        if self.is_live:
            return None
        if self.stream.duration is not None and self.stream.time_base is not None:
            return round(self.stream.duration * self.stream.time_base * 1000)
        if self.container.duration is not None:
            return round(self.container.duration * 1000 / av.time_base)
        return None

    def close(self) -> None:
        """Release everything."""
        self.container.close()
        if self.web is not None:
            self.web.close()


def open_input(address: str, scope: CancelScope) -> Input:
    """Open media at an address: a path, or a URL of http, https or file.

    Raises UnplayableError: it does not exist, is not audio, or the server refuses it.
    Raises OSError, FFmpegError: it broke off; `media_errors.for_failure` explains it.
    Raises AbandonedError, DeadlineError: see `CancelScope.check`.
    """
    return _open(address, scope, 0)


def _open(address: str, scope: CancelScope, depth: int) -> Input:
    try:
        parts = urlsplit(address)
    except ValueError as err:
        raise not_found("its address is not valid") from err
    if parts.scheme in {"http", "https"}:
        return _open_web(address, scope, depth)
    if parts.scheme == "file":
        return _open_file(Path(unquote(parts.path)), scope, depth)
    if "://" in address:
        raise UnplayableError(
            MediaError, f"{parts.scheme}: addresses are not supported"
        )
    return _open_file(Path(address), scope, depth)


def _open_file(path: Path, scope: CancelScope, depth: int) -> Input:
    head = _beginning(path, HEAD_BYTES)
    kind = kind_of(head)
    _refuse(kind)
    if kind is Kind.PLAYLIST:
        entries = entries_of(_beginning(path, MAX_PLAYLIST_BYTES))
        addresses = [
            entry if "://" in entry else str(path.parent / entry) for entry in entries
        ]
        return _open_first(addresses, scope, depth)
    is_segmented = kind is Kind.SEGMENTS
    protocols = f"file,{_WEB_PROTOCOLS}" if is_segmented else "file"
    # With this scheme, libav treats no path as one of its other protocols.
    container = av.open(
        f"file:{path.absolute()}",
        options={"protocol_whitelist": protocols} | _probing(head),
        timeout=_timeouts(scope) if is_segmented else None,
    )
    return _input(container, None)


def _beginning(path: Path, size: int) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise not_found("it is a folder")
        if not stat.S_ISREG(mode):
            raise not_found("it is not a file")
        with path.open("rb") as file:
            return file.read(size)
    except PermissionError as err:
        raise forbidden("the file may not be read") from err
    except (OSError, ValueError) as err:
        raise not_found("there is no such file") from err


def _open_web(url: str, scope: CancelScope, depth: int) -> Input:
    web = open_http(url, scope)
    with ExitStack() as undo:
        undo.callback(web.close)
        kind, head = _kind_of_web(web)
        _refuse(kind)
        if kind is Kind.MEDIA:
            if isinstance(web, HttpFile):
                web.reads_far = head[4:8] == b"ftyp"
            # The content must not make libav open anything else.
            options = {"protocol_whitelist": "data"} | _probing(head)
            if isinstance(web, HttpRadio):
                options["analyzeduration"] = _RADIO_ANALYSIS_US
            found = _input(av.open(web, mode="r", options=options), web)
            undo.pop_all()
            return found
        playlist = web.peek(MAX_PLAYLIST_BYTES) if kind is Kind.PLAYLIST else b""
    if kind is Kind.SEGMENTS:
        return _input(_open_segments(web.url, scope), None)
    addresses = [urljoin(web.url, entry) for entry in entries_of(playlist)]
    # Content from the web must not open local files.
    return _open_first(
        [each for each in addresses if each.startswith(("http://", "https://"))],
        scope,
        depth,
    )


def _kind_of_web(web: HttpFile | HttpRadio) -> tuple[Kind, bytes]:
    head = web.peek(64)
    if not head.strip() or head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in b"#<{[":
        # Text needs a longer look; audio does not wait for more bytes.
        head = web.peek(HEAD_BYTES)
    return kind_of(head, web.content_type), head


def _open_segments(url: str, scope: CancelScope) -> InputContainer:
    return av.open(
        url,
        mode="r",
        options={"protocol_whitelist": _WEB_PROTOCOLS, "user_agent": USER_AGENT},
        timeout=_timeouts(scope),
    )


def _open_first(addresses: list[str], scope: CancelScope, depth: int) -> Input:
    """Open the first playable entry of a playlist."""
    if depth == _MAX_DEPTH:
        raise not_audio("its playlists lead to nothing but playlists")
    problem = empty("its playlist is empty")
    for address in addresses[:_MAX_ENTRIES]:
        try:
            return _open(address, scope, depth + 1)
        except UnplayableError as err:
            problem = err
        except av.FFmpegError as err:
            problem = for_libav(err)
        scope.check()
    raise problem


def _input(container: InputContainer, web: HttpFile | HttpRadio | None) -> Input:
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        has_video = bool(container.streams.video)
        container.close()
        raise not_audio("it has no sound" if has_video else "it is not audio")
    if container.format.name in _SEGMENTED:
        # Otherwise every variant of the media is loaded.
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
    return Input(container, stream, web)


def _timeouts(scope: CancelScope) -> tuple[float, float]:
    # libav connects and analyzes the streams, each with the first time-out.
    return scope.timeout_s(scope.limits.open_s) / 2, scope.limits.segment_s


def _probing(head: bytes) -> dict[str, str]:
    """Limit how far libav looks for another format inside raw samples."""
    is_raw = head.startswith((b"RIFF", b"RF64", b"FORM"))
    return {"probesize": _RAW_PROBE_BYTES} if is_raw else {}


def _refuse(kind: Kind) -> None:
    if kind is Kind.EMPTY:
        raise empty("it is empty")
    if kind is Kind.PAGE:
        raise not_audio("its address leads to a web page")
    if kind is Kind.PICTURE:
        raise not_audio("it is a picture")
