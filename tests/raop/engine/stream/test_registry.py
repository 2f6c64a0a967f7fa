"""One command after the other: the newest one has the stream."""

import asyncio
from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.engine.engine import Engine
from custom_components.airplay.raop.engine.stream.playback import Playback
from custom_components.airplay.raop.messages import Progress, Stop, StreamChanged
from tests.raop.engine.harness import (
    IDENTITY,
    PRECISE_S,
    STREAM,
    EngineHarness,
    heard_at,
    member,
    play,
    receiver,
    until,
    wav,
)
from tests.virtual_receiver import Quirks, VirtualReceiver


async def test_new_media_reuses_the_session(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    first = wav(tmp_path / "first.wav", 5)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    assert await harness.run(play(tmp_path / "first.wav", member(kitchen))) is None
    await kitchen.wait_frames(24 * 352 + 8820)
    harness.events.clear()
    begun = time.time()

    command = play(tmp_path / "second.wav", member(kitchen), lead_ms=500)
    assert await harness.run(command) is None
    await harness.ended()

    assert len(kitchen.asked("ANNOUNCE")) == len(kitchen.asked("FLUSH")) == 1
    assert kitchen.heard(second).is_complete
    started = await harness.started()
    assert abs(heard_at(kitchen, second) - started.at) < PRECISE_S
    assert started.at - begun < 1.5
    assert kitchen.heard(first[: 4410 * 4]).is_complete
    assert kitchen.heard(first[-4410 * 4 :]).frames == 0
    told = [each.position_ms for each in harness.events_of(Progress)]
    assert all(position < 700 for position in told)


async def test_new_media_that_fails_leaves_the_old_one_playing(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None

    missing = await harness.run(play(tmp_path / "none.wav", member(kitchen)))

    assert missing == "media_not_found"
    assert (await harness.ended()).reason == "finished"
    assert kitchen.heard(pcm).is_complete
    assert not kitchen.asked("FLUSH")


async def test_a_refused_flush_does_not_end_the_session(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "first.wav", 5)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    stubborn = await harness.add(
        receiver("Stubborn", quirks=Quirks(refuse={"FLUSH": 500}))
    )
    assert await harness.run(play(tmp_path / "first.wav", member(stubborn))) is None

    assert await harness.run(play(tmp_path / "second.wav", member(stubborn))) is None
    await harness.ended()

    assert len(stubborn.asked("ANNOUNCE")) == 1
    assert stubborn.heard(second).is_complete


async def test_stop_frees_the_receiver(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None

    assert await harness.stop() is None

    assert not kitchen.has_session
    assert len(kitchen.asked("TEARDOWN")) == 1
    end = await harness.ended()
    assert (end.reason, end.code) == ("stopped", None)


async def test_stop_without_playback_completes_immediately(
    harness: EngineHarness,
) -> None:
    assert await harness.stop() is None
    assert harness.states() == []


@pytest.mark.parametrize("step", ["OPTIONS", "ANNOUNCE", "SETUP", "RECORD"])
async def test_stop_ends_a_play_at_every_step_of_its_connection(
    harness: EngineHarness, song: Path, step: str
) -> None:
    slow = await harness.add(receiver("Slow", quirks=Quirks(reply_delay_s={step: 0.3})))
    playing = harness.submit(play(song, member(slow)))
    await slow.wait_for(step)

    assert await harness.stop() is None

    assert (await harness.reply(playing)).code == "stopped"
    assert (await harness.ended()).reason == "stopped"
    await slow.wait_idle(10)
    assert slow.recording.frames == 0


async def test_a_newer_play_replaces_an_older_one(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "first.wav", 0.6)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    slow = await harness.add(
        receiver("Slow", receiver_id="0A0B0C0D0E02", quirks=Quirks(setup_delay_s=1))
    )
    older = harness.submit(play(tmp_path / "first.wav", member(slow)))
    await slow.wait_for("SETUP")

    assert await harness.run(play(tmp_path / "second.wav", member(kitchen))) is None

    assert (await harness.reply(older)).code == "superseded"
    await harness.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert kitchen.heard(second).is_complete
    assert slow.recording.frames == 0


async def test_of_many_commands_at_once_the_last_one_counts(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    numbers = [harness.submit(play(song, member(kitchen))) for _ in range(10)]

    codes = [(await harness.reply(number)).code for number in numbers]

    assert codes == ["superseded"] * 9 + [None]
    await harness.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert kitchen.heard(pcm).is_complete


async def test_a_receiver_that_ignores_teardown_is_released_when_a_play_follows_stop(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(reply_delay_s={"TEARDOWN": 0.8}, takes_over=False)
    slow = await harness.add(receiver("Slow", quirks=quirks))
    assert await harness.run(play(song, member(slow))) is None
    stopping = harness.submit(Stop(stream=STREAM))
    await slow.wait_for("TEARDOWN")

    assert await harness.run(play(song, member(slow))) is None

    assert (await harness.reply(stopping)).code in (None, "superseded")
    await harness.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert slow.heard(pcm).is_complete


async def test_a_play_while_the_last_song_is_being_ended_is_not_ended_with_it(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(reply_delay_s={"TEARDOWN": 0.5})
    slow = await harness.add(receiver("Slow", quirks=quirks))
    assert await harness.run(play(song, member(slow))) is None
    await slow.wait_for("TEARDOWN")
    harness.events.clear()

    assert await harness.run(play(song, member(slow))) is None
    await harness.state("playing")
    await until(
        lambda: harness.states()[-2:] == ["playing", "ended"], "states", harness.states
    )

    states = harness.states()
    assert states[states.index("connecting") :] == [
        "connecting",
        "buffering",
        "playing",
        "ended",
    ]
    assert slow.heard(pcm).is_complete


async def test_the_engine_ends_after_a_cancelled_command_has_closed_its_media(
    song: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(IDENTITY, lambda _: None)
    engine.start()
    close, may_close = Playback.close, asyncio.Event()

    async def close_slowly(playback: Playback) -> None:
        await may_close.wait()
        await close(playback)

    async with receiver("Deaf", quirks=Quirks(unanswered=frozenset({"SETUP"}))) as deaf:
        playing = asyncio.create_task(engine.run(play(song, member(deaf))))
        await deaf.wait_for("SETUP")
        monkeypatch.setattr(Playback, "close", close_slowly)
        playing.cancel()
        await asyncio.wait([playing])

        ending = asyncio.create_task(engine.close())
        await asyncio.wait([ending], timeout=0.1)
        may_close.set()
        await ending

        assert caplog.messages
        assert "decoder" not in caplog.text
        await deaf.wait_idle(10)
