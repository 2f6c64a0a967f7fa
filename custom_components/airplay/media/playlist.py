"""Pure parsers of M3U and PLS playlists; return the entries that may be played."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
import posixpath
import re
from urllib.parse import unquote, urljoin, urlsplit

from ..raop.api import PlaylistLine, is_pls, read_m3u, read_pls

MAX_PLAYLIST_BYTES = 1 << 20
MAX_ENTRIES = 10_000

_MAX_ADDRESS = 8192
_MAX_TEXT = 1000
_M3U_TYPES = {
    "application/mpegurl",
    "application/vnd.apple.mpegurl",
    "application/vnd.apple.mpegurl.audio",
    "application/x-mpegurl",
    "audio/m3u",
    "audio/mpegurl",
    "audio/x-m3u",
    "audio/x-mpegurl",
}
_PLS_TYPES = {"application/pls+xml", "audio/scpls", "audio/x-scpls"}
_M3U_NAMES = (".m3u", ".m3u8")
_PLS_NAMES = (".pls",)
_LOCAL_SOURCE = "media-source://media_source/"

_SEGMENTS = re.compile(r"[\r\n][ \t]*#EXT-X-")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|file:|[a-z]:[\\/]", re.IGNORECASE)
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
    """One entry of a playlist; `url` may also be a path or media-source ID."""

    url: str = field(repr=False)
    title: str | None = None
    artist: str | None = None
    duration_ms: int | None = None


def is_playlist(media_content_id: str, mime_type: str | None = None) -> bool:
    """Whether media looks like a playlist, by its type or otherwise by its name."""
    kind = _plain_type(mime_type)
    if kind in _M3U_TYPES | _PLS_TYPES:
        return True
    if kind.startswith(("audio/", "video/", "image/")):
        return False
    return _path(media_content_id).endswith(_M3U_NAMES + _PLS_NAMES)


def parse_playlist(
    playlist: str | bytes, base_url: str, content_type: str | None = None
) -> list[Entry]:
    """Return the entries of a playlist in order; raise PlaylistError.

    `base_url` is its origin: a web address, the path of a local file, or the ID of
    local media. Entries are web addresses, or, for a local playlist, also local ones in
    its folder or below. Links are not resolved here, so code that opens a path must
    check it again. Other entries are omitted.
    """
    if len(playlist) > MAX_PLAYLIST_BYTES:
        size = MAX_PLAYLIST_BYTES >> 20
        text = f"the playlist is longer than {size} MiB"
        raise PlaylistError(text, "media_playlist_large", size=size)
    text = _decoded(playlist)
    found = _raw_entries(text, base_url, _plain_type(content_type))
    raws = list(islice(found, MAX_ENTRIES + 1))
    if len(raws) > MAX_ENTRIES:
        text = f"the playlist has more than {MAX_ENTRIES} entries"
        raise PlaylistError(text, "media_playlist_long", count=MAX_ENTRIES)
    entries = [entry for raw in raws if (entry := _entry(raw, base_url))]
    if raws and not entries:
        text = "the playlist has no entries that may be played"
        raise PlaylistError(text, "media_folder_empty")
    return entries


def _decoded(playlist: str | bytes) -> str:
    if isinstance(playlist, str):
        return playlist.removeprefix("\ufeff").lstrip()
    playlist = playlist.removeprefix(BOM_UTF8)
    try:
        return playlist.decode().lstrip()
    except UnicodeDecodeError:
        return playlist.decode("latin-1").lstrip()


def _plain_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _path(address: str) -> str:
    """Return the lowercase path of an address; that of a file as it is."""
    if _WEB.match(address):
        address = re.split(r"[?#]", address, maxsplit=1)[0]
    return address.lower()


def _raw_entries(text: str, base_url: str, content_type: str) -> Iterator[PlaylistLine]:
    """Detect the kind of playlist and read it."""
    if "\0" in text or text.startswith("<"):
        raise NotAPlaylistError("not a playlist")
    path = _path(base_url)
    if is_pls(text):
        return read_pls(text)
    if text.startswith("#EXTM3U"):
        if _SEGMENTS.search(text):
            raise HlsPlaylistError("a segmented stream, not a playlist")
        return read_m3u(text)
    if content_type in _PLS_TYPES or path.endswith(_PLS_NAMES):
        return read_pls(text)
    named = content_type in _M3U_TYPES or path.endswith(_M3U_NAMES)
    if named or _WEB.match(text):
        return read_m3u(text)
    raise NotAPlaylistError("not a playlist")


def _entry(raw: PlaylistLine, base_url: str) -> Entry | None:
    """Return an entry, or None if a playlist from there must not play it."""
    is_sane = 0 < len(raw.address) <= _MAX_ADDRESS and not _CONTROL.search(raw.address)
    url = _resolved(raw.address, base_url) if is_sane else None
    if url is None:
        return None
    artist, dash, title = _text(raw.name).partition(" - ")
    if not dash or not artist.strip() or not title.strip():
        artist, title = "", _text(raw.name)
    return Entry(
        url=url,
        title=title.strip() or None,
        artist=artist.strip() or None,
        duration_ms=_duration_ms(raw.seconds),
    )


def _text(name: str) -> str:
    return _CONTROL.sub(" ", name).strip()[:_MAX_TEXT]


def _duration_ms(seconds: str) -> int | None:
    """Return a length; radio stations use -1 or 0."""
    known = re.fullmatch(r"[0-9]{1,7}(\.[0-9]+)?", seconds)
    return round(float(seconds) * 1000) or None if known else None


def _resolved(address: str, base_url: str) -> str | None:
    if _WEB.match(address):
        return _web_address(address, "")
    if _WEB.match(base_url):
        return _web_address(address, base_url)
    if base_url.startswith(_LOCAL_SOURCE):
        place = base_url.removeprefix(_LOCAL_SOURCE.rstrip("/"))
        # The position of a file system path among the media is unknown here.
        is_relative = address[0] not in "/\\" and not _SCHEME.match(address)
        path = _local_path(address, place) if is_relative else None
        return path and _LOCAL_SOURCE + path[1:]
    return _local_path(address, base_url) if base_url.startswith("/") else None


def _web_address(address: str, base_url: str) -> str | None:
    """Return an absolute web address; None for files, pipes, and anything else."""
    if not _SCHEME.match(address):
        address = address.replace("\\", "/")
    try:
        parts = urlsplit(urljoin(base_url, address).replace(" ", "%20"))
        is_web = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        return None
    return parts.geturl() if is_web and parts.hostname else None


def _local_path(address: str, playlist: str) -> str | None:
    """Return a path in the playlist's folder; None for other paths."""
    if address.lower().startswith(("file:///", "file://localhost/")):
        address = unquote(address[address.index("/", len("file://")) :])
    elif _SCHEME.match(address):
        return None
    else:
        address = address.replace("\\", "/")
    folder = posixpath.normpath(posixpath.dirname(playlist)).rstrip("/")
    path = posixpath.normpath(posixpath.join(folder + "/", address))
    is_inside = path.startswith(folder + "/") and path != "/"
    return path if is_inside and not _CONTROL.search(path) else None
