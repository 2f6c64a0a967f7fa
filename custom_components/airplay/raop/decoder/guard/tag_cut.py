"""Long tags, cut before libav reads them.

What we show of media is a handful of texts and one cover. ID3 (id3.org, v2.2 to v2.4) and
the metadata blocks of FLAC (RFC 9639 §8) lie before the sound and may be hundreds of
megabytes of anything: of long ones only the frames and blocks that matter are kept. The
comments of Ogg (RFC 3533, RFC 7845 §5.2) are only counted.
"""

import io
import re
import struct

from ...media import MAX_PICTURE_BYTES
from .metered import MediaBytes, MediaFile, too_much

# libav reads tags of this length without effort.
_SHORT_BYTES = 1 << 16
# Beyond this, no more of a tag is read; a cover that is shown fits.
_READ_BYTES = MAX_PICTURE_BYTES + _SHORT_BYTES
_PIECE_BYTES = 1 << 16
_MAX_TAGS = 8
_MAX_KEPT = 64
_MAX_TEXT_BYTES = 1 << 13
_MAX_BLOCKS = 256
_MAX_COMMENTS = 1000
_MAX_PAGES = 64

_ID3 = b"ID3"
_ID3_HEADER = struct.Struct(">3sBBB4s")
_ID3_HEADER_BYTES = 10
_ID3_EXTENDED = 0x40
_ID3_FOOTER = 0x10
_FRAME_ID = re.compile(rb"[A-Z0-9]{3,4}")
_TEXTS = {b"TIT2", b"TPE1", b"TPE2", b"TALB", b"TRCK", b"TT2", b"TP1", b"TP2", b"TAL"}
_TEXTS |= {b"TRK"}
_PICTURES = {b"APIC", b"PIC"}

_FLAC = b"fLaC"
_FLAC_LAST = 0x80
_FLAC_COMMENT = 4
# How much is kept of the first block of a kind: stream info, seek table, comments, and
# picture.
_FLAC_KEPT = {0: 1 << 10, 3: 1 << 20, _FLAC_COMMENT: _READ_BYTES, 6: _READ_BYTES}
_COMMENT_KEYS = re.compile(
    rb"(title|artist|album|album ?artist|track|tracknumber)=", re.IGNORECASE
)

_OGG = b"OggS"
_OGG_HEADER_BYTES = 27
_OGG_COMMENTS = (b"OpusTags", b"\x03vorbis")


