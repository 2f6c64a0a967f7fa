"""Music-like sound in a WAV file."""

from pathlib import Path
import wave

import numpy as np

_RATE = 44_100
_SCALE_HZ = (110, 147, 165, 196, 220, 294, 330, 440, 587, 880)


def write_wav(path: Path, seconds: int) -> Path:
    """Write chords with decay and a little noise, never the same packet twice."""
    random = np.random.default_rng(1)
    times = np.arange(_RATE) / _RATE
    decay = np.exp(-3 * times)
    bars = []
    for _ in range(seconds):
        pitches = random.choice(_SCALE_HZ, 3, replace=False)
        chord = sum(np.sin(2 * np.pi * pitch * times) for pitch in pitches) * decay
        noise = random.normal(0, 0.02, (_RATE, 2))
        bars.append(chord[:, None] * random.uniform(0.2, 0.3, 2) + noise)
    samples = np.clip(np.concatenate(bars), -1, 1) * 32_000
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, _RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def pcm_of(path: Path) -> bytes:
    """Return the samples of a WAV file."""
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())
