"""The kind of content, by its first bytes and by its declared type."""

from enum import Enum, auto
import re

from .playlist_formats.text import decoded, is_packed
from .playlists import PlaylistKind, named_kind, playlist_kind, playlist_text


class Kind(Enum):
    """The kind of content at an address."""

    MEDIA = auto()
    SEGMENTS = auto()
    DASH = auto()
    PLAYLIST = auto()
    PAGE = auto()
    PICTURE = auto()
    EMPTY = auto()


HEAD_BYTES = 4096

_DASH_TYPE = "application/dash+xml"
_PAGE_TYPES = {"text/html", "application/xhtml+xml", "application/json"}
_PAGE = re.compile(
    rb"<(!doctype|html|head|body|\?xml|script|!--|[a-z]+>)", re.IGNORECASE
)
_JSON = re.compile(rb'(\{\s*["}])|(\[\s*["\[{\]])')
_DASH = re.compile(rb"<MPD[\s>]")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
# No text has these and all audio soon does, whatever type the server declares.
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a]")


def kind_of(head: bytes, content_type: str = "", name: str = "") -> Kind:
    """Return the kind of content with these first bytes; they outweigh type and name."""
    if not head:
        return Kind.EMPTY
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    content_type = content_type.partition(";")[0].strip().lower()
    if text.startswith(b"#EXTM3U") and b"#EXT-X-" in text:
        return Kind.SEGMENTS
    if _is_playlist(head, content_type, name):
        return Kind.PLAYLIST
    if _PAGE.match(text) and _DASH.search(text):
        return Kind.DASH
    if _PAGE.match(text) or _JSON.match(text):
        return Kind.PAGE
    if text.startswith(_PICTURES):
        return Kind.PICTURE
    return Kind.MEDIA if _CONTROLS.search(text) else _kind_of_type(content_type)


def is_text(head: bytes) -> bool:
    """Whether content may be a text, of which more must be known; not so audio."""
    return is_packed(head) or not _CONTROLS.search(decoded(head).encode())


def _kind_of_type(content_type: str) -> Kind:
    """Return the kind of a text by its type, if its bytes do not decide."""
    if content_type in _PAGE_TYPES:
        return Kind.PAGE
    if content_type.startswith("image/"):
        return Kind.PICTURE
    return Kind.DASH if content_type == _DASH_TYPE else Kind.MEDIA


def _is_playlist(head: bytes, content_type: str, name: str) -> bool:
    hint = named_kind(name, content_type)
    kind = playlist_kind(playlist_text(head, HEAD_BYTES), hint)
    # Segments are in the hands of libav, which knows their plain form only.
    return kind not in {None, PlaylistKind.SEGMENTS}
