"""Media part by part: what libav opens ends where other media begins."""

import io
from typing import override

from ..guard.metered import MediaBytes, MediaFile
from ..guard.tag_cut import CutFile, CutMedia, without_long_tags, without_long_tags_live
from .joints import JointFinder

_PIECE_BYTES = 1 << 15
# What has units that can be followed. Others know their end, or cannot be joined.
_HEADS = (b"OggS", b"fLaC", b"ID3")
# Live streams begin anywhere, but not these.
_CONTAINERS = (b"RIFF", b"FORM", b"\x1a\x45\xdf\xa3", b"FLV", b"\x47", b"caff")


def may_have_parts(head: bytes, *, is_live: bool = False) -> bool:
    """Whether media with this beginning may be joined of several."""
    if is_live:
        return not head.startswith(_CONTAINERS) and head[4:8] != b"ftyp"
    return head.startswith(_HEADS) or head[:1] == b"\xff"


class PartedMedia:
    """Media in order up to a joint, or to its end."""

    def __init__(self, media: MediaBytes) -> None:
        """Begin with the media where it is."""
        self._media = media
        self._finder = JointFinder()
        # What was read, and not yet returned.
        self._ahead = b""
        self._position = 0
        self._cleared = 0
        self._is_over = False

    @property
    def has_others(self) -> bool:
        """Whether it is known that there are other parts."""
        return self._finder.has_others or self._finder.joint is not None

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end of the part."""
        while (ready := self._cleared - self._position) <= 0:
            if self._finder.joint is not None or self._is_over:
                return b""
            self._read_ahead(size)
        piece = self._ahead[: min(size, ready)]
        self._ahead = self._ahead[len(piece) :]
        self._position += len(piece)
        return piece

    def _read_ahead(self, size: int) -> None:
        octets = self._media.read(size)
        if octets:
            self._ahead += octets
            self._cleared = self._finder.feed(octets)
        else:
            self._is_over = True
            self._cleared = self._position + len(self._ahead)

    def find_joint(self) -> int | None:
        """Pass the rest of the part; return where the next one begins, None: nowhere."""
        while self.read(_PIECE_BYTES):
            pass
        return self._finder.joint

    def take_ahead(self) -> bytes:
        """Return the bytes behind the joint that were read already."""
        ahead, self._ahead = self._ahead, b""
        return ahead


class PartedFile(PartedMedia):
    """The same for a file that can seek."""

    def __init__(self, file: MediaFile) -> None:
        """Begin with the file where it is, which is its position 0."""
        super().__init__(file)
        self._file = file
        # Where the finder counts from.
        self._base = 0
        self._sought: int | None = None

    @override
    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end of the part."""
        if self._sought is not None:
            self._go_to(self._sought)
            self._sought = None
        return super().read(size)

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._base + self._position if self._sought is None else self._sought

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; joints are looked for from there on."""
        if whence == io.SEEK_END:
            here = self._file.tell()
            offset += self._file.seek(0, io.SEEK_END)
            self._file.seek(here)
        elif whence == io.SEEK_CUR:
            offset += self.tell()
        self._sought = max(0, offset)
        return self._sought

    @override
    def find_joint(self) -> int | None:
        """Pass the rest of the part; return where the next one begins, None: nowhere."""
        joint = super().find_joint()
        return None if joint is None else self._base + joint

    def _go_to(self, position: int) -> None:
        if position == self._base + self._position:
            return
        self._file.seek(position)
        finder = self._finder
        if position:
            self._finder = JointFinder(finder.framing, finder.serials)
        else:
            self._finder = JointFinder()
        self._finder.has_others = finder.has_others
        self._base, self._position, self._cleared = position, 0, 0
        self._ahead = b""
        self._is_over = False


class LiveParts:
    """The parts of media that is read in order."""

    def __init__(self, media: MediaBytes) -> None:
        """Begin with the media where it is."""
        self._media = media
        self._unread = self._cut = CutMedia(media, b"")
        self._part: PartedMedia | None = None

    @property
    def is_divided(self) -> bool:
        """Whether it is known that there are several."""
        return self._part is not None and self._part.has_others

    def next(self) -> PartedMedia | None:
        """Return the first part, later the next one; None: there is none.

        Raises UnplayableError: its tags are too long.
        Raises the errors of its reads.
        """
        if self._part is not None:
            if self._part.find_joint() is None:
                return None
            unread = self._part.take_ahead() + self._cut.take_beginning()
            unread += self._unread.take_beginning()
            self._unread = CutMedia(self._media, unread)
        self._part = None
        self._cut = without_long_tags_live(self._unread)
        self._part = PartedMedia(self._cut)
        return self._part


class FileParts:
    """The parts of a file."""

    def __init__(self, file: MediaFile) -> None:
        """Begin with the file where it is."""
        self._file = file
        self._cut: CutFile | None = None
        self._part: PartedFile | None = None

    @property
    def is_divided(self) -> bool:
        """Whether it is known that there are several."""
        return self._part is not None and self._part.has_others

    def next(self) -> PartedFile | None:
        """Return the first part, later the next one; None: there is none.

        Raises UnplayableError: its tags are too long.
        Raises the errors of its reads.
        """
        if self._part is not None and self._cut is not None:
            joint = self._part.find_joint()
            if joint is None:
                return None
            self._file.seek(self._cut.origin_of(joint))
        self._cut = without_long_tags(self._file)
        self._part = PartedFile(self._cut)
        return self._part
