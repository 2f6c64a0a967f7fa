"""The channels that a speaker plays: both, one side, or both mixed to one."""

from functools import lru_cache

from ..commands import Channel

_FRAME_BYTES = 4


def pick(pcm: bytes, channel: Channel) -> bytes:
    """Return s16le stereo unchanged, or with the same audio on both sides.

    All frames are one number, so that each operation is for all of them.
    """
    if channel is Channel.STEREO:
        return pcm
    frames = int.from_bytes(pcm, "little")
    first = _repeated(0x0000_FFFF, len(pcm))
    match channel:
        case Channel.LEFT:
            one = frames & first
        case Channel.RIGHT:
            one = frames >> 16 & first
        case _:
            # Without a sign, a sum of two samples stays within its frame.
            signs = _repeated(0x0000_8000, len(pcm))
            left, right = frames & first ^ signs, frames >> 16 & first ^ signs
            one = left + right >> 1 & first ^ signs
    return (one | one << 16).to_bytes(len(pcm), "little")


@lru_cache(64)
def _repeated(frame: int, size: int) -> int:
    """Return equal frames of a size in bytes as one number."""
    return int.from_bytes(
        frame.to_bytes(_FRAME_BYTES, "little") * (size // _FRAME_BYTES), "little"
    )
