"""Attempts to connect the receivers of a stream that outlive their command."""

from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.stream import connecting
from custom_components.airplay.raop.messages import Pause, Resume
from tests.raop.engine.announcing import announce, target
from tests.raop.engine.group_playback import speakers, start
from tests.raop.engine.harness import STREAM, EngineHarness, wav
from tests.virtual_receiver import Quirks

# Long enough to pause and resume.
SONG_S = 10.0


async def test_a_receiver_that_is_slow_for_a_voice_is_not_connected_twice_for_the_music(
    harness: EngineHarness,
    tune: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connecting, "_PATIENCE_S", 0.2)
    wav(tmp_path / "bell.wav", 0.3)
    quick, slow = await speakers(harness, 2)
    await start(harness, tune, quick, slow)
    assert await harness.run(Pause(stream=STREAM)) is None
    slow.quirks = Quirks(reply_delay_s={"ANNOUNCE": 2.5})
    slow.disconnect()
    slow.clear()

    voice = announce(tmp_path / "bell.wav", target(quick, slow))
    assert await harness.run(voice) is None
    assert len(slow.asked("ANNOUNCE")) == 1
    assert await harness.run(Resume(stream=STREAM)) is None
    await slow.wait_playing()

    assert len(slow.asked("ANNOUNCE")) == 1
    assert await harness.stop() is None
