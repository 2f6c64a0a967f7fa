"""The shipped chime is short, soft, and equal to the output of its script."""

from pathlib import Path
import subprocess
import sys
import wave

import numpy as np

ROOT = Path(__file__).parents[1]
CHIME = ROOT / "custom_components" / "airplay" / "sounds" / "chime.wav"


def test_chime_is_short_and_soft_and_ends_in_silence() -> None:
    with wave.open(str(CHIME)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (44100, 2)
        assert file.getnchannels() == 2
        assert 0.6 <= file.getnframes() / 44100 <= 0.9
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)

    assert CHIME.stat().st_size < 150_000
    assert 5000 < np.abs(sound).max() < 32768 / 2
    assert not np.abs(sound[:2]).any()
    assert np.abs(sound[-200:]).max() < 30


def test_script_generates_the_chime(tmp_path: Path) -> None:
    made = tmp_path / "chime.wav"

    subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_chime.py", made], check=True
    )

    assert made.read_bytes() == CHIME.read_bytes()
