"""From an address to a container that libav has opened."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
import stat
from urllib.parse import unquote, urljoin, urlsplit

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from ..errors import MediaError
from .http_stream import HttpFile, HttpRadio, open_http
from .link import Link
from .playlists import MAX_PLAYLIST_BYTES, entries_of
from .problems import (
    BrokenStreamError,
    MediaProblem,
    empty,
    for_libav,
    for_network,
    forbidden,
    not_audio,
    not_found,
    too_slow,
)
from .sniff import HEAD_BYTES, Kind, kind_of

_MAX_DEPTH = 3
_MAX_ENTRIES = 5
_WEB = "http,https,tls,tcp,crypto,data"


@dataclass(slots=True)
class Input:
    """Media that is open: what is known before anything was decoded."""

    container: InputContainer
    stream: AudioStream
    is_live: bool
    can_seek: bool
    web: HttpFile | HttpRadio | None = None

    @property
    def station(self) -> str | None:
        """The name that a radio gives itself."""
        return self.web.station if isinstance(self.web, HttpRadio) else None

    @property
    def duration_ms(self) -> int | None:
        """How long it is, where it says so."""
        if self.is_live:
            return None
        if self.stream.duration is not None:
            return round(self.stream.duration * self.stream.time_base * 1000)
        if self.container.duration is not None:
            return round(self.container.duration / 1000)
        return None

    def close(self) -> None:
        """Release everything."""
        self.container.close()
        if self.web is not None:
            self.web.close()


def open_input(address: str, link: Link) -> Input:
    """Open media at an address; raise MediaProblem when there is none."""
    try:
        return _open(address, link, 0)
    except av.FFmpegError as err:
        raise for_libav(err) from err
    except BrokenStreamError as err:
        raise for_network(err.__cause__ if isinstance(err.__cause__, OSError) else ConnectionError()) from err
    except TimeoutError as err:
        raise too_slow() from err


def _open(address: str, link: Link, depth: int) -> Input:
    parts = urlsplit(address)
    scheme = parts.scheme.lower()
    if scheme in ("http", "https"):
        return _open_web(address, link, depth)
    if scheme == "file":
        return _open_file(Path(unquote(parts.path)), link, depth)
    if len(scheme) > 1 and "://" in address:
        raise MediaProblem(MediaError, f"addresses with {scheme}: are not supported")
    return _open_file(Path(address), link, depth)


def _open_file(path: Path, link: Link, depth: int) -> Input:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise not_found("it is a folder")
        if not stat.S_ISREG(mode):
            raise not_found("it is not a file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            kind = kind_of(head)
            if kind is Kind.PLAYLIST:
                rest = file.read(MAX_PLAYLIST_BYTES - len(head))
                return _open_entries(head + rest, path, link, depth)
    except PermissionError as err:
        raise forbidden("the file may not be read") from err
    except (OSError, ValueError) as err:
        raise not_found("there is no such file") from err
    _refuse(kind)
    whitelist = f"file,{_WEB}" if kind is Kind.SEGMENTS else "file"
    # With its scheme, a path is never taken for another protocol of libav.
    container = av.open(
        f"file:{path.absolute()}",
        options={"protocol_whitelist": whitelist},
        timeout=_timeout(link) if kind is Kind.SEGMENTS else None,
    )
    return _input(container, None, link)


def _open_web(url: str, link: Link, depth: int) -> Input:
    web = open_http(url, link)
    try:
        head = web.peek(512)
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"#EXTM3U", b"<")):
            head = web.peek(HEAD_BYTES)
        kind = kind_of(head, web.content_type)
        _refuse(kind)
        if kind is Kind.PLAYLIST:
            playlist = web.peek(MAX_PLAYLIST_BYTES)
            web.close()
            return _open_entries(playlist, web.url, link, depth)
        if kind is Kind.SEGMENTS:
            web.close()
            return _input(_open_segments(web.url, link), None, link)
        if isinstance(web, HttpFile):
            web.must_seek = head[4:8] == b"ftyp"
        container = av.open(web, mode="r", options={"protocol_whitelist": "data"})
        return _input(container, web, link)
    except BaseException:
        web.close()
        raise


def _open_segments(url: str, link: Link) -> InputContainer:
    return av.open(
        url,
        mode="r",
        options={"protocol_whitelist": _WEB, "user_agent": "AirPlay speakers"},
        timeout=_timeout(link),
    )


def _open_entries(
    playlist: bytes, base: str | Path, link: Link, depth: int
) -> Input:
    """Open the first entry of a playlist that opens."""
    if depth == _MAX_DEPTH:
        raise not_audio("its playlists lead to nothing but playlists")
    problem = empty("its playlist has no entries")
    for entry in entries_of(playlist)[:_MAX_ENTRIES]:
        if isinstance(base, PathLike):
            is_url = "://" in entry
            address = entry if is_url else str(base.parent / entry)
        else:
            address = urljoin(base, entry)
            if urlsplit(address).scheme not in ("http", "https"):
                continue
        try:
            return _open(address, link, depth + 1)
        except MediaProblem as err:
            problem = err
        except av.FFmpegError as err:
            problem = for_libav(err)
        link.check()
    raise problem


def _input(
    container: InputContainer, web: HttpFile | HttpRadio | None, link: Link
) -> Input:
    if not container.streams.audio:
        container.close()
        has_video = bool(container.streams.video)
        raise not_audio("it has no sound" if has_video else "it is not audio")
    stream = container.streams.best("audio") or container.streams.audio[0]
    is_live = isinstance(web, HttpRadio) or (web is None and not _has_end(container))
    can_seek = not is_live and (web is None or web.seekable())
    return Input(container, stream, is_live, can_seek, web)


def _has_end(container: InputContainer) -> bool:
    is_segments = container.format.name in ("hls", "dash")
    return not is_segments or container.duration is not None


def _timeout(link: Link) -> tuple[float, float]:
    # Opening is two operations of libav's: connecting and looking into the streams.
    return link.patience(link.limits.open_s) / 2, link.limits.read_s


def _refuse(kind: Kind) -> None:
    if kind is Kind.EMPTY:
        raise empty("it is empty")
    if kind is Kind.PAGE:
        raise not_audio("its address leads to a web page")
    if kind is Kind.PICTURE:
        raise not_audio("it is a picture")
