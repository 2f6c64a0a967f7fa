"""What bytes are, by their beginning and by what their server calls them."""

from enum import Enum, auto
import re


class Kind(Enum):
    """What to do with bytes that somebody calls media."""

    MEDIA = auto()
    SEGMENTS = auto()
    PLAYLIST = auto()
    PAGE = auto()
    PICTURE = auto()
    EMPTY = auto()


HEAD_BYTES = 4096

_SEGMENT_TYPES = {
    "application/vnd.apple.mpegurl",
    "application/dash+xml",
}
_PAGE_TYPES = {
    "text/html",
    "application/xhtml+xml",
    "application/json",
    "application/problem+json",
}
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|error|script|!--)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\{\s*("|\})|\[\s*["\[{\]])')
_DASH = re.compile(rb"<MPD[\s>]")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
_URL_LINE = re.compile(rb"^(https?://\S+)\s*$", re.MULTILINE)


def kind_of(head: bytes, content_type: str = "") -> Kind:
    """Tell what begins with these bytes; the bytes count more than the type."""
    if not head:
        return Kind.EMPTY
    text = head.removeprefix(b"\xef\xbb\xbf")
    content_type = content_type.partition(";")[0].strip().lower()
    if (kind := _playlist_kind(text)) is not None:
        return kind
    if _DASH.search(text) and _PAGE.match(text):
        return Kind.SEGMENTS
    if _PAGE.match(text) or _JSON.match(text) or content_type in _PAGE_TYPES:
        return Kind.PAGE
    if text.startswith(_PICTURES[:-1]) or content_type.startswith("image/"):
        return Kind.PICTURE
    if content_type in _SEGMENT_TYPES:
        return Kind.SEGMENTS
    return Kind.MEDIA


def _playlist_kind(text: bytes) -> Kind | None:
    stripped = text.lstrip()
    if stripped.startswith(b"#EXTM3U"):
        has_segments = b"#EXT-X-" in text
        return Kind.SEGMENTS if has_segments else Kind.PLAYLIST
    if stripped[:10].lower() == b"[playlist]":
        return Kind.PLAYLIST
    if _is_text(text) and _URL_LINE.match(stripped):
        return Kind.PLAYLIST
    return None


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 for byte in head[:256])
