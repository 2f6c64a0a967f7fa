"""What servers answer before the sound: redirects, statuses, and odd headers."""

from base64 import b64encode
from collections.abc import Iterator

from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaUnreachableError,
)
from tests.raop.audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    endless_header_line,
    endless_headers,
    in_turn,
    redirect,
    silent,
    status,
    whole,
)

from ..judge import Fails, Right
from ..row import Files, Row, Serve
from .songs import Behave, at, first_of, offered, served

_LOGIN = ("Authorization: Basic " + b64encode(b"me:p@ss").decode()).lower()


def _unreachable(reason: str) -> Fails:
    return Fails(MediaUnreachableError, reason)


_NO_HTTP = _unreachable("its server does not speak HTTP as it should")
_IN_A_CIRCLE = _unreachable("its server redirects in a circle")
_NOWHERE = _unreachable("the server has a problem (HTTP 302)")
_NO_WEB = _unreachable("its server redirects to something that is not the web")
_FORBIDDEN = Fails(MediaForbiddenError, "the server does not allow it without a login")
_GONE = Fails(MediaNotFoundError, "the server does not have it")
_PAGE = Fails(MediaNotAudioError, "its address leads to a web page")
_STATUSES: dict[int, Fails] = {
    400: Fails(MediaError, "the server refuses it (HTTP 400)"),
    401: _FORBIDDEN,
    403: _FORBIDDEN,
    404: _GONE,
    406: Fails(MediaError, "the server refuses it (HTTP 406)"),
    410: _GONE,
    429: _unreachable("the server has a problem (HTTP 429)"),
    451: Fails(MediaError, "the server refuses it (HTTP 451)"),
    500: _unreachable("the server has a problem (HTTP 500)"),
    502: _unreachable("the server has a problem (HTTP 502)"),
    503: _unreachable("the server has a problem (HTTP 503)"),
    504: _unreachable("the server has a problem (HTTP 504)"),
}


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    yield from _redirects()
    for number, right in _STATUSES.items():
        behaviour = status(f"{number} Whatever")
        yield _answer(f"status-{number}", behaviour, right)
    yield _answer(
        "status-404-page", _page("404 Not Found", "<html>Not here</html>"), _GONE
    )
    yield _answer(
        "status-200-page", _page("200 OK", "<html>Please log in</html>"), _PAGE
    )
    yield _answer(
        "status-200-empty",
        status("200 OK"),
        Fails(MediaEmptyError, "it is empty"),
    )
    yield offered("status-503-then-sound", "status", _busy("Retry-After: 1"))
    yield from _headers()
    yield from _wrong_types()
    yield from _broken_answers()
    yield from _addresses()


def _answer(name: str, behaviour: Behaviour, right: Right) -> Row:
    kind = name.partition("-")[0]
    return served(name, kind, at("/song.mp3", behaviour), right=right)


def _page(line: str, text: str) -> Behaviour:
    headers = ("Content-Type: text/html", f"Content-Length: {len(text)}")
    return lambda exchange: exchange.answer(line, *headers, body=text.encode())


def _busy(*headers: str) -> Behave:
    return lambda body, kind: in_turn(
        status("503 Service Unavailable", *headers), whole(body, kind)
    )


def _redirects() -> Iterator[Row]:
    for number in (301, 302, 303, 307, 308):
        yield _redirected(f"redirect-{number}", "/x/song.mp3", line=f"{number} Moved")
    places = {
        "relative": "y/song.mp3",
        "up": "../song.mp3",
        "query": "/x/song.mp3?token=a%20b&c=%2F",
        "query-only": "?again=1",
        "without-scheme": "//127.0.0.1:PORT/x/song.mp3",
        "utf-8": "/x/Lied über.mp3",
        "blanks": "  /x/song.mp3  ",
        "blank-inside": "/x/a song.mp3",
        "fragment": "/x/song.mp3#t=10",
        "escaped": "/x/caf%C3%A9.mp3",
    }
    for name, place in places.items():
        yield _redirected(f"redirect-{name}", place)
    for count in (5, 12, 20):
        yield _chain(f"redirect-{count}-times", count)
    yield _answer("redirect-in-a-circle", redirect("/song.mp3"), _IN_A_CIRCLE)
    yield _answer("redirect-nowhere", status("302 Found"), _NOWHERE)
    yield _answer("redirect-to-ftp", redirect("ftp://127.0.0.1/x.mp3"), _NO_WEB)
    yield _answer("redirect-to-file", redirect("file:///etc/passwd"), _NO_WEB)
    yield _answer("redirect-to-404", redirect("/gone.mp3"), _GONE)


