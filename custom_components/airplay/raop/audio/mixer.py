"""Mixing of PCM: s16le stereo in and out; no state, no clock.

Import it when there is something to mix, best by `load_mixer`: numpy takes long to
import, and 13 MB, which music alone does not need.
"""

import numpy as np

from .pcm import CHANNELS

type Frames = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def crossfade(leaving: bytes, coming: bytes, done: int, total: int) -> bytes:
    """Mix a part of a crossfade of `total` frames, after the first `done` of them.

    Equal power: the sum of two different sounds stays as loud as each. If one
    side is shorter than the other, silence fills it up.
    """
    size = max(len(leaving), len(coming))
    first, second = to_floats(leaving, size), to_floats(coming, size)
    frames = np.arange(done, done + size // (2 * CHANNELS), dtype=np.float32)
    angle = (np.pi / 2) * np.minimum(frames / max(total, 1), 1)
    mixed = first * np.cos(angle)[:, None] + second * np.sin(angle)[:, None]
    return from_floats(mixed)


def ramp(value: float, step: float, moving: int, target: float, frames: int) -> Frames:
    """Return gains of this many frames: the first `moving` change by a step each."""
    gains = np.full((frames, 1), target, np.float32)
    gains[:moving, 0] = value + step * np.arange(1, moving + 1)
    return gains


def from_floats(frames: Frames) -> bytes:
    """Return the nearest s16le; samples out of range are clipped."""
    pcm: bytes = np.clip(np.rint(frames), -32768, 32767).astype("<i2").tobytes()
    return pcm


def to_floats(pcm: bytes, size: int) -> Frames:
    """Return frames as floats, followed by silence up to a size in bytes."""
    samples = np.frombuffer(pcm.ljust(size, b"\0"), "<i2")
    return samples.reshape(-1, CHANNELS).astype(np.float32)
