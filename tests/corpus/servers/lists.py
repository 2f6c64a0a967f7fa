"""Playlists and segments on the web."""

from collections.abc import Callable, Iterator, Mapping
import gzip
from urllib.parse import quote

from custom_components.airplay.raop.errors import MediaNotFoundError
from tests.raop.audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    ranged,
    redirect,
    status,
    whole,
)

from ..hls import PLAYLIST, PRESENTATIONS, presentation, right_of
from ..judge import Fails
from ..row import Files, Row
from .songs import first_of, served

_M3U = "#EXTM3U\n#EXTINF:-1,Station\n%s\n"
_PLS = "[playlist]\nFile1=%s\nTitle1=Station\nNumberOfEntries=1\n"
_ASX = '<asx version="3.0"><entry><ref href="%s"/></entry></asx>'
_XSPF = '<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>%s</location></track></trackList></playlist>'
_REFERENCE = "[Reference]\r\nRef1=%s\r\n"
# Path of the playlist, its type, its text, and what it names the song.
_LISTS: Mapping[str, tuple[str, str, str, str]] = {
    "m3u": ("/list.m3u", "audio/x-mpegurl", _M3U, "BASE/song.mp3"),
    "m3u-relative": ("/a/list.m3u", "audio/x-mpegurl", _M3U, "../song.mp3"),
    "m3u-absolute-path": ("/a/list.m3u", "audio/x-mpegurl", _M3U, "/song.mp3"),
    "m3u-by-type": ("/listen", "audio/x-mpegurl", "%s\n", "BASE/song.mp3"),
    "m3u-as-text": ("/listen", "text/plain", "%s\n", "BASE/song.mp3"),
    "m3u-as-html": ("/listen", "text/html", _M3U, "BASE/song.mp3"),
    "m3u-typeless": ("/list.m3u?x=1", "", _M3U, "BASE/song.mp3"),
    "m3u-dead-first": (
        "/list.m3u",
        "audio/mpegurl",
        "BASE/gone.mp3\nBASE/also.mp3\n%s\n",
        "BASE/song.mp3",
    ),
    "m3u-signed": ("/list.m3u", "audio/mpegurl", _M3U, "BASE/song.mp3?sig=a%2Bb"),
    "m3u8": ("/list.m3u8", "application/vnd.apple.mpegurl", _M3U, "BASE/song.mp3"),
    "pls": ("/listen.pls", "audio/x-scpls", _PLS, "BASE/song.mp3"),
    "pls-by-type": ("/listen", "audio/x-scpls", _PLS, "BASE/song.mp3"),
    "pls-as-text": ("/listen", "text/plain", _PLS, "BASE/song.mp3"),
    "asx": ("/listen.asx", "video/x-ms-asf", _ASX, "BASE/song.mp3"),
    "asx-by-type": ("/listen", "video/x-ms-asx", _ASX, "BASE/song.mp3"),
    "xspf": ("/list.xspf", "application/xspf+xml", _XSPF, "BASE/song.mp3"),
    "reference": ("/listen.asx", "video/x-ms-asf", _REFERENCE, "BASE/song.mp3"),
}
_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "m3u": "audio/x-mpegurl",
    "ts": "video/mp2t",
    "mp3": "audio/mpeg",
}


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for name, (path, kind, text, song) in _LISTS.items():
        yield _list(f"web-list-{name}", path, kind, text % song)
    yield _list(
        "web-list-packed", "/list.m3u", "audio/mpegurl", _M3U % "BASE/song.mp3", "gzip"
    )
    yield _list(
        "web-list-utf-16",
        "/list.m3u",
        "audio/mpegurl",
        _M3U % "BASE/song.mp3",
        "utf-16",
    )
    yield served("web-list-redirected", "web-list", _redirected_list)
    yield served(
        "web-list-of-nothing-there",
        "web-list",
        lambda web, _: _list_at(web, "/list.m3u", "audio/mpegurl", b"gone.mp3\n"),
        right=Fails(MediaNotFoundError, "the server does not have it"),
    )
    for name, build in PRESENTATIONS.items():
        yield Row(
            name=f"web-hls-{name}",
            kind="web-hls",
            build=build,
            serve=_folder,
            right=right_of(name),
        )
    for name, serve in {
        "redirected": _redirected_playlist,
        "segments-redirected": _redirected_segments,
        "typeless": _typeless,
        "packed": _packed,
        "absolute": _absolute,
        "query": _queries,
    }.items():
        yield Row(
            name=f"web-hls-{name}",
            kind="web-hls",
            build=presentation,
            serve=serve,
            right=right_of("ts"),
        )


