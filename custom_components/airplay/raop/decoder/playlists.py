"""Playlists of all formats: what kind one is, and its entries.

The decoder processes and Home Assistant's process read them with this, and nothing else.
"""

from collections.abc import Callable, Iterator
from enum import Enum, auto
import re

from .playlist_formats.entry import PlaylistLine
from .playlist_formats.lines import read_m3u, read_pls, read_references
from .playlist_formats.markup import read_markup
from .playlist_formats.text import decoded, unpacked

MAX_PLAYLIST_BYTES = 1 << 16


class PlaylistKind(Enum):
    """The formats of playlists; SEGMENTS lists the pieces of one stream (HLS)."""

    M3U = auto()
    PLS = auto()
    REFERENCE = auto()
    MARKUP = auto()
    SEGMENTS = auto()


_READERS: dict[PlaylistKind, Callable[[str], Iterator[PlaylistLine]]] = {
    PlaylistKind.M3U: read_m3u,
    PlaylistKind.PLS: read_pls,
    PlaylistKind.REFERENCE: read_references,
    PlaylistKind.MARKUP: read_markup,
    PlaylistKind.SEGMENTS: read_m3u,
}
_TYPES = {
    "application/mpegurl": PlaylistKind.M3U,
    "application/vnd.apple.mpegurl": PlaylistKind.M3U,
    "application/vnd.apple.mpegurl.audio": PlaylistKind.M3U,
    "application/x-mpegurl": PlaylistKind.M3U,
    "audio/m3u": PlaylistKind.M3U,
    "audio/mpegurl": PlaylistKind.M3U,
    "audio/x-m3u": PlaylistKind.M3U,
    "audio/x-mpegurl": PlaylistKind.M3U,
    "application/pls+xml": PlaylistKind.PLS,
    "audio/scpls": PlaylistKind.PLS,
    "audio/x-scpls": PlaylistKind.PLS,
    "application/xspf+xml": PlaylistKind.MARKUP,
    "audio/x-ms-wax": PlaylistKind.MARKUP,
    "video/x-ms-asx": PlaylistKind.MARKUP,
    "video/x-ms-wvx": PlaylistKind.MARKUP,
}
_NAMES = {
    ".m3u": PlaylistKind.M3U,
    ".m3u8": PlaylistKind.M3U,
    ".pls": PlaylistKind.PLS,
    ".asx": PlaylistKind.MARKUP,
    ".wax": PlaylistKind.MARKUP,
    ".wvx": PlaylistKind.MARKUP,
    ".xspf": PlaylistKind.MARKUP,
}
# What is audio by its type is no playlist, whatever it is called.
_OTHER_MEDIA = ("audio/", "video/", "image/")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_HEADS: tuple[tuple[re.Pattern[str], PlaylistKind], ...] = (
    (re.compile(r"#EXTM3U|#EXTINF:", re.IGNORECASE), PlaylistKind.M3U),
    (
        re.compile(r"\[playlist\]|file[0-9]{1,9}[ \t]*=", re.IGNORECASE),
        PlaylistKind.PLS,
    ),
    (
        re.compile(r"\[reference\]|ref[0-9]{1,9}[ \t]*=", re.IGNORECASE),
        PlaylistKind.REFERENCE,
    ),
    # A list of nothing but addresses, perhaps with comments above.
    (
        re.compile(
            r"(?:#[^\r\n]*[\r\n]\s*+)*+https?://[^\s<>]+[ \t]*(?:[\r\n]|\Z)",
            re.IGNORECASE,
        ),
        PlaylistKind.M3U,
    ),
)
_SEGMENTS = re.compile(r"[\r\n][ \t]*#EXT-X-")
_ROOT = re.compile(r"<(?:[a-z]{1,32}:)?(asx|playlist)(?=[\s>])", re.IGNORECASE)
_TRACKS = re.compile(r"<(?:[a-z]{1,32}:)?trackList[\s>]")
_MOST_DECLARATIONS = 16
# No text has these, and all audio soon does, whatever its name or type.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a]")
_LOOK = 4096


def playlist_text(content: bytes, most_bytes: int) -> str:
    """Return the text of a playlist, of which at most so many bytes are unpacked."""
    return decoded(unpacked(content, most_bytes))


def named_kind(address: str, content_type: str | None = None) -> PlaylistKind | None:
    """Return the kind that an address or its type suggests; None for anything else."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.startswith(_OTHER_MEDIA):
        return None
    if _WEB.match(address):
        address = re.split(r"[?#]", address, maxsplit=1)[0]
    path = address.lower().removesuffix(".gz")
    return next((kind for name, kind in _NAMES.items() if path.endswith(name)), None)


def playlist_kind(text: str, hint: PlaylistKind | None = None) -> PlaylistKind | None:
    """Return the kind of a playlist by its beginning, or else the hint.

    None: it is something else, whatever it is called.
    """
    if "\0" in text[:_LOOK]:
        return None
    if text.startswith("<"):
        return PlaylistKind.MARKUP if _is_markup(text) else None
    for head, kind in _HEADS:
        if head.match(text):
            is_segmented = kind is PlaylistKind.M3U and _SEGMENTS.search(text)
            return PlaylistKind.SEGMENTS if is_segmented else kind
    if hint is PlaylistKind.MARKUP or _CONTROLS.search(text, 0, _LOOK):
        return None
    return hint


def read_playlist(text: str, kind: PlaylistKind) -> Iterator[PlaylistLine]:
    """Yield the entries of a playlist of this kind in order."""
    return _READERS[kind](text)


def entries_of(playlist: bytes, hint: PlaylistKind | None = None) -> list[str]:
    """Return the addresses in a playlist, in order and without duplicates."""
    text = playlist_text(playlist, MAX_PLAYLIST_BYTES)
    lines = read_playlist(text, playlist_kind(text, hint) or PlaylistKind.M3U)
    addresses = (each for line in lines for each in (line.address, *line.others))
    return list(dict.fromkeys(address for address in addresses if address))


def _is_markup(text: str) -> bool:
    root = _ROOT.match(_without_declarations(text))
    if root is None:
        return False
    # Other things are called a playlist, too.
    return root[1].lower() == "asx" or _TRACKS.search(text) is not None


def _without_declarations(text: str) -> str:
    """Return markup from its first element on, if few comments and the like precede it."""
    at = 0
    for _ in range(_MOST_DECLARATIONS):
        if text.startswith("<!--", at):
            at = text.find("-->", at)
        elif not text.startswith(("<?", "<!"), at):
            break
        at = text.find("<", at + 1)
        if at < 0:
            return ""
    return text[at:]
