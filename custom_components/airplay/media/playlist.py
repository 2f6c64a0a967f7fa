"""Pure resolution of playlists: the entries that may be played, seen from their origin."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
import posixpath
import re

from ..raop.api import (
    PlaylistKind,
    PlaylistLine,
    local_paths,
    named_kind,
    playlist_kind,
    playlist_text,
    read_playlist,
    web_address,
)

MAX_PLAYLIST_BYTES = 1 << 20
MAX_ENTRIES = 10_000

_MAX_ADDRESS = 8192
_MAX_TEXT = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)


class PlaylistError(Exception):
    """The playlist cannot be used; the text gives the reason and contains no address.

    `key` is the translation key for users, `numbers` its placeholders.
    """

    def __init__(
        self, text: str, key: str = "media_playlist_unreadable", **numbers: int
    ) -> None:
        """Initialize with the reason, for logs and for users."""
        super().__init__(text)
        self.key = key
        self.numbers = numbers


class NotAPlaylistError(PlaylistError):
    """The content is not a playlist, and may itself be playable."""


class HlsPlaylistError(PlaylistError):
    """The playlist lists the segments of one stream, which is played as a whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a playlist; `url` may also be a path or media-source ID.

    `others` are what it means instead, if `url` does not exist.
    """

    url: str = field(repr=False)
    title: str | None = None
    artist: str | None = None
    duration_ms: int | None = None
    album: str | None = None
    picture: str | None = field(default=None, repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """The path of a local playlist, and the media folder that its entries must be in.

    `id_prefix` begins the IDs of media in that folder; without it, entries are paths.
    """

    path: str
    root: str
    id_prefix: str | None = None

    def url_of(self, path: str) -> str | None:
        """Return the ID or the path of a file, None for one outside the folder."""
        # Dots are resolved before, and links by whoever opens the file.
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), path))
        root = self.root.rstrip("/") + "/"
        if not path.startswith(root) or path == "/" or _CONTROL.search(path):
            return None
        return path if self.id_prefix is None else self.id_prefix + path[len(root) :]

    def path_of(self, url: str) -> str:
        """Return the path of an entry that is no web address."""
        if self.id_prefix is None:
            return url
        return f"{self.root.rstrip('/')}/{url.removeprefix(self.id_prefix)}"


def is_web(address: str) -> bool:
    """Whether an address is one of the web."""
    return _WEB.match(address) is not None


def is_playlist(media_content_id: str, mime_type: str | None = None) -> bool:
    """Whether media looks like a playlist, by its type or otherwise by its name."""
    return named_kind(media_content_id, mime_type) is not None


def parse_playlist(
    playlist: bytes, origin: str | LocalPlace, content_type: str | None = None
) -> list[Entry]:
    """Return the entries of a playlist in order; raise PlaylistError.

    `origin` is its web address, or its place in a media folder. Entries are web
    addresses, or, for a local playlist, also local ones in its media folder. Links are
    not resolved here, so code that opens a path must check it again. Other entries are
    omitted.
    """
    text = playlist_text(playlist, MAX_PLAYLIST_BYTES + 1)
    if max(len(playlist), len(text)) > MAX_PLAYLIST_BYTES:
        size = MAX_PLAYLIST_BYTES >> 20
        reason = f"the playlist is longer than {size} MiB"
        raise PlaylistError(reason, "media_playlist_large", size=size)
    name = origin if isinstance(origin, str) else origin.path
    kind = playlist_kind(text, named_kind(name, content_type))
    if kind is None:
        raise NotAPlaylistError("not a playlist")
    if kind is PlaylistKind.SEGMENTS:
        raise HlsPlaylistError("a segmented stream, not a playlist")
    lines = list(islice(read_playlist(text, kind), MAX_ENTRIES + 1))
    if len(lines) > MAX_ENTRIES:
        reason = f"the playlist has more than {MAX_ENTRIES} entries"
        raise PlaylistError(reason, "media_playlist_long", count=MAX_ENTRIES)
    entries = [entry for line in lines if (entry := _entry(line, origin))]
    if lines and not entries:
        reason = "the playlist has no entries that may be played"
        raise PlaylistError(reason, "media_folder_empty")
    return entries


def _entry(line: PlaylistLine, origin: str | LocalPlace) -> Entry | None:
    """Return an entry, or None if a playlist from there must not play it."""
    urls = dict.fromkeys(
        url for each in (line.address, *line.others) for url in _resolved(each, origin)
    )
    if not urls:
        return None
    url, *others = urls
    artist, title = _names(line)
    return Entry(
        url=url,
        title=title or None,
        artist=artist or None,
        duration_ms=_duration_ms(line.seconds),
        album=_text(line.album) or None,
        picture=_picture(line.picture, origin),
        others=tuple(others),
    )


def _picture(address: str, origin: str | LocalPlace) -> str | None:
    """Return the web address of a picture, None for any other."""
    is_local = isinstance(origin, LocalPlace)
    if is_local and not is_web(address):
        return None
    return next(iter(_resolved(address, origin)), None)


def _names(line: PlaylistLine) -> tuple[str, str]:
    """Return artist and title, which most formats have in one text."""
    name = _text(line.name)
    if line.artist:
        return _text(line.artist), name
    artist, dash, title = map(str.strip, name.partition(" - "))
    return (artist, title) if dash and artist and title else ("", name)


def _text(name: str) -> str:
    return _CONTROL.sub(" ", name).strip()[:_MAX_TEXT]


def _duration_ms(seconds: str) -> int | None:
    """Return a length; radio stations use -1 or 0."""
    known = re.fullmatch(r"[0-9]{1,7}(\.[0-9]+)?", seconds)
    return round(float(seconds) * 1000) or None if known else None


def _resolved(address: str, origin: str | LocalPlace) -> Iterable[str]:
    """Return all that an address may mean, the likeliest first."""
    if not 0 < len(address) <= _MAX_ADDRESS or _CONTROL.search(address):
        return ()
    if isinstance(origin, str) or is_web(address):
        base = origin if isinstance(origin, str) and is_web(origin) else ""
        found = web_address(address, base)
        return (found,) if found else ()
    paths = map(origin.url_of, local_paths(address))
    return [path for path in paths if path]