def _redirected(name: str, place: str, line: str = "302 Found") -> Row:
    def serve(web: WebServer, files: Files) -> str:
        song = whole(first_of(files))
        moved = redirect(place.replace("PORT", str(web.port)), line)

        def rest(exchange: Exchange) -> None:
            is_first = exchange.path == "/x/start"
            (moved if is_first else song)(exchange)

        for path in ("/x/song.mp3", "/x/y/song.mp3", "/song.mp3", "/x/caf%C3%A9.mp3"):
            web.serve(path, song)
        for path in ("/x/Lied%20%C3%BCber.mp3", "/x/a%20song.mp3"):
            web.serve(path, song)
        return web.serve("/x/start", rest)

    return served(name, "redirect", serve)


def _chain(name: str, count: int) -> Row:
    def serve(web: WebServer, files: Files) -> str:
        for number in range(count):
            web.serve(f"/{number}", redirect(f"/{number + 1}"))
        web.serve(f"/{count}", whole(first_of(files)))
        return f"http://127.0.0.1:{web.port}/0"

    return served(name, "redirect", serve)


def _raw(head: str) -> Behave:
    """Answer with a head as it stands; LENGTH in it is replaced."""

    def behave(body: bytes, _: str) -> Behaviour:
        octets = head.replace("LENGTH", str(len(body))).encode("latin-1")
        return lambda exchange: exchange.send(octets + body)

    return behave


_SIZE = "Content-Length: LENGTH\r\n\r\n"


def _headers() -> Iterator[Row]:
    heads = {
        "lower-case": "HTTP/1.1 200 OK\r\ncontent-length: LENGTH\r\n\r\n",
        "line-feeds": "HTTP/1.1 200 OK\nContent-Length: LENGTH\n\n",
        "no-reason": f"HTTP/1.1 200\r\n{_SIZE}",
        "no-headers": "HTTP/1.0 200 OK\r\n\r\n",
        "folded": f"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n{_SIZE}",
        "blanks-around": "HTTP/1.1 200 OK\r\nContent-Length:   LENGTH  \r\n\r\n",
        "length-twice": f"HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n{_SIZE}",
        "length-negative": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "length-no-number": "HTTP/1.1 200 OK\r\nContent-Length: unknown\r\n\r\n",
        "length-plus": "HTTP/1.1 200 OK\r\nContent-Length: +LENGTH\r\n\r\n",
        "latin": f"HTTP/1.1 200 OK\r\nX-Name: Caf\xe9\r\n{_SIZE}",
        "long": f"HTTP/1.1 200 OK\r\nX-Long: {'a' * 30000}\r\n{_SIZE}",
        "many": "HTTP/1.1 200 OK\r\n" + 90 * "Set-Cookie: a=b\r\n" + _SIZE,
        "continue": f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{_SIZE}",
        "early-hints": (
            f"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\n{_SIZE}"
        ),
        "icy": "ICY 200 OK\r\n\r\n",
        "odd-line": f"HTTP/1.1 200 OK\r\nwithout a colon\r\n{_SIZE}",
    }
    for name, head in heads.items():
        yield offered(f"header-{name}", "header", _raw(head), "bare.mp3")


def _wrong_types() -> Iterator[Row]:
    types = {
        "mp3": ("text/html", "text/plain", "application/octet-stream", "image/png"),
        "flac": ("audio/mpeg", "application/ogg", "video/mp4", "audio/x-scpls"),
        "wav": ("binary/octet-stream", "audio/mpegurl", "nonsense", ""),
    }
    for song, wrong in types.items():
        for kind in wrong:

            def behave(body: bytes, _: str, kind: str = kind) -> Behaviour:
                return whole(body, kind)

            name = f"type-{kind.replace('/', '-') or 'none'}-{song}"
            yield offered(name, "type", behave, song, path="/stream")