class CutMedia:
    """Media whose beginning is replaced: other bytes, then the rest of it."""

    def __init__(self, media: MediaBytes, beginning: bytes) -> None:
        """Continue with the media where it is."""
        self._media = media
        self._beginning = beginning
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end."""
        at = self._position
        if at < len(self._beginning):
            piece = self._beginning[at : at + size]
        else:
            piece = self._media.read(size)
        self._position += len(piece)
        return piece

    def take_beginning(self) -> bytes:
        """Return what is unread of the beginning, so that the media is next."""
        rest = self._beginning[self._position :]
        self._position += len(rest)
        return rest


class CutFile(CutMedia):
    """The same for media that can seek."""

    def __init__(self, media: MediaFile, beginning: bytes) -> None:
        """Continue with the media where it is."""
        super().__init__(media, beginning)
        self._file = media
        # Positions behind the beginning are those of the media, moved by this.
        self._moved = len(beginning) - media.tell()

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._position

    def origin_of(self, position: int) -> int:
        """Return where in the media a position behind the tags is."""
        return position - self._moved

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        if whence == io.SEEK_END:
            offset += self._file.seek(0, io.SEEK_END) + self._moved
        elif whence == io.SEEK_CUR:
            offset += self._position
        self._position = max(0, offset)
        self._file.seek(max(self._position, len(self._beginning)) - self._moved)
        return self._position


class _Reader:
    """Reads and skips in order; what lies ahead may be looked at."""

    def __init__(self, media: MediaBytes, file: MediaFile | None) -> None:
        self._media = media
        self._file = file
        self.ahead = b""

    def look(self, size: int) -> bytes:
        """Return the next bytes without consuming them."""
        while len(self.ahead) < size and (
            piece := self._media.read(size - len(self.ahead))
        ):
            self.ahead += piece
        return self.ahead[:size]

    def take(self, size: int) -> bytes:
        """Consume the next bytes, fewer only at the end."""
        pieces = [self.ahead[:size]]
        self.ahead = self.ahead[size:]
        left = size - len(pieces[0])
        while left > 0 and (piece := self._media.read(min(left, _PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> None:
        """Consume bytes without keeping them."""
        left = size - len(self.ahead)
        self.ahead = self.ahead[size:]
        if self._file is not None and left > 0:
            self._file.seek(self._file.tell() + left)
            return
        while left > 0 and (piece := self._media.read(min(left, _PIECE_BYTES))):
            left -= len(piece)


def without_long_tags(file: MediaFile) -> CutFile:
    """Return a file with short tags only; it is at its beginning.

    Raises UnplayableError: there are more tags than can be cut.
    Raises the errors of its reads.
    """
    return CutFile(file, _beginning(_Reader(file, file)))


def without_long_tags_live(media: MediaBytes) -> CutMedia:
    """Return the same for media that cannot seek."""
    return CutMedia(media, _beginning(_Reader(media, None)))


def _beginning(reader: _Reader) -> bytes:
    """Consume the tags, and return what takes the place of all that was consumed."""
    beginning = bytearray()
    for _ in range(_MAX_TAGS):
        if reader.look(len(_ID3)) != _ID3:
            break
        beginning += _cut_id3(reader)
    else:
        raise too_much()
    magic = reader.look(len(_FLAC))
    if magic == _FLAC:
        beginning += _cut_flac(reader)
    elif magic == _OGG:
        _check_ogg(reader.look(_SHORT_BYTES))
    return bytes(beginning) + reader.ahead


def _cut_id3(reader: _Reader) -> bytes:
    """Consume an ID3 tag and return it, or what is to remain of it."""
    header = reader.take(_ID3_HEADER_BYTES)
    if len(header) < _ID3_HEADER_BYTES:
        return header
    _, version, revision, flags, size = _ID3_HEADER.unpack(header)
    length = _syncsafe(size)
    if length <= _SHORT_BYTES:
        return header + reader.take(length)
    body = reader.take(min(length, _READ_BYTES))
    reader.skip(length - len(body) + (10 if flags & _ID3_FOOTER else 0))
    kept = b"".join(_kept_frames(body, version, flags))
    # Without the flags of what is not kept: extended header and footer.
    flags &= ~(_ID3_EXTENDED | _ID3_FOOTER) if version > 2 else 0xFF
    size = _as_syncsafe(len(kept))
    return _ID3_HEADER.pack(_ID3, version, revision, flags, size) + kept


def _kept_frames(body: bytes, version: int, flags: int) -> list[bytes]:
    """Return the frames that are shown, as they are written."""
    kept: list[bytes] = []
    has_picture = False
    id_bytes, head_bytes = (3, 6) if version == 2 else (4, 10)
    at = _extended_bytes(body, version) if flags & _ID3_EXTENDED and version > 2 else 0
    while at + head_bytes <= len(body) and len(kept) < _MAX_KEPT:
        name = body[at : at + id_bytes]
        if not _FRAME_ID.fullmatch(name):
            break
        end = at + head_bytes + _frame_bytes(body, at, version)
        frame = body[at:end] if end <= len(body) else b""
        is_text = name in _TEXTS and len(frame) <= _MAX_TEXT_BYTES
        is_picture = name in _PICTURES and not has_picture
        if frame and (is_text or is_picture):
            kept.append(frame)
            has_picture |= is_picture
        at = end
    return kept


def _extended_bytes(body: bytes, version: int) -> int:
    """Return the length of the extended header, which v2.4 counts with its size."""
    size = body[:4]
    return _syncsafe(size) if version >= 4 else 4 + int.from_bytes(size)


def _frame_bytes(body: bytes, at: int, version: int) -> int:
    """Return the length of a frame without its header."""
    if version == 2:
        return int.from_bytes(body[at + 3 : at + 6])
    size = body[at + 4 : at + 8]
    plain = int.from_bytes(size)
    if version == 3 or max(size, default=0) > 0x7F:
        return plain
    # iTunes wrote plain sizes into v2.4: believe that one after which a frame begins.
    behind = [
        body[at + 10 + each : at + 14 + each] for each in (_syncsafe(size), plain)
    ]
    is_plain = _FRAME_ID.fullmatch(behind[1]) and not _FRAME_ID.fullmatch(behind[0])
    return plain if is_plain else _syncsafe(size)


def _syncsafe(octets: bytes) -> int:
    value = 0
    for each in octets:
        value = value << 7 | each & 0x7F
    return value


def _as_syncsafe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


def _cut_flac(reader: _Reader) -> bytes:
    """Consume the metadata blocks of FLAC and return those that matter."""
    magic = reader.take(len(_FLAC))
    kept: dict[int, bytes] = {}
    is_last = False
    for _ in range(_MAX_BLOCKS):
        header = reader.take(4)
        if len(header) < 4:
            break
        is_last = bool(header[0] & _FLAC_LAST)
        kind, length = header[0] & ~_FLAC_LAST, int.from_bytes(header[1:])
        taken = min(length, _FLAC_KEPT.get(kind, 0)) if kind not in kept else 0
        body = reader.take(taken)
        reader.skip(length - taken)
        if kind == _FLAC_COMMENT and taken:
            kept[kind] = _cut_comments(body)
        elif taken == length and kind in _FLAC_KEPT:
            kept[kind] = body
        if is_last:
            break
    else:
        raise too_much()
    blocks = b"".join(
        bytes((kind | (_FLAC_LAST if is_last and number == len(kept) else 0),))
        + len(body).to_bytes(3)
        + body
        for number, (kind, body) in enumerate(kept.items(), 1)
    )
    return magic + blocks


def _cut_comments(block: bytes) -> bytes:
    """Return a block of Vorbis comments with few of them."""
    if len(block) <= _SHORT_BYTES and _comment_count(block) <= _MAX_COMMENTS:
        return block
    kept: list[bytes] = []
    at = 4 + int.from_bytes(block[:4], "little") + 4
    while at + 4 <= len(block) and len(kept) < _MAX_KEPT:
        length = int.from_bytes(block[at : at + 4], "little")
        comment = block[at + 4 : at + 4 + min(length, _MAX_TEXT_BYTES)]
        if _COMMENT_KEYS.match(comment):
            kept.append(len(comment).to_bytes(4, "little") + comment)
        at += 4 + length
    return bytes(4) + len(kept).to_bytes(4, "little") + b"".join(kept)


def _comment_count(block: bytes) -> int:
    """Return how many comments a block announces; too many if that lies behind it."""
    at = 4 + int.from_bytes(block[:4], "little")
    count = block[at : at + 4]
    return int.from_bytes(count, "little") if len(count) == 4 else _MAX_COMMENTS + 1


def _check_ogg(head: bytes) -> None:
    """Refuse Ogg whose comments are too many; they begin in one of the first pages."""
    at = 0
    for _ in range(_MAX_PAGES):
        if head[at : at + 4] != _OGG:
            return
        segments = head[at + 26] if at + 26 < len(head) else 0
        lacing = head[at + _OGG_HEADER_BYTES :][:segments]
        body = at + _OGG_HEADER_BYTES + len(lacing)
        for magic in _OGG_COMMENTS:
            if head.startswith(magic, body):
                block = head[body + len(magic) :]
                if _comment_count(block) > _MAX_COMMENTS:
                    raise too_much()
                return
        at = body + sum(lacing)
