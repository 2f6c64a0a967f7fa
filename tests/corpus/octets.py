"""What encoders do not write: headers by hand, and files that were damaged."""

from collections.abc import Sequence
import struct

import numpy as np

from .sound import Floats, as_s16

_FLOAT = 3
_EXTENSIBLE = 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_GARBAGE_SEED = 7


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of RIFF."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def wav(
    samples: Floats,
    rate: int,
    *,
    mask: int | None = None,
    sample_format: str = "s16",
    before: bytes = b"",
    after: bytes = b"",
    sizes: tuple[int, int] | None = None,
) -> bytes:
    """Return a WAV file of s16, s24, or f32 samples.

    With a mask of speakers it is extensible. `before` and `after` the sound there may be
    chunks. `sizes` replace those of the file and the sound in its header.
    """
    octets, bits, kind = _samples(samples, sample_format)
    channels = samples.shape[1]
    block = channels * bits // 8
    fields = (channels, rate, rate * block, block, bits)
    if mask is None:
        head = struct.pack("<HHIIHH", kind, *fields)
    else:
        extra = struct.pack("<HHI", 22, bits, mask) + struct.pack("<H", kind)
        head = struct.pack("<HHIIHH", _EXTENSIBLE, *fields) + extra + _GUID_TAIL
    data = chunk(b"data", octets)
    body = b"WAVE" + chunk(b"fmt ", head) + before + data + after
    size = len(body)
    if sizes is not None:
        size, data_size = sizes
        wrong = b"data" + struct.pack("<I", data_size) + data[8:]
        body = body.replace(data, wrong)
    return b"RIFF" + struct.pack("<I", size) + body


def id3(
    frames: Sequence[tuple[str, bytes]], version: int = 3, padding: int = 0
) -> bytes:
    """Return an ID3v2 tag, version 2.2 to 2.4, of frames with their contents."""
    body = b"".join(_id3_frame(name, content, version) for name, content in frames)
    body += bytes(padding)
    return b"ID3" + bytes([version, 0, 0]) + _sync_safe(len(body)) + body


def id3_text(text: str, encoding: str = "latin-1") -> bytes:
    """Return the content of a text frame, in one of the four character sets of ID3."""
    number = ("latin-1", "utf-16", "utf-16-be", "utf-8").index(encoding)
    return bytes([number]) + text.encode(encoding)


def id3_picture(picture: bytes, kind: str = "image/jpeg") -> bytes:
    """Return the content of a picture frame (ID3v2.3 and 2.4), a front cover."""
    return b"\0" + kind.encode() + b"\0\3\0" + picture


def id3v1(title: str) -> bytes:
    """Return an ID3v1 tag, which ends a file."""
    fields = title.encode("latin-1").ljust(30, b"\0")
    return b"TAG" + fields + bytes(30 + 30 + 4 + 30) + b"\xff"


def ape(items: dict[str, str]) -> bytes:
    """Return an APEv2 tag with its header, which ends a file."""
    body = b"".join(
        struct.pack("<II", len(value.encode()), 0)
        + key.encode()
        + b"\0"
        + value.encode()
        for key, value in items.items()
    )
    size = len(body) + 32

    def frame(flags: int) -> bytes:
        numbers = struct.pack("<IIII", 2000, size, len(items), flags)
        return b"APETAGEX" + numbers + bytes(8)

    return frame(0xA0000000) + body + frame(0x80000000)


def cut(content: bytes, part: float) -> bytes:
    """Return the beginning of a file."""
    return content[: int(len(content) * part)]


def garbage(size: int, seed: int = _GARBAGE_SEED) -> bytes:
    """Return bytes that mean nothing."""
    return np.random.default_rng(seed).bytes(size)


def damaged(content: bytes, at: float, size: int) -> bytes:
    """Return a file with garbage in place of some of its bytes."""
    start = int(len(content) * at)
    return content[:start] + garbage(size) + content[start + size :]


def without(content: bytes, at: float, size: int) -> bytes:
    """Return a file without some of its bytes."""
    start = int(len(content) * at)
    return content[:start] + content[start + size :]


def _samples(samples: Floats, sample_format: str) -> tuple[bytes, int, int]:
    if sample_format == "f32":
        return samples.astype("<f4").tobytes(), 32, _FLOAT
    if sample_format == "s24":
        wide = np.round(samples * 0x7FFFFF).astype("<i4").tobytes()
        each = np.frombuffer(wide, np.uint8).reshape(-1, 4)[:, :3]
        return each.tobytes(), 24, 1
    return as_s16(samples), 16, 1


def _id3_frame(name: str, content: bytes, version: int) -> bytes:
    if version == 2:
        return name.encode() + len(content).to_bytes(3, "big") + content
    size = len(content)
    length = _sync_safe(size) if version == 4 else size.to_bytes(4, "big")
    return name.encode() + length + b"\0\0" + content


def _sync_safe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