def _base(web: WebServer) -> str:
    return f"http://127.0.0.1:{web.port}"


def _list_at(web: WebServer, path: str, kind: str, content: bytes) -> str:
    return web.serve(path, whole(content, kind))


def _list(name: str, path: str, kind: str, text: str, coding: str = "utf-8") -> Row:
    def serve(web: WebServer, files: Files) -> str:
        web.serve("/song.mp3", whole(first_of(files)))
        filled = text.replace("BASE", _base(web))
        if coding == "gzip":
            content = gzip.compress(filled.encode())
        else:
            content = filled.encode(coding)
        return _list_at(web, path, kind, content)

    return served(name, "web-list", serve)


def _redirected_list(web: WebServer, files: Files) -> str:
    web.serve("/b/song.mp3", whole(first_of(files)))
    _list_at(web, "/b/list.m3u", "audio/mpegurl", b"#EXTM3U\nsong.mp3\n")
    return web.serve("/a/list", redirect("/b/list.m3u"))


def _offer(web: WebServer, folder: str, files: Files) -> str:
    """Offer all files in a folder, and return the address of the first."""
    for name, content in files.items():
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        web.serve(f"{folder}/{quote(name)}", ranged(content, kind))
    return f"{_base(web)}{folder}/{next(iter(files))}"


def _folder(web: WebServer, files: Files) -> str:
    return _offer(web, "/hls", files)


def _redirected_playlist(web: WebServer, files: Files) -> str:
    _offer(web, "/b", files)
    return web.serve("/a/start", redirect(f"/b/{PLAYLIST}"))


def _redirected_segments(web: WebServer, files: Files) -> str:
    _offer(web, "/b", files)
    for name in files:
        if name != PLAYLIST:
            web.serve(f"/a/{name}", redirect(f"/b/{name}"))
    return web.serve(f"/a/{PLAYLIST}", whole(files[PLAYLIST], _TYPES["m3u8"]))


def _typeless(web: WebServer, files: Files) -> str:
    for name, content in files.items():
        web.serve(f"/hls/{name}", ranged(content, ""))
    return f"{_base(web)}/hls/{PLAYLIST}"


def _packed(web: WebServer, files: Files) -> str:
    _offer(web, "/hls", files)
    squeezed = gzip.compress(files[PLAYLIST])
    return web.serve(f"/hls/{PLAYLIST}", _coded(squeezed))


def _coded(body: bytes) -> Behaviour:
    headers = (f"Content-Type: {_TYPES['m3u8']}", "Content-Encoding: gzip")
    size = f"Content-Length: {len(body)}"
    return lambda exchange: exchange.answer("200 OK", *headers, size, body=body)


def _absolute(web: WebServer, files: Files) -> str:
    _offer(web, "/b", files)
    return _rewritten(web, files, lambda name: f"{_base(web)}/b/{name}")


def _queries(web: WebServer, files: Files) -> str:
    for name, content in files.items():
        if name != PLAYLIST:
            web.serve(f"/a/{name}", _with_token(content))
    return _rewritten(web, files, lambda name: f"{name}?token=a%2Fb")


def _with_token(content: bytes) -> Behaviour:
    def serve(exchange: Exchange) -> None:
        is_allowed = exchange.path.endswith("?token=a%2Fb")
        (ranged(content) if is_allowed else status("403 Forbidden"))(exchange)

    return serve


def _rewritten(web: WebServer, files: Files, name: Callable[[str], str]) -> str:
    lines = files[PLAYLIST].decode().splitlines()
    text = "\n".join(name(line) if line in files else line for line in lines)
    return web.serve(f"/a/{PLAYLIST}", whole(text.encode(), _TYPES["m3u8"]))
