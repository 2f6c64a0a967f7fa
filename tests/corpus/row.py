"""A row of the corpus: a file or a server, and what is right."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import hashlib
from typing import Any

from tests.raop.audio.web_server import WebServer

from .judge import RATE, Plays, Right
from .workshop import Encoding, Workshop

# Files by their names, the one that plays first.
type Files = Mapping[str, bytes]
type Build = Callable[[Workshop], Files]
# Offers files on a server, and returns the address that plays.
type Serve = Callable[[WebServer, Files], str]


_PLAYS = Plays()
_CUT_MUXERS = {"ipod", "mp4", "mov", "3gp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Media that are made on demand; `serve` offers them on a server.

    `kind` is what a third is chosen from. `is_url`: its path plays as a file URL.
    """

    name: str
    kind: str
    build: Build
    right: Right = _PLAYS
    serve: Serve | None = None
    is_url: bool = False


def encoded(
    name: str, kind: str, extension: str, wanted: Encoding, right: Right | None = None
) -> Row:
    """Return the row of a file as ffmpeg encodes it."""
    return patched(name, kind, f"song.{extension}", wanted, right=right)


def patched(
    name: str,
    kind: str,
    file_name: str,
    wanted: Encoding,
    patch: Callable[[bytes], bytes] = bytes,
    right: Right | None = None,
) -> Row:
    """Return the row of a file as ffmpeg encodes it, and somebody changes it."""
    return Row(
        name=name,
        kind=kind,
        build=lambda workshop: {file_name: patch(workshop.encode(wanted))},
        right=right or right_of(wanted),
    )


def written(
    name: str, kind: str, file_name: str, content: bytes, right: Right = _PLAYS
) -> Row:
    """Return the row of a file that is written by hand."""
    return Row(name=name, kind=kind, build=lambda _: {file_name: content}, right=right)


def right_of(wanted: Encoding, **more: Any) -> Plays:
    """Return what is right for an encoding as it is."""
    most = None
    is_lossy = not wanted.codec.startswith(("pcm_", "alac", "flac"))
    if wanted.muxer in _CUT_MUXERS and is_lossy:
        most = -(-wanted.frames * RATE // wanted.rate)
    return Plays(is_mono=wanted.channels == 1, most_frames=most, **more)


def third(rows: Iterable[Row]) -> list[Row]:
    """Return the third of each kind that every run has, the same until rows change."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row)
    chosen = set()
    for same in kinds.values():
        ranked = sorted(
            same, key=lambda row: hashlib.sha256(row.name.encode()).digest()
        )
        chosen |= {row.name for row in ranked[: -(-len(same) // 3)]}
    return [row for same in kinds.values() for row in same if row.name in chosen]
