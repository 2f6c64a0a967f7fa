"""What an AirPlay 2 receiver has to show, and how long it may take."""

from pathlib import Path
import plistlib

import numpy as np
import pytest

from custom_components.airplay.raop.engine.lanes import airplay2, buffered
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.engine.stream import sound_proof
from custom_components.airplay.raop.errors import PtpPortsTakenError
from custom_components.airplay.raop.messages import Pause, Resume
from custom_components.airplay.raop.receiver import Receiver
from tests.raop.engine.harness import STREAM, EngineHarness, play, wav

from .test_airplay2 import BUFFERED, LANES, REALTIME, by, finished, speaker


@pytest.mark.parametrize("lane", LANES)
async def test_a_receiver_that_does_not_follow_our_clock_is_called_silent(
    harness: EngineHarness, tmp_path: Path, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_proof, "_EVIDENCE_S", 0.5)
    monkeypatch.setattr(sound_proof, "_SHORT_S", 0.5)
    monkeypatch.setattr(airplay2, "_FIRST_FEEDBACK_S", 0.05)
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness, follows_ptp=False, asks_time=False)

    assert await harness.run(play(tmp_path / "song.wav", by(den, lane))) == "silent"


async def test_without_the_ports_of_ptp_receivers_get_the_time_on_request(
    harness: EngineHarness, song: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise PtpPortsTakenError("another program has the ports")

    monkeypatch.setattr(PtpService, "add_peer", fail)
    den = await speaker(harness)
    picky = await speaker(harness, "Hall", takes_ntp=False, receiver_id="0A0B0C0D0E02")

    # The buffered lane needs PTP, so the next lane is used; some know no other clock.
    assert await harness.run(play(song, by(picky, "airplay2"))) == "ptp_ports_taken"
    assert await harness.run(play(song, by(den, BUFFERED))) == "ptp_ports_taken"
    assert await harness.run(play(song, by(den, "airplay2"), lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert "timingPort" in plistlib.loads(den.asked("SETUP")[0].body)


async def test_a_receiver_that_needs_time_for_an_anchor_gets_it(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffered, "_ANCHOR_RETRY_S", 0.1)
    wav(tmp_path / "song.wav", 1.5)
    den = await speaker(harness, anchor_needs_clock=True, ptp_settle_s=0.5)
    started = play(tmp_path / "song.wav", by(den, BUFFERED), lead_ms=300)

    assert await harness.run(started) is None
    await den.wait_frames(4410)

    assert len(den.asked("SETRATEANCHORTIME")) > 3


@pytest.mark.parametrize("lane", LANES)
async def test_evidence_that_comes_before_the_answer_to_setup_counts(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str
) -> None:
    # It claims the clock once, while it sets the stream up.
    den = await speaker(harness, reply_delay_s={"SETUP": 1.5})

    assert await harness.run(play(song, by(den, lane), lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert len(den.asked("RECORD")) == 1


async def test_the_buffer_of_an_apple_receiver_is_never_dropped(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Receiver, "manufacturer", "Apple")
    source = np.frombuffer(wav(tmp_path / "first.wav", 3), "<u4")
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    den = await speaker(harness)
    member = by(den, REALTIME)
    assert await harness.run(play(tmp_path / "first.wav", member, lead_ms=None)) is None
    await den.wait_frames(10_000)

    assert await harness.run(Pause(stream=STREAM)) is None
    paused = await harness.state("paused")
    assert await harness.run(Resume(stream=STREAM)) is None
    await den.wait_frames(40_000)
    assert (
        await harness.run(play(tmp_path / "second.wav", member, lead_ms=None)) is None
    )
    await finished(harness)
    await den.drain()

    assert den.asked("FLUSH") == []
    assert den.heard(second).is_complete
    heard = np.frombuffer(bytes(den.pcm), "<u4")
    heard = heard[heard != 0][: -len(second) // 4]
    assert np.array_equal(heard, source[: len(heard)])
    assert paused.position_ms > 0
    # One line from the first frame to the last, silence included.
    assert len(den.played) == 1
    assert den.violations == []
