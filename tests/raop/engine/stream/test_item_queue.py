"""Pause, resume, seek and items that follow: exact to the frame."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
import time

import numpy as np
import pytest

from custom_components.airplay.raop.messages import (
    Measure,
    Media,
    MediaChanged,
    NextFailed,
    NextTaken,
    Pause,
    Play,
    Progress,
    Queue,
    Resume,
    SetVolume,
    Started,
    Stop,
    StreamChanged,
    VolumeFound,
)
from custom_components.airplay.raop.session.link_quality import ClockSpread
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, VirtualReceiver, monotonic_ns

FRAME_BYTES = 4
PAUSE_HEARD_NS = 300_000_000


def media(path: Path, item: str = "", position_ms: int = 0) -> Media:
    """Return a file as media."""
    return Media(url=str(path), name=path.name, item=item, position_ms=position_ms)


def cut(pcm: bytes, *frames: int) -> list[bytes]:
    """Cut sound at frames."""
    edges = [0, *frames, len(pcm) // FRAME_BYTES]
    return [
        pcm[start * FRAME_BYTES : end * FRAME_BYTES] for start, end in pairwise(edges)
    ]


def write(path: Path, pcm: bytes) -> Path:
    """Write sound as a WAV file."""
    wav(path, 0)
    header = bytearray(path.read_bytes()[:44])
    header[4:8] = (36 + len(pcm)).to_bytes(4, "little")
    header[40:44] = len(pcm).to_bytes(4, "little")
    path.write_bytes(bytes(header) + pcm)
    return path


async def played(harness: EngineHarness, command: Play) -> None:
    """Play something that must play."""
    assert await harness.run(command) is None


@pytest.mark.parametrize("overtaker", ["stop", "queue", "nothing"])
async def test_item_that_is_overtaken_while_it_is_queued_is_left(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, overtaker: str
) -> None:
    # More than is decoded ahead: its source would wait for ever to be read.
    wav(tmp_path / "long.wav", 8)
    long = media(tmp_path / "long.wav", "second")
    await played(harness, play(tmp_path / "long.wav", member(kitchen)))

    overtaken = harness.submit(Queue(stream=STREAM, media=long))
    match overtaker:
        case "stop":
            assert await harness.stop() is None
        case "queue":
            await harness.run(Queue(stream=STREAM, media=replace(long, item="third")))
        case _:
            await harness.run(Queue(stream=STREAM))

    # The harness fails if a source is left open.
    assert (await harness.reply(overtaken)).code is None
    await harness.stop()


async def test_following_items_play_without_a_gap(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "whole.wav", 4)
    parts = cut(whole, 70_003, 130_017)
    files = [write(tmp_path / f"{at}.wav", part) for at, part in enumerate(parts)]

    number = harness.submit(play(files[0], member(kitchen)))
    await harness.until(MediaChanged)
    await harness.run(Queue(stream=STREAM, media=media(files[1], "second")))
    await harness.until(NextTaken, lambda each: each.item == "second")
    assert (await harness.reply(number)).code is None
    await harness.run(Queue(stream=STREAM, media=media(files[2], "third")))
    end = await harness.ended()
    await kitchen.drain()

    assert end.reason == "finished"
    assert kitchen.heard(whole).is_complete
    items = [each.item for each in harness.events_of(MediaChanged)]
    assert items == ["", "second", "third"]
    assert not kitchen.violations


async def test_media_that_follows_and_cannot_be_played_leaves_the_present_one_alone(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "song.wav", 1.0)

    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    await harness.run(Queue(stream=STREAM, media=media(tmp_path / "none.wav", "bad")))
    failed = await harness.until(NextFailed)
    end = await harness.ended()
    await kitchen.drain()

    assert (failed.item, failed.code) == ("bad", "media_not_found")
    assert end.reason == "finished"
    assert kitchen.heard(whole).is_complete


async def test_queued_item_can_be_withdrawn(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    first = wav(tmp_path / "first.wav", 1.0)
    wav(tmp_path / "second.wav", 1.0, seed=2)

    await played(harness, play(tmp_path / "first.wav", member(kitchen)))
    await harness.run(Queue(stream=STREAM, media=media(tmp_path / "second.wav")))
    await harness.run(Queue(stream=STREAM))
    await harness.ended()
    await kitchen.drain()

    assert kitchen.heard(first).is_complete
    assert harness.events_of(NextTaken) == []


@pytest.mark.parametrize(("begun_ms", "queued_ms"), [(500, None), (0, 500)])
async def test_crossfade_overlaps_two_items_by_its_length(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tmp_path: Path,
    begun_ms: int,
    queued_ms: int | None,
) -> None:
    first = wav(tmp_path / "first.wav", 1.5)
    second = wav(tmp_path / "second.wav", 1.5, seed=2)
    fade = 22_050

    begin = play(tmp_path / "first.wav", member(kitchen), crossfade_ms=begun_ms)
    await played(harness, begin)
    follows = media(tmp_path / "second.wav")
    await harness.run(Queue(stream=STREAM, media=follows, crossfade_ms=queued_ms))
    await harness.ended()
    await kitchen.drain()

    sound = kitchen.heard(cut(first, 44_100 * 3 // 2 - fade)[0])
    assert sound.is_complete
    assert kitchen.heard(cut(second, fade)[1]).is_complete
    heard = np.frombuffer(bytes(kitchen.pcm), "<u4")
    assert np.count_nonzero(heard) == pytest.approx(44_100 * 3 - fade, abs=50)


async def test_pause_is_immediate_and_resumes_at_the_audible_frame(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "song.wav", 2.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    await kitchen.wait_frames(10_000)

    asked_ns = monotonic_ns()
    assert await harness.run(Pause(stream=STREAM)) is None
    await kitchen.drain()
    paused = await harness.state("paused")
    last_ns = max(
        segment.local_ns + segment.frames * 1_000_000_000 // 44_100
        for segment in kitchen.played
    )
    before = len(np.flatnonzero(np.frombuffer(bytes(kitchen.pcm), "<u4")))
    assert await harness.run(Resume(stream=STREAM, lead_ms=400)) is None
    await harness.ended()
    await kitchen.drain()

    assert last_ns - asked_ns < PAUSE_HEARD_NS
    heard = np.frombuffer(bytes(kitchen.pcm), "<u4")
    heard = heard[heard != 0]
    source = np.frombuffer(whole, "<u4")
    again = len(heard) - len(source)
    assert 0 <= again < 44_100 * 0.05
    assert np.array_equal(heard[:before], source[:before])
    assert np.array_equal(heard[before:], source[before - again :])
    assert paused.position_ms == pytest.approx((before - again) / 44.1, abs=2)
    assert len(kitchen.asked("ANNOUNCE")) == 1
    assert not kitchen.violations


@pytest.mark.parametrize(
    ("latency_frames", "quirks", "is_soon"),
    [
        (2205, Quirks(), True),
        (11_025, Quirks(), False),
        (2205, Quirks(ask_received_every=20), False),
    ],
    ids=["tells its latency", "tells nothing", "asks for packets again"],
)
async def test_seek_and_resume_lead_follows_the_evidence_of_the_receiver(
    harness: EngineHarness,
    tmp_path: Path,
    latency_frames: int,
    quirks: Quirks,
    *,
    is_soon: bool,
) -> None:
    whole = wav(tmp_path / "song.wav", 3)
    den = await harness.add(
        receiver("Den", audio_latency_frames=latency_frames, quirks=quirks)
    )
    song = play(tmp_path / "song.wav", member(den), lead_ms=None, depth_ms=1000)

    await played(harness, song)
    await harness.run(Pause(stream=STREAM))
    assert await harness.run(Resume(stream=STREAM)) is None
    await played(harness, song)
    await harness.ended()

    # At a depth of a second the first packet of a start is sent at once.
    leads = [each.at - each.first_packet_at for each in harness.events_of(Started)]
    assert [lead <= 0.4 for lead in leads] == [False, is_soon, is_soon]
    assert max(leads) <= 0.7
    assert den.heard(whole).is_complete


async def test_many_pauses_lose_nothing(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    # No two frames are alike, so each shows its own place.
    numbers = np.arange(1, 66_151, dtype=np.uint32) * np.uint32(2_654_435_761)
    whole = numbers.astype("<u4").tobytes()
    parts = cut(whole, 25_001)
    files = [write(tmp_path / f"{at}.wav", part) for at, part in enumerate(parts)]
    harness.submit(play(files[0], member(kitchen)))
    await harness.until(MediaChanged)
    await harness.run(Queue(stream=STREAM, media=media(files[1], "second")))
    for frames in (6_000, 14_000, 25_500, 40_000):
        await kitchen.wait_frames(frames)
        await harness.run(Pause(stream=STREAM))
        await harness.run(Resume(stream=STREAM, lead_ms=300))
    await harness.ended()
    await kitchen.drain()

    source = np.frombuffer(whole, "<u4")
    position = {int(frame): at for at, frame in enumerate(source)}
    heard = [
        position[int(frame)]
        for frame in np.frombuffer(bytes(kitchen.pcm), "<u4")
        if frame
    ]
    steps = np.diff(heard)
    assert heard[0] == 0
    assert heard[-1] == len(source) - 1
    assert steps.max() == 1
    assert np.count_nonzero(steps != 1) <= 4


async def test_pause_twice_and_resume_twice_are_as_once(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 1.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))

    assert await harness.run(Pause(stream=STREAM)) is None
    assert await harness.run(Pause(stream=STREAM)) is None
    assert await harness.run(Resume(stream=STREAM, lead_ms=300)) is None
    assert await harness.run(Resume(stream=STREAM, lead_ms=300)) == "no_stream"
    assert (await harness.ended()).reason == "finished"
    assert harness.states().count("paused") == 1


async def test_pause_while_connecting_keeps_the_start_position(
    harness: EngineHarness, tmp_path: Path
) -> None:
    slow = await harness.add(receiver("Slow", quirks=Quirks(setup_delay_s=1.0)))
    whole = wav(tmp_path / "song.wav", 0.5)
    number = harness.submit(play(tmp_path / "song.wav", member(slow)))
    await slow.wait_for("SETUP")

    assert await harness.run(Pause(stream=STREAM)) is None
    assert (await harness.reply(number)).code == "superseded"
    await slow.wait_idle()
    assert await harness.run(Resume(stream=STREAM, lead_ms=400)) is None
    await harness.ended()
    await slow.drain()

    assert slow.heard(whole).is_complete


async def test_paused_receiver_is_freed_in_time_and_resumes_at_its_position(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "song.wav", 1.5)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    await kitchen.wait_frames(10_000)

    await harness.run(Pause(stream=STREAM, keep_s=0.1))
    paused = await harness.state("paused")
    await kitchen.wait_idle()
    assert await harness.run(Resume(stream=STREAM, lead_ms=400)) is None
    await harness.ended()
    await kitchen.drain()

    rest = whole[paused.position_ms * 441 // 10 * FRAME_BYTES :]
    assert kitchen.heard(rest).is_complete
    assert len(kitchen.asked("ANNOUNCE")) == 2


async def test_receiver_that_hangs_up_in_a_pause_is_connected_again(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "song.wav", 1.5)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    await kitchen.wait_frames(10_000)
    await harness.run(Pause(stream=STREAM))

    kitchen.disconnect()
    await kitchen.wait_idle()
    assert await harness.run(Resume(stream=STREAM, lead_ms=400)) is None
    end = await harness.ended()
    await kitchen.drain()

    assert end.reason == "finished"
    assert kitchen.heard(whole[15_000 * FRAME_BYTES :]).is_complete


async def test_seek_plays_in_time_and_complete_to_the_frame(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    whole = wav(tmp_path / "song.wav", 3.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    target = media(tmp_path / "song.wav", position_ms=2000)

    asked = time.monotonic_ns()
    await played(
        harness, play(tmp_path / "song.wav", member(kitchen), media=target, lead_ms=700)
    )
    await harness.ended()
    await kitchen.drain()

    found = kitchen.heard(whole[88_200 * FRAME_BYTES :], after_ns=asked)
    assert found.is_complete
    assert found.first_frame_ns is not None
    assert found.first_frame_ns - asked < 800_000_000
    assert len(kitchen.asked("ANNOUNCE")) == 1
    assert len(kitchen.asked("FLUSH")) == 1


async def test_next_pressed_five_times_plays_the_last_one(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    songs = [wav(tmp_path / f"{at}.wav", 0.6, seed=at) for at in range(6)]
    await played(harness, play(tmp_path / "0.wav", member(kitchen)))

    numbers = [
        harness.submit(play(tmp_path / f"{at}.wav", member(kitchen)))
        for at in range(1, 6)
    ]
    codes = [(await harness.reply(number)).code for number in numbers]
    await harness.ended()
    await kitchen.drain()

    assert codes == ["superseded"] * 4 + [None]
    assert kitchen.heard(songs[5]).is_complete
    assert len(kitchen.asked("ANNOUNCE")) == 1


async def test_next_item_is_dropped_when_other_media_is_played(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        wav(tmp_path / f"{name}.wav", 2.0, seed=len(name))
    third = wav(tmp_path / "third.wav", 0.6, seed=3)
    await played(harness, play(tmp_path / "first.wav", member(kitchen)))
    await harness.run(
        Queue(stream=STREAM, media=media(tmp_path / "second.wav", "second"))
    )

    await played(harness, play(tmp_path / "third.wav", member(kitchen)))
    end = await harness.ended()
    await kitchen.drain()

    assert end.reason == "finished"
    assert kitchen.heard(third).is_complete
    assert harness.events_of(NextTaken) == []


async def test_volume_of_a_receiver_is_read_if_none_is_set(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    kitchen.volume_db = -12.0
    wav(tmp_path / "song.wav", 0.3)

    await played(harness, play(tmp_path / "song.wav", member(kitchen)))

    found = await harness.until(VolumeFound)
    assert found.volume == pytest.approx(60)
    assert len(kitchen.asked("GET_PARAMETER")) == 1
    await harness.ended()


async def test_position_continues_over_a_pause(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 3.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    await kitchen.wait_frames(10_000)
    await harness.run(Pause(stream=STREAM))
    paused = await harness.state("paused")
    await harness.run(Resume(stream=STREAM, lead_ms=300))
    resumed = [
        each
        for each in harness.events_of(StreamChanged)
        if each.state == "buffering" and each.position_ms
    ]

    assert resumed[-1].position_ms == pytest.approx(paused.position_ms, abs=2)
    told = await harness.until(Progress, lambda each: each.position_ms > 1000)
    behind_s = told.at - resumed[-1].at
    expected = paused.position_ms + behind_s * 1000
    assert told.position_ms == pytest.approx(expected, abs=5)


async def test_position_and_its_instant_belong_together_even_in_a_late_report(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure_slowly(*_: object) -> None:
        time.sleep(0.1)

    monkeypatch.setattr(ClockSpread, "spread_us", measure_slowly)
    wav(tmp_path / "song.wav", 3.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen)))
    start = await harness.started()
    await harness.until(Progress)

    assert await harness.run(Measure(stream=STREAM)) is None

    told = harness.events_of(Progress)[-1]
    assert told.members[0].is_measured
    assert told.position_ms == pytest.approx((told.at - start.at) * 1000, abs=5)


@pytest.mark.parametrize("keep_s", [0.0, 60.0])
async def test_volume_set_before_a_receiver_reconnects_applies(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, keep_s: float
) -> None:
    wav(tmp_path / "song.wav", 2.0)
    await played(harness, play(tmp_path / "song.wav", member(kitchen, volume=50)))
    await harness.run(Pause(stream=STREAM, keep_s=keep_s))
    if keep_s:
        kitchen.disconnect()
    await kitchen.wait_idle()
    kitchen.volumes.clear()

    await harness.run(SetVolume(receiver="0a0b0c0d0e01", volume=10))
    assert await harness.run(Resume(stream=STREAM, lead_ms=400)) is None

    assert {change.volume_db for change in kitchen.volumes} == {-27.0}
    await harness.run(Stop(stream=STREAM))
