"""A WAV file that can be opened at any time while it grows."""

import os
from pathlib import Path
import struct

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_SIZE = struct.Struct("<I")
_LIMIT_BYTES = 0xFFFFFFFF - _HEADER.size


class WavFile:
    """Append sound to a file whose header always has its length."""

    def __init__(self, path: Path, rate: int = 44100) -> None:
        """Create the file with a header and no sound."""
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._file: int | None = os.open(path, flags, 0o644)
        self._size = 0
        os.pwrite(self._file, _header(rate), 0)

    def append(self, pcm: bytes) -> None:
        """Write s16le stereo frames at the end; nothing after 4 GB or `close`."""
        if self._file is None or self._size + len(pcm) > _LIMIT_BYTES:
            return
        os.pwrite(self._file, pcm, _HEADER.size + self._size)
        self._size += len(pcm)
        os.pwrite(self._file, _SIZE.pack(self._size + _HEADER.size - 8), 4)
        os.pwrite(self._file, _SIZE.pack(self._size), _HEADER.size - 4)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _header(rate: int) -> bytes:
    return _HEADER.pack(
        b"RIFF",
        _HEADER.size - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        2,
        rate,
        rate * 4,
        4,
        16,
        b"data",
        0,
    )
