"""Pictures of few bytes: the largest that are shown, and hostile ones."""

from io import BytesIO
import struct
import zlib

from PIL import Image


def flat(
    width: int, height: int, kind: str, mode: str = "RGB", **options: object
) -> bytes:
    """Return a picture of one color."""
    written = BytesIO()
    Image.new(mode, (width, height)).save(written, kind, **options)
    return written.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    """Return a part of a PNG."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def _with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with more parts before its pixels."""
    return png[:33] + b"".join(chunks) + png[33:]


def _tags(count: int, size: int) -> bytes:
    """Return EXIF data in which many tags are the same long value, stored once."""
    head = b"MM\0\x2a" + struct.pack(">IH", 8, count)
    tags = (struct.pack(">HHII", 0x1000 + each, 7, size, 8) for each in range(count))
    found = head + b"".join(tags) + bytes(4)
    return found.ljust(size + 8, b"\0")


def _texts(count: int) -> bytes:
    """Return a PNG with long texts of few bytes."""
    text = zlib.compress(bytes((1 << 20) - 50), 9)
    texts = (_chunk(b"zTXt", b"%d\0\0" % each + text) for each in range(count))
    return _with_chunks(flat(2000, 2000, "PNG", "RGBA"), *texts)


def _tagged_jpeg() -> bytes:
    """Return a JPEG whose density is in its tags only, so that Pillow reads them all."""
    tags = b"Exif\0\0" + _tags(5000, 60_000)
    segment = b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags
    rest = flat(9, 9, "JPEG")[2:].replace(b"JFIF", b"JFIX", 1)
    return b"\xff\xd8" + segment + rest


def _scans(count: int) -> bytes:
    """Return a JPEG of many scans, each of which is decoded over the whole picture."""
    picture = flat(2000, 2000, "JPEG", progressive=True)[:-2]
    last = picture[picture.rfind(b"\xff\xda") :]
    return picture + last * count + b"\xff\xd9"


def _comments(count: int) -> bytes:
    """Return a GIF with a comment of many parts, which Pillow joins one by one."""
    picture = flat(9, 9, "GIF")
    parts = (b"\xff" + bytes(255)) * count
    after_header = 13 + 3 * (2 << (picture[10] & 7))
    begin, rest = picture[:after_header], picture[after_header:]
    return begin + b"!\xfe" + parts + b"\0" + rest


LARGEST = {
    "PNG": flat(2000, 2000, "PNG"),
    "PNG with alpha": flat(2000, 2000, "PNG", "RGBA"),
    "PNG with a palette": flat(2000, 2000, "PNG", "P"),
    "gray PNG with alpha": flat(2000, 2000, "PNG", "LA"),
    "GIF": flat(2000, 2000, "GIF", "P"),
    "WEBP": flat(2000, 2000, "WEBP", lossless=True),
    "WEBP with alpha": flat(2000, 2000, "WEBP", "RGBA", lossless=True),
    "JPEG": flat(2000, 2000, "JPEG"),
    "JPEG for print": flat(2000, 2000, "JPEG", "CMYK"),
    "progressive JPEG": flat(2000, 2000, "JPEG", progressive=True, subsampling=0),
}
HOSTILE = {
    "texts in PNG": _texts(62),
    "tags in JPEG": _tagged_jpeg(),
    "tags in PNG": _with_chunks(
        flat(9, 9, "PNG"), _chunk(b"eXIf", _tags(20_000, 1_000_000))
    ),
    "scans in JPEG": _scans(20_000),
    "comment in GIF": _comments(35_000),
}
