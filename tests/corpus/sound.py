"""What the corpus sounds like: tones that change all the time, and a little noise."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_TONES = 5
_LEVEL = 0.55
_NOISE_LEVEL = 0.004

type Floats = NDArray[np.float64]


def sound(frames: int, channels: int, rate: int, seed: int = 1) -> Floats:
    """Return frames of sound from -1 to 1, one row for each frame.

    No two channels, and no two parts of one, are alike: what is missing, repeated, or on
    the wrong side shows. Nothing is so high that a resampler would cut it off.
    """
    columns = [_channel(frames, rate, 100 * seed + each) for each in range(channels)]
    return np.stack(columns, axis=1)


def as_s16(samples: Floats) -> bytes:
    """Return s16le."""
    return bytes(np.round(samples * 32767).astype("<i2").tobytes())


def as_f32(samples: Floats) -> bytes:
    """Return f32le."""
    return bytes(samples.astype("<f4").tobytes())


@lru_cache(maxsize=64)
def _channel(frames: int, rate: int, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    seconds = np.arange(frames) / rate
    highest = min(6000.0, 0.3 * rate)
    total = np.zeros(frames)
    for number in range(_TONES):
        hertz = 90.0 * (highest / 90.0) ** (number / (_TONES - 1))
        hertz *= random.uniform(0.85, 1.0)
        bend = random.uniform(0.5, 3.0)
        phase = random.uniform(0, 2 * np.pi)
        turns = hertz * seconds + 2 * np.sin(2 * np.pi * bend * seconds + phase)
        swell = 0.6 + 0.4 * np.sin(2 * np.pi * bend * seconds * 0.7 + phase)
        total += swell * np.sin(2 * np.pi * turns + phase) / _TONES
    return _LEVEL * total + random.uniform(-_NOISE_LEVEL, _NOISE_LEVEL, frames)