def _broken_answers() -> Iterator[Row]:
    yield _answer("answer-none", lambda _: None, _unreachable(_BROKEN))
    yield _answer(
        "answer-garbage", lambda e: e.send(b"\x01\x02 what\r\n\r\n"), _NO_HTTP
    )
    yield _answer("answer-ssh", lambda e: e.send(b"SSH-2.0-x\r\n"), _NO_HTTP)
    yield _answer(
        "answer-half", lambda e: e.send(b"HTTP/1.1 200 OK\r\nX: y"), _GIVES_UP
    )
    yield _answer("answer-endless-headers", endless_headers, _NO_HTTP)
    yield _answer("answer-endless-line", endless_header_line, _NO_START)
    yield _answer("answer-silence", silent, _unreachable(_LATE))
    yield served("answer-refused", "answer", _refusing, right=_unreachable(_REFUSES))
    yield served("answer-no-tls", "answer", _tls_to_plain, right=_unreachable(_LATE))
    yield served(
        "answer-no-such-name",
        "answer",
        lambda _web, _files: "http://nowhere.invalid/song.mp3",
        right=_unreachable("the name of its server cannot be resolved"),
    )


_BROKEN = "its server broke off the connection"
_LATE = "its server does not answer in time"
_REFUSES = "its server refuses the connection"
_NO_START = _unreachable("it did not start in time")
# An answer without a body, which http.client reads as a whole one.
_GIVES_UP = Fails(MediaEmptyError, "it is empty")


def _refusing(_web: WebServer, _: Files) -> str:
    other = WebServer()
    port = other.port
    other.close()
    return f"http://127.0.0.1:{port}/song.mp3"


def _tls_to_plain(web: WebServer, _: Files) -> str:
    web.serve("/song.mp3", silent)
    return f"https://127.0.0.1:{web.port}/song.mp3"


def _addresses() -> Iterator[Row]:
    paths = {
        "query": "/song.mp3?a=1&b=%20#x",
        "blank": "/my song.mp3",
        "utf-8": "/Lied über.mp3",
        "escaped": "/Lied%20%C3%BCber.mp3",
        "emoji": "/🎵.mp3",
        "plus": "/a+b&c.mp3",
        "brackets": "/a[1]{2}|3.mp3",
        "dots": "/a/../song.mp3",
        "slashes": "//song.mp3",
        "nothing": "",
        "percent": "/100%.mp3",
    }
    for name, path in paths.items():
        yield _addressed(name, path)
    yield served(
        "address-blanks-around",
        "address",
        lambda web, files: f"  {_anywhere(web, files)}/song.mp3 \n",
    )
    yield served(
        "address-upper-case",
        "address",
        lambda web, files: _anywhere(web, files).replace("http", "HTTP") + "/song.mp3",
    )
    for name, login, right in (
        ("login", "me:p%40ss@", None),
        ("login-wrong", "me:other@", _FORBIDDEN),
        ("login-missing", "", _FORBIDDEN),
    ):
        yield served(f"address-{name}", "address", _guarded(login), right=right)
    yield offered("head-refused", "address", _only_get)


def _anywhere(web: WebServer, files: Files) -> str:
    """Serve at every path, and return the address of the server."""
    web.serve_rest(whole(first_of(files)))
    return f"http://127.0.0.1:{web.port}"


def _addressed(name: str, path: str) -> Row:
    def serve(web: WebServer, files: Files) -> str:
        return _anywhere(web, files) + path

    return served(f"address-{name}", "address", serve)


def _guarded(login: str) -> Serve:
    def behave(song: Behaviour) -> Behaviour:
        def serve(exchange: Exchange) -> None:
            is_allowed = _LOGIN in exchange.head.lower()
            refusal = status("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
            (song if is_allowed else refusal)(exchange)

        return serve

    def serve(web: WebServer, files: Files) -> str:
        web.serve("/song.mp3", behave(whole(first_of(files))))
        return f"http://{login}127.0.0.1:{web.port}/song.mp3"

    return serve


def _only_get(body: bytes, kind: str) -> Behaviour:
    def serve(exchange: Exchange) -> None:
        is_get = exchange.head.startswith("GET ")
        (whole(body, kind) if is_get else status("405 Method Not Allowed"))(exchange)

    return serve
