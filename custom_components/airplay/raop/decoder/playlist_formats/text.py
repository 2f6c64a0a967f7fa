"""The text of a playlist: unpacked, and decoded from the character set that it uses.

Files of players for Windows are UTF-16, some servers deliver gzip without saying so, and
M3U (not M3U8) is in the character set of whoever wrote it.
"""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
import re
import zlib

_GZIP = b"\x1f\x8b"
_GZIP_ONLY = 31
_MARKS = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
)
# UTF-16 without a mark: every playlist begins with a few characters of ASCII.
_UNMARKED = (
    (re.compile(rb"(?:[\t\n\r -~]\0){4}"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\r -~]){4}"), "utf-16-be"),
)


def is_packed(content: bytes) -> bool:
    """Whether content is packed by gzip."""
    return content.startswith(_GZIP)


def unpacked(content: bytes, most_bytes: int) -> bytes:
    """Return content without its gzip packing (RFC 1952), at most so many bytes of it.

    Content that is not packed, or damaged before its first byte, is returned as it is.
    """
    if not is_packed(content):
        return content
    try:
        return zlib.decompressobj(_GZIP_ONLY).decompress(content, most_bytes)
    except zlib.error:
        return content


def decoded(content: bytes) -> str:
    """Return the text of a playlist, without the mark and the blanks in front of it."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return _text(content.removeprefix(mark), codec).lstrip()
    for pattern, codec in _UNMARKED:
        if pattern.match(content):
            return _text(content, codec).lstrip()
    return _text(content, "utf-8").lstrip()


def _text(content: bytes, codec: str) -> str:
    if codec != "utf-8":
        return content.decode(codec, "replace")
    try:
        return content.decode()
    except UnicodeDecodeError as err:
        whole = content[: err.start]
        # A limit may have cut the last character of a text that has others of its kind.
        is_cut = err.end == len(content) and not whole.isascii()
        return whole.decode() if is_cut else content.decode("cp1252", "replace")
