"""Fixtures of tests that play longer songs."""

from pathlib import Path

import pytest

from tests.raop.engine.harness import wav


@pytest.fixture
def tune(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a WAV file as long as SONG_S of the test's module."""
    wav(tmp_path / "tune.wav", request.module.SONG_S)
    return tmp_path / "tune.wav"
