"""The choice of a lane, and what happens to a silent one."""

from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.lanes import airplay2
from custom_components.airplay.raop.engine.stream import sound_proof
from custom_components.airplay.raop.messages import MemberChanged
from tests.raop.engine.harness import EngineHarness, play, wav
from tests.virtual_receiver.airplay2 import AirPlay2Receiver

from .test_airplay2 import BUFFERED, REALTIME, by, finished, methods, speaker


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait not quite so long for evidence."""
    monkeypatch.setattr(sound_proof, "_EVIDENCE_S", 0.5)
    monkeypatch.setattr(sound_proof, "_SHORT_S", 0.5)
    monkeypatch.setattr(airplay2, "_FIRST_FEEDBACK_S", 0.05)


def ways_to(of: AirPlay2Receiver) -> list[str]:
    """Return the methods by which sessions were set up, without repetitions in a row."""
    names = {"ANNOUNCE": "raop", "SETRATEANCHORTIME": BUFFERED, "SETPEERS": "airplay2"}
    found = [names[each] for each in methods(of, names)]
    return [each for at, each in enumerate(found) if not at or found[at - 1] != each]


async def test_a_silent_lane_is_replaced_by_another(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    den = await speaker(harness, asks_time=False)

    assert await harness.run(play(tmp_path / "song.wav", by(den), lead_ms=None)) is None
    assert harness.states()[-1] == "playing"
    await finished(harness)

    assert ways_to(den) == ["raop", "airplay2"]
    assert den.heard(pcm).is_complete
    assert "ended" not in harness.states()[:-1]
    playing = [
        each for each in harness.events_of(MemberChanged) if each.state == "playing"
    ]
    assert [each.lane for each in playing] == [REALTIME]
    # From now on it comes first, whichever stream it is.
    den.clear()
    again = play(tmp_path / "song.wav", by(den), lead_ms=None, stream="other")
    assert await harness.run(again) is None
    assert ways_to(den) == ["airplay2"]


async def test_media_that_ends_before_its_lane_proves_silent_is_played_again(
    harness: EngineHarness, song: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_proof, "_SHORT_S", 4)
    den = await speaker(harness, asks_time=False)

    assert await harness.run(play(song, by(den), lead_ms=None)) is None
    await finished(harness)

    assert ways_to(den) == ["raop", "airplay2"]
    assert den.heard(pcm).is_complete


async def test_a_receiver_that_is_silent_on_all_lanes_is_reported_once(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness, asks_time=False, follows_ptp=False)
    command = play(tmp_path / "song.wav", by(den))

    assert await harness.run(command) == "silent"

    assert ways_to(den)[:2] == ["raop", "airplay2"]
    # One session by PTP and one by NTP: a buffered one would have the same clock.
    assert len(den.asked("SETPEERS")) == 1
    assert len(den.asked("RECORD")) == 3
    assert harness.states().count("ended") == 1
    # The next time it is tried by all of them again.
    den.clear()
    assert await harness.run(command) == "silent"
    assert ways_to(den)[:2] == ["raop", "airplay2"]


async def test_a_silent_lane_is_reported_if_the_others_are_refused(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness, asks_time=False)
    nobody_there = by(den, airplay_port=9)

    assert await harness.run(play(tmp_path / "song.wav", nobody_there)) == "silent"

    assert len(den.asked("ANNOUNCE")) == 1


@pytest.mark.parametrize("lane", ["raop", REALTIME])
async def test_a_chosen_lane_is_the_only_one(
    harness: EngineHarness, tmp_path: Path, lane: str
) -> None:
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness, asks_time=False, follows_ptp=False)

    assert await harness.run(play(tmp_path / "song.wav", by(den, lane))) == "silent"

    assert len(methods(den, ("ANNOUNCE", "SETPEERS"))) == 1


@pytest.mark.parametrize(
    ("first", "taken"),
    [("raop", ["raop"]), (REALTIME, ["airplay2"]), ("telepathy", ["raop"])],
)
async def test_the_preferred_lane_comes_first_if_it_is_possible(
    harness: EngineHarness, song: Path, pcm: bytes, first: str, taken: list[str]
) -> None:
    den = await speaker(harness)

    command = play(song, by(den, first_way=first), lead_ms=None)
    assert await harness.run(command) is None
    await finished(harness)

    assert ways_to(den) == taken
    assert den.heard(pcm).is_complete


async def test_the_preferred_lane_is_left_if_it_is_silent(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness, follows_ptp=False)

    command = play(song, by(den, first_way=REALTIME), lead_ms=None)
    assert await harness.run(command) is None
    await finished(harness)

    assert ways_to(den) == ["airplay2", "raop"]
    assert den.heard(pcm).is_complete
