"""Songs in which no two places are alike, and how files sound when decoded."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import wave

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Failed
from tests.raop.audio.recorder import DecoderThread, Played

from .compare import Frames, frames

_RATE = 44_100


def make_song(path: Path, seconds: int) -> None:
    """Write tones under noise, no two places alike."""
    random = np.random.default_rng(7)
    time = np.arange(seconds * _RATE)[:, None] / _RATE
    tones = 6000 * np.sin(2 * np.pi * np.array([220.0, 331.0]) * (1 + time / 90) * time)
    song = np.rint(tones + random.normal(0, 900, tones.shape)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(song.tobytes())


def song_fixture(seconds: int) -> Callable[[pytest.TempPathFactory], Path]:
    """Return a fixture of a song that a module's tests share."""

    @pytest.fixture(scope="module")
    def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("song") / "song.wav"
        make_song(path, seconds)
        return path

    return song


def decode_as_sent(path: Path) -> Frames:
    """Decode and resample a file without a speaker."""
    with closing(DecoderThread()) as decoders:
        with closing(Played(decoders, str(path))) as played:
            pcm = played.all()
        assert not played.heard.of(Failed)
    return frames(pcm)
