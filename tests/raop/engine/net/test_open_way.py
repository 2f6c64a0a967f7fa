"""Playback on receivers that play only for paired senders."""

from pathlib import Path

import pytest

from tests.raop.engine.harness import EngineHarness, member, play, receiver, wav
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_music_for_a_sender_that_was_paired_is_whole(
    harness: EngineHarness, tmp_path: Path, kind: Kind
) -> None:
    pcm = wav(tmp_path / "song.wav")
    gate = Gate(kind, "1234")
    den = await harness.add(receiver("Den", gate=gate))
    paired = member(den, credentials=gate.acquaint())

    assert await harness.run(play(tmp_path / "song.wav", paired)) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert den.violations == []


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_an_unpaired_sender_cannot_play(
    harness: EngineHarness, tmp_path: Path, kind: Kind
) -> None:
    wav(tmp_path / "song.wav")
    gate = Gate(kind, "1234")
    den = await harness.add(receiver("Den", gate=gate))
    stale = member(den, credentials=gate.acquaint())

    gate.reset()

    assert (
        await harness.run(play(tmp_path / "song.wav", stale)) == "credentials_rejected"
    )
    assert await harness.run(play(tmp_path / "song.wav", member(den))) == (
        "pairing_required"
    )
    assert den.asked("ANNOUNCE") == []
