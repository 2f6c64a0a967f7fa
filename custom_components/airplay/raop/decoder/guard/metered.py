"""Media as libav reads it, until it is open within a budget.

libav keeps tags in lists that it searches for each new tag, and reads each tag as a
whole: the work is quadratic in what a stranger writes, the memory as much as he says.
"""

import io
import re
import time
from typing import Protocol

from ..media_errors import UnplayableError, not_audio

# The headers of the longest audio books, with their covers.
_MAX_HEADER_BYTES = 32 << 20
# An honest header takes milliseconds, on a slow machine a few hundred.
_MAX_OPEN_CPU_S = 2.0
# An honest file has a few dozen.
_MAX_FRAMES = 1000
# The name of an ID3 frame, and the first bytes of its size: long ones cannot be many.
_FRAME = re.compile(rb"[A-Z][A-Z0-9]{2}(?:[A-Z0-9]\0\0|\0)")
_FRAME_BYTES = 6


class MediaBytes(Protocol):
    """Bytes in order."""

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end."""


class MediaFile(MediaBytes, Protocol):
    """Bytes at any position."""

    def tell(self) -> int:
        """Return the position of the next read."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""


class MeteredMedia:
    """Media whose opening ends with an error if it takes too much to read.

    All must happen in one thread, whose time is counted.
    """

    def __init__(
        self, media: MediaBytes, name: str = "", *, counts_frames: bool = False
    ) -> None:
        """Start the budget; for formats with ID3 in a chunk, count its frames, too.

        Those lie anywhere in the file, where they cannot be cut before libav reads them.
        """
        # libav knows some formats by the ending of the name only.
        self.name = name
        self._media = media
        self._read_bytes = 0
        self._counts_frames = counts_frames
        self._frames = 0
        self._last = b""
        self._is_over = False
        self._until_s: float | None = time.thread_time() + _MAX_OPEN_CPU_S

    def open(self) -> None:
        """End the budget: the media is open."""
        self._until_s = None

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises UnplayableError: the budget is used up.
        """
        if self._is_over:
            # libav may go on for a while before it returns with the error.
            return b""
        piece = self._media.read(size)
        if self._until_s is not None:
            self._read_bytes += len(piece)
            is_long = self._read_bytes > _MAX_HEADER_BYTES or self._is_full(piece)
            if is_long or time.thread_time() > self._until_s:
                self._is_over = True
                raise too_much()
        return piece

    def _is_full(self, piece: bytes) -> bool:
        """Whether there are too many frames up to the end of this piece."""
        if not self._counts_frames:
            return False
        before = len(self._last)
        octets = self._last + piece
        self._last = octets[1 - _FRAME_BYTES :]
        # One at the border of two reads counts, at most twice.
        self._frames += sum(each.end() > before for each in _FRAME.finditer(octets))
        return self._frames > _MAX_FRAMES


class MeteredFile(MeteredMedia):
    """The same for media that can seek."""

    def __init__(
        self, media: MediaFile, name: str = "", *, counts_frames: bool = False
    ) -> None:
        """Start the budget."""
        super().__init__(media, name, counts_frames=counts_frames)
        self._file = media

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)


def too_much() -> UnplayableError:
    """Return the problem of headers that are too long or too many."""
    return not_audio("its tags, or what else comes before the sound, are too long")
