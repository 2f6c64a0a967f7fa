"""Open an address as a container of libav."""

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import av

from ..errors import MediaError
from .container.input import Input, input_of, open_media
from .guard.local_file import LocalFile, allowed
from .guard.reach import ANYWHERE, Reach, reach_from
from .guard.segments import SegmentOpener
from .job_scope import JobScope
from .media_errors import (
    UnplayableError,
    empty,
    for_libav,
    not_audio,
    not_found,
    unsupported,
)
from .playlist_formats.addresses import file_path, local_paths, web_address
from .playlists import MAX_PLAYLIST_BYTES, entries_of, named_kind
from .sniff import HEAD_BYTES, Kind, is_text, kind_of
from .transfer.http_file import HttpFile
from .transfer.http_stream import HttpStream, open_http

_MAX_DEPTH = 3
_MAX_ENTRIES = 5


def open_input(address: str, scope: JobScope) -> Input:
    """Open media at an address: a path, or a URL of http, https or file.

    Raises UnplayableError: it does not exist, is not audio, the server refuses it, or
    its content leads to an address or a file that content may not name.
    Raises OSError, FFmpegError: it broke off; `media_errors.for_failure` explains it.
    Raises DeadlineError: see `JobScope.check`.
    """
    named_by = scope.bounds.named_by
    reach = ANYWHERE if named_by is None else reach_from(named_by)
    return _open(address, scope, reach, 0)


def _open(address: str, scope: JobScope, reach: Reach, depth: int) -> Input:
    # A path is no address: a name may contain anything.
    path = address if address.startswith("/") else file_path(address)
    if path is not None:
        return _open_file(Path(path), scope, depth)
    try:
        parts = urlsplit(address)
    except ValueError as err:
        raise not_found("its address is not valid") from err
    if parts.scheme in {"http", "https"}:
        return _open_web(address, scope, reach, depth)
    if "://" in address:
        raise UnplayableError(
            MediaError, f"{parts.scheme}: addresses are not supported"
        )
    return _open_file(Path(address), scope, depth)


def _open_file(path: Path, scope: JobScope, depth: int) -> Input:
    if depth:
        # A user named the first file; this one is named by another.
        path = allowed(path, scope.bounds.folders)
    with ExitStack() as undo:
        file = LocalFile(path)
        undo.callback(file.close)
        head = _peek(file, HEAD_BYTES)
        kind = kind_of(head, name=file.name)
        _refuse(kind)
        if kind is Kind.MEDIA:
            found = open_media(file, head)
            undo.pop_all()
            return found
        if kind is Kind.SEGMENTS:
            # With this scheme, libav treats no path as one of its other protocols.
            address = f"file:{path.absolute()}"
            segments = SegmentOpener(address, scope, ANYWHERE)
            return _open_segments(segments, scope)
        content = _peek(file, MAX_PLAYLIST_BYTES)
    entries = entries_of(content, named_kind(file.name))
    addresses = [_beside(path, entry) for entry in entries]
    return _open_first(addresses, scope, ANYWHERE, depth)


def _beside(playlist: Path, entry: str) -> str:
    """Return what an entry of a local playlist means."""
    paths = [playlist.parent / each for each in local_paths(entry)]
    if not paths:
        return entry
    return str(next((each for each in paths if each.is_file()), paths[0]))


def _peek(file: LocalFile, size: int) -> bytes:
    try:
        return file.peek(size)
    except OSError as err:
        raise not_found("there is no such file") from err


def _open_web(url: str, scope: JobScope, reach: Reach, depth: int) -> Input:
    web = open_http(url, scope, reach)
    with ExitStack() as undo:
        undo.callback(web.close)
        kind, head = _kind_of_web(web)
        _refuse(kind)
        if kind is Kind.MEDIA:
            found = _open_web_media(web, head)
            undo.pop_all()
            return found
        playlist = web.peek(MAX_PLAYLIST_BYTES) if kind is Kind.PLAYLIST else b""
    if kind is Kind.SEGMENTS:
        return _open_segments(SegmentOpener(web.url, scope, web.beyond), scope)
    entries = entries_of(playlist, named_kind(web.url, web.content_type))
    # Content from the web must not open local files.
    addresses = [web_address(each, web.url) for each in entries]
    return _open_first([each for each in addresses if each], scope, web.beyond, depth)


def _open_web_media(web: HttpFile | HttpStream, head: bytes) -> Input:
    if isinstance(web, HttpFile):
        web.reads_far = head[4:8] == b"ftyp"
    return open_media(web, head)


def _kind_of_web(web: HttpFile | HttpStream) -> tuple[Kind, bytes]:
    head = web.peek(64)
    if is_text(head):
        # Text needs a longer look; audio does not wait for more bytes.
        head = web.peek(HEAD_BYTES)
    return kind_of(head, web.content_type, web.url), head


def _open_segments(segments: SegmentOpener, scope: JobScope) -> Input:
    scope.be_live()
    try:
        container = av.open(
            segments.url,
            mode="r",
            options=SegmentOpener.OPTIONS,
            timeout=_timeouts(scope),
            io_open=segments,
        )
    except av.FFmpegError as err:
        raise segments.problem or err from err
    found = input_of(container)
    found.has_end = segments.has_end
    segments.start()
    return found


def _open_first(
    addresses: list[str], scope: JobScope, reach: Reach, depth: int
) -> Input:
    """Open the first playable entry of a playlist."""
    if depth == _MAX_DEPTH:
        raise not_audio("its playlists lead to nothing but playlists")
    problem = empty("its playlist is empty")
    for address in addresses[:_MAX_ENTRIES]:
        try:
            return _open(address, scope, reach, depth + 1)
        except UnplayableError as err:
            problem = err
        except av.FFmpegError as err:
            problem = for_libav(err)
        scope.check()
    raise problem


def _timeouts(scope: JobScope) -> tuple[float, float]:
    # libav connects and analyzes the streams, each with the first time-out.
    return scope.timeout_s(scope.limits.open_s) / 2, scope.limits.segment_s


def _refuse(kind: Kind) -> None:
    if kind is Kind.EMPTY:
        raise empty("it is empty")
    if kind is Kind.PAGE:
        raise not_audio("its address leads to a web page")
    if kind is Kind.PICTURE:
        raise not_audio("it is a picture")
    if kind is Kind.DASH:
        raise unsupported("it is a DASH stream, which is not supported")
