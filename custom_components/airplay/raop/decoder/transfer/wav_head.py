"""The duration that a WAV header states, which libav knows of files only.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE).
"""

import struct

HEAD_BYTES = 4096
_CHUNK = struct.Struct("<4sI")
_FIRST_CHUNK = 12
# `nAvgBytesPerSec` within the chunk `fmt `.
_BYTE_RATE = struct.Struct("<8xI")
# Who writes to a pipe does not know the length, and writes the largest that there is.
_PIPED_BYTES = 0x7FF0_0000


def stated_ms(head: bytes) -> int | None:
    """Return the duration in a WAV file with these first bytes; None: it states none."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, byte_rate = _FIRST_CHUNK, 0
    while at + _CHUNK.size <= min(len(head), HEAD_BYTES):
        name, size = _CHUNK.unpack_from(head, at)
        at += _CHUNK.size
        if name == b"data":
            is_stated = byte_rate and 0 < size < _PIPED_BYTES
            return size * 1000 // byte_rate if is_stated else None
        if name == b"fmt " and at + _BYTE_RATE.size <= len(head):
            (byte_rate,) = _BYTE_RATE.unpack_from(head, at)
        at += size + size % 2
    return None
