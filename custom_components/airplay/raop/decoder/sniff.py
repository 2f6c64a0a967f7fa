"""The kind of content, by its first bytes and by its declared type."""

from enum import Enum, auto
import re


class Kind(Enum):
    """The kind of content at an address."""

    MEDIA = auto()
    SEGMENTS = auto()
    PLAYLIST = auto()
    PAGE = auto()
    PICTURE = auto()
    EMPTY = auto()


HEAD_BYTES = 4096

_SEGMENTS_TYPES = {"application/vnd.apple.mpegurl", "application/dash+xml"}
_PAGE_TYPES = {"text/html", "application/xhtml+xml", "application/json"}
_PAGE = re.compile(
    rb"<(!doctype|html|head|body|\?xml|script|!--|[a-z]+>)", re.IGNORECASE
)
_JSON = re.compile(rb'(\{\s*["}])|(\[\s*["\[{\]])')
_DASH = re.compile(rb"<MPD[\s>]")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
# No text has these and all audio soon does, whatever type the server declares.
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_ADDRESS = re.compile(rb"https?://\S+\s*$", re.MULTILINE)


def kind_of(head: bytes, content_type: str = "") -> Kind:
    """Return the kind of content with these first bytes; they outweigh the type."""
    if not head:
        return Kind.EMPTY
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    content_type = content_type.partition(";")[0].strip().lower()
    if text.startswith(b"#EXTM3U") and b"#EXT-X-" in text:
        return Kind.SEGMENTS
    if _is_playlist(text):
        return Kind.PLAYLIST
    if _PAGE.match(text) and _DASH.search(text):
        return Kind.SEGMENTS
    if _PAGE.match(text) or _JSON.match(text):
        return Kind.PAGE
    if text.startswith(_PICTURES):
        return Kind.PICTURE
    return Kind.MEDIA if _CONTROLS.search(text) else _kind_of_type(content_type)


def _kind_of_type(content_type: str) -> Kind:
    """Return the kind of a text by its type, if its bytes do not decide."""
    if content_type in _PAGE_TYPES:
        return Kind.PAGE
    if content_type.startswith("image/"):
        return Kind.PICTURE
    return Kind.SEGMENTS if content_type in _SEGMENTS_TYPES else Kind.MEDIA


def _is_playlist(text: bytes) -> bool:
    is_named = text.startswith(b"#EXTM3U") or text[:10].lower() == b"[playlist]"
    return is_named or _ADDRESS.match(text) is not None
