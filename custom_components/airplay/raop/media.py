"""Media that a command names, and what it may open."""

import base64
import binascii
from dataclasses import dataclass, field
from enum import StrEnum

from .errors import RaopError

# The largest picture that media may contain: as Base64 it fits a line to the owner.
MAX_PICTURE_BYTES = 3 * ((4 << 20) - 4096) // 4
_PICTURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


class Loudness(StrEnum):
    """Which tags level the loudness: of each track, of its album, or none."""

    OFF = "off"
    TRACK = "track"
    ALBUM = "album"


class MediaKind(StrEnum):
    """What a caller knows media to be: speech, a radio station, or nothing.

    It decides how long a server is waited for, and what follows the end of a transfer:
    speech is finite, a station is not, and anything else shows what it is.
    """

    SPEECH = "speech"
    RADIO = "radio"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The known tags of the playing media; absent tags are unknown."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    track: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaBounds:
    """What media may open besides the address that a user named.

    `own_server` is the caller itself, as "host:port": its certificate is not checked.
    Local files that a playlist names must be in one of the `folders`; None: anywhere.
    `named_by` is the address of the server whose playlist named the media: like all
    that comes from there, it may be public or in the private network of that server.
    None: the user named it.
    """

    own_server: str | None = None
    folders: tuple[str, ...] | None = None
    named_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Media to open: a URL or the path of a file, and what the caller knows about it.

    Errors show `name`, so that no signed URL reaches a log or a user; `item` is a
    mark that the caller chooses, and events repeat it.
    """

    url: str = field(repr=False)
    name: str
    item: str = ""
    kind: MediaKind = MediaKind.ANY
    bounds: MediaBounds = MediaBounds()
    position_ms: int = 0
    duration_ms: int | None = None
    tags: Tags = Tags()
    loudness: Loudness = Loudness.OFF


def picture_bytes(text: str) -> bytes:
    """Return the picture of a command. Raises RaopError: it is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as err:
        raise RaopError("the picture is not valid Base64") from err


def picture_type(content: bytes) -> str | None:
    """Return the content type of a picture that may be shown; None for anything else.

    Its first bytes decide, whatever its sender calls it.
    """
    for magic, content_type in _PICTURES:
        if content.startswith(magic):
            return content_type
    is_webp = content.startswith(b"RIFF") and content[8:12] == b"WEBP"
    return "image/webp" if is_webp else None
