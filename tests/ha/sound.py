"""Tones, and WAV files in Home Assistant's media folder."""

from pathlib import Path
import wave

import numpy as np

RATE = 44100
FOLDER = "media-source://media_source/local"


def tone(seconds: float, hertz: float = 440) -> bytes:
    """Return a tone as s16le stereo at 44100 Hz."""
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    samples = np.rint(12000 * np.sin(2 * np.pi * turns)).astype("<i2")
    sound: bytes = samples.repeat(2).tobytes()
    return sound


def write_wav(path: Path, pcm: bytes) -> Path:
    """Write PCM into a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return path
