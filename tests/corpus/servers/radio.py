"""Stations: titles in the sound, breaks, and what is only like a station."""

from collections.abc import Callable, Iterator

from tests.raop.audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    in_turn,
    radio,
    with_titles,
)

from ..judge import GoesOn, Loose
from ..row import Files, Row
from .songs import Behave, file_of, first_of, offered, served

_INTERVALS = (16, 256, 1000, 4096, 8192, 16000, 16384, 32768, 65535, 1000000)
_TITLE = "Sigur Rós - Svefn-g-englar"
# What a station's last connection had not yet decoded is lost with it.
_SEAM = Loose("the last block before a break is not whole", 4800, 0.97)
_HOLD_S = 15.0


def _finite(interval: int, *more: str) -> Behave:
    """Send a file with titles in its sound, and close."""

    def behave(body: bytes, kind: str) -> Behaviour:
        mixed = with_titles(body, interval, {0: _TITLE.encode()})

        def serve(exchange: Exchange) -> None:
            headers = (f"Content-Type: {kind}", f"icy-metaint: {interval}", *more)
            line = "HTTP/1.0 200 OK"
            exchange.send("\r\n".join((line, *headers, "", "")).encode() + mixed)

        return serve

    return behave


def _with_length(body: bytes, kind: str) -> Behaviour:
    """Send titles in the sound, and a length of everything."""
    mixed = with_titles(body, 4096, {0: _TITLE.encode()})
    headers = (f"Content-Type: {kind}", "icy-metaint: 4096")
    return lambda exchange: exchange.answer(
        "200 OK", *headers, f"Content-Length: {len(mixed)}", body=mixed
    )


def _titled(block: bytes) -> Callable[[bytes, str], Behaviour]:
    """Go on after sound with one title."""

    def behave(body: bytes, _: str) -> Behaviour:
        return radio(with_titles(body, 8192, {0: block}), _HOLD_S, interval=8192)

    return behave


def _station(*turns: tuple[str, ...], line: str, name: str) -> Row:
    """Return a station that sends songs, and others with the next connection."""

    def serve(web: WebServer, files: Files) -> str:
        connections = [
            radio(*(files[file_of(song)] for song in songs), status_line=line)
            for songs in turns[:-1]
        ]
        last = [files[file_of(song)] for song in turns[-1]]
        connections.append(radio(*last, _HOLD_S, status_line=line))
        return web.serve("/live", in_turn(*connections))

    songs = tuple(song for turn in turns for song in turn)
    of = tuple(map(file_of, songs))
    return served(name, "radio", serve, songs, GoesOn(of=of, loose=_SEAM))


def _nameless(name: str, first: str, second: str, *, length: bool) -> Row:
    """Return a station that says nothing of itself, and closes cleanly."""

    def once(body: bytes) -> Behaviour:
        sizes = ("Content-Length: 999999999",) if length else ()

        def serve(exchange: Exchange) -> None:
            head = ("HTTP/1.1 200 OK", "Content-Type: audio/mpeg", *sizes, "", "")
            exchange.send("\r\n".join(head).encode() + body)

        return serve

    def serve(web: WebServer, files: Files) -> str:
        last = files[file_of(second)]

        def stays(exchange: Exchange) -> None:
            once(last)(exchange)
            exchange.hold(_HOLD_S)

        return web.serve("/live", in_turn(once(first_of(files)), stays))

    of = (file_of(first), file_of(second))
    return served(name, "radio", serve, (first, second), GoesOn(of=of, loose=_SEAM))


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for interval in _INTERVALS:
        yield offered(f"icy-every-{interval}", "icy", _finite(interval), "bare.mp3")
    yield offered("icy-every-8192-flac", "icy", _finite(8192), "flac")
    yield offered("icy-every-8192-aac", "icy", _finite(8192), "aac")
    yield offered("icy-every-8192-ogg", "icy", _finite(8192), "ogg")
    yield offered("icy-with-length", "icy", _with_length, "bare.mp3")
    yield offered("icy-with-length-flac", "icy", _with_length, "flac")
    titles = {
        "utf-8": (_TITLE.encode(), ("Svefn-g-englar",)),
        "latin": ("Café Noir".encode("latin-1"), ("Café Noir",)),
        "quotes": (b"It's a 'Test'; really", ("It's a 'Test'; really",)),
        "long": (b"A" * 4000, ("A" * 1000,)),
        "empty": (b"", ()),
        "dash-only": (b" - ", ("-",)),
    }
    for name, (block, shown) in titles.items():
        right = GoesOn(of=("song.bare.mp3",), titles=shown)
        yield offered(f"title-{name}", "icy", _titled(block), "bare.mp3", right)
    for line in ("HTTP/1.0 200 OK", "HTTP/1.1 200 OK", "ICY 200 OK"):
        words = line.partition(" 200")[0].lower().replace("/", "-")
        yield _station(("bare.mp3",), line=line, name=f"radio-{words}")
        turns = (("bare.mp3",), ("more.mp3",))
        yield _station(*turns, line=line, name=f"radio-{words}-broken")
    yield _station(
        ("bare.mp3", "slow.mp3"), line="HTTP/1.0 200 OK", name="radio-other-rate"
    )
    yield _station(
        ("bare.mp3",),
        ("slow.mp3",),
        line="HTTP/1.0 200 OK",
        name="radio-broken-other-rate",
    )
    yield _station(
        ("bare.mp3",),
        ("more.aac",),
        line="HTTP/1.0 200 OK",
        name="radio-broken-other-codec",
    )
    yield _station(("aac",), ("more.aac",), line="HTTP/1.0 200 OK", name="radio-aac")
    yield _nameless("radio-nameless", "bare.mp3", "more.mp3", length=False)
    yield _nameless("radio-nameless-length", "bare.mp3", "more.mp3", length=True)
