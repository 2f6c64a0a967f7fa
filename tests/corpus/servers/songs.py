"""The songs that servers offer, and how a row of one is made."""

from collections.abc import Callable

from tests.raop.audio.web_server import Behaviour, WebServer

from ..judge import Plays, Right
from ..row import Files, Row, Serve
from ..workshop import Encoding

_PNS = ("-aac_pns", "0")
_BARE = ("-write_xing", "0", "-id3v2_version", "0")
SONGS = {
    "mp3": Encoding("libmp3lame", "mp3", seconds=3),
    "flac": Encoding("flac", "flac", seconds=3),
    "wav": Encoding("pcm_s16le", "wav", seconds=3),
    "aac": Encoding("aac", "adts", seconds=3, options=_PNS),
    "ogg": Encoding("libvorbis", "ogg", seconds=3),
    "opus": Encoding("libopus", "opus", 48000, seconds=3),
    "m4a": Encoding(
        "aac", "ipod", seconds=3, options=(*_PNS, "-movflags", "+faststart")
    ),
    # With its index at the end.
    "late.m4a": Encoding("aac", "ipod", seconds=3, options=_PNS),
    # As a station sends it.
    "bare.mp3": Encoding("libmp3lame", "mp3", seconds=3, options=_BARE),
    "more.mp3": Encoding("libmp3lame", "mp3", seconds=3, options=_BARE, seed=2),
    "slow.mp3": Encoding("libmp3lame", "mp3", 48000, seconds=3, options=_BARE, seed=2),
    "more.aac": Encoding("aac", "adts", seconds=3, options=_PNS, seed=2),
}
TYPES = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
}

type Behave = Callable[[bytes, str], Behaviour]


def offered(
    name: str,
    kind: str,
    behave: Behave,
    song: str = "mp3",
    right: Right | None = None,
    path: str = "",
) -> Row:
    """Return the row of a server that offers one song in its own way."""
    address = path or f"/song.{song}"
    return served(
        name,
        kind,
        lambda web, files: web.serve(address, behave(first_of(files), type_of(song))),
        (song,),
        right,
    )


def served(
    name: str,
    kind: str,
    serve: Serve,
    songs: tuple[str, ...] = ("mp3",),
    right: Right | None = None,
) -> Row:
    """Return the row of a server that offers songs; the first is judged."""
    return Row(
        name=name,
        kind=kind,
        build=lambda workshop: {
            file_of(song): workshop.encode(SONGS[song]) for song in songs
        },
        right=right or Plays(),
        serve=serve,
    )


def file_of(song: str) -> str:
    """Return the name of the file of a song."""
    return f"song.{song}"


def type_of(song: str) -> str:
    """Return the content type of a song."""
    return TYPES[song.rpartition(".")[2]]


def first_of(files: Files) -> bytes:
    """Return the content of the first file."""
    return next(iter(files.values()))


def at(path: str, behaviour: Behaviour) -> Serve:
    """Serve at a path, whatever the files are."""

    def serve(web: WebServer, _: Files) -> str:
        return web.serve(path, behaviour)

    return serve
