"""What sound does not need: a receiver may refuse, ignore, or hang up on it."""

from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.lanes import raop
from custom_components.airplay.raop.messages import (
    MemberChanged,
    Pause,
    Resume,
    SetVolume,
)
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, Reaction, Request

from .test_airplay2 import BUFFERED, REALTIME, by, finished, speaker
from .test_choice_climb import BOUND_S, start_s

STATUSES = (401, 403, 406, 415, 453, 470, 500, 503)


@pytest.mark.parametrize("lane", ["raop", REALTIME, BUFFERED])
@pytest.mark.parametrize("status", STATUSES)
async def test_a_refused_volume_does_not_end_sound(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str, status: int
) -> None:
    den = await speaker(harness, volume_status=status)

    command = play(song, by(den, lane, volume=30), lead_ms=None)
    assert await harness.run(command) is None
    level = SetVolume(receiver=den.receiver_id.lower(), volume=40)
    assert await harness.run(level) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert den.asked("SET_PARAMETER")


@pytest.mark.parametrize("lane", ["raop", REALTIME, BUFFERED])
async def test_a_volume_that_is_never_answered_does_not_end_sound(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str
) -> None:
    den = await speaker(harness, volume_unanswered=True)

    assert await harness.run(play(song, by(den, lane, volume=30))) is None
    await finished(harness)

    assert den.heard(pcm).is_complete


@pytest.mark.parametrize("method", ["FLUSH", "SET_PARAMETER", "GET_PARAMETER"])
@pytest.mark.parametrize("status", [403, 470, 500, 503])
async def test_what_is_not_needed_for_sound_does_not_end_it(
    harness: EngineHarness, tmp_path: Path, method: str, status: int
) -> None:
    wav(tmp_path / "first.wav", 5)
    pcm = wav(tmp_path / "second.wav", 0.6, seed=2)
    den = await harness.add(receiver("Den", quirks=Quirks(refuse={method: status})))
    assert await harness.run(play(tmp_path / "first.wav", member(den))) is None
    assert await harness.run(Pause(stream=STREAM, keep_s=60)) is None
    assert await harness.run(Resume(stream=STREAM)) is None

    assert await harness.run(play(tmp_path / "second.wav", member(den))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert len(den.asked("ANNOUNCE")) == 1


@pytest.mark.parametrize("lane", [REALTIME, BUFFERED])
@pytest.mark.parametrize(
    "quirks",
    [
        {"closes_event_port": True},
        {"drops_event_syn": True},
        {"event_port_opens_after_s": 2.0},
    ],
)
async def test_sound_does_not_need_the_event_channel(
    harness: EngineHarness, tmp_path: Path, lane: str, quirks: dict[str, object]
) -> None:
    pcm = wav(tmp_path / "song.wav", 4)
    den = await speaker(harness, **quirks)  # type: ignore[arg-type]

    command = play(tmp_path / "song.wav", by(den, lane), lead_ms=None)
    assert await start_s(harness, command) < BOUND_S
    if "event_port_opens_after_s" in quirks:
        await den.wait_until(lambda: den.events is not None and den.events.is_open)
    await finished(harness)

    assert den.heard(pcm).is_complete


async def test_what_ends_a_connection_is_left_out_of_the_next_start_and_logged_once(
    harness: EngineHarness, song: Path, pcm: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "custom_components.airplay.raop.engine.net.extras")
    den = await harness.add(receiver("Den", quirks=Quirks(drop_at="SET_PARAMETER")))
    command = play(song, member(den, volume=30))
    for stream in ("first", "second"):
        den.clear()
        assert await harness.run(replace(command, stream=stream)) is None
        await harness.ended(stream)
        assert den.heard(pcm).is_complete

    assert len(den.asked("ANNOUNCE")) == 1
    assert not den.asked("SET_PARAMETER")
    named = [
        each.partition(", which")[0].rpartition("on ")[2] for each in caplog.messages
    ]
    assert "SET_PARAMETER volume" in named
    assert len(named) == len({*named})


async def test_another_firmware_gets_what_the_old_one_did_not_survive(
    harness: EngineHarness, song: Path
) -> None:
    den = await harness.add(receiver("Den", quirks=Quirks(drop_at="SET_PARAMETER")))
    assert await harness.run(play(song, member(den, volume=30))) is None
    await harness.ended()
    den.quirks = Quirks()
    den.clear()

    newer = member(den, volume=30, txt={**den.txt, "fv": "p20.99"})
    assert await harness.run(play(song, newer, stream="other")) is None

    assert den.asked("SET_PARAMETER")


async def test_a_lone_receiver_that_ends_its_session_on_a_keep_alive_plays_on(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raop, "_KEEP_ALIVE_S", 1.5)
    wav(tmp_path / "song.wav", 6)
    den = await harness.add(receiver("Den"))

    def react(request: Request) -> Reaction | None:
        is_one = request.method == "OPTIONS" and "RECORD" in [
            each.method for each in den.requests
        ]
        return Reaction(hangs_up=True) if is_one and den.connections == 1 else None

    den.quirks = Quirks(react=react)
    assert await harness.run(play(tmp_path / "song.wav", member(den))) is None
    assert (await harness.ended()).reason == "finished"

    playing = [
        each for each in harness.events_of(MemberChanged) if each.state == "playing"
    ]
    assert len(playing) == 2
    assert den.connections == 2
    assert "ended" not in harness.states()[:-1]


async def test_a_receiver_whose_info_is_never_answered_is_asked_for_it_once(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness, unanswered=frozenset({"GET"}))
    alone = by(den, REALTIME, txt={})
    for stream in ("first", "second"):
        den.clear()
        command = play(song, alone, stream=stream, lead_ms=None)
        assert await harness.run(command) is None
        await harness.ended(stream)
        assert den.heard(pcm).is_complete

    assert not den.asked("GET")
