"""Announcements: the voice that receivers play, and the music under it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from custom_components.airplay.raop.engine.pacing.change_signal import ChangeSignal
from custom_components.airplay.raop.messages import (
    AnnouncementFailed,
    AnnouncementStarted,
    CancelAnnouncement,
    Media,
    Pause,
    RestoreVolume,
    Resume,
    SetVolume,
    StreamChanged,
)
from tests.raop.engine.announcing import (
    Scene,
    announce,
    target,
    voice_began_ns,
    volumes,
)
from tests.raop.engine.harness import (
    PRECISE_S,
    STREAM,
    EngineHarness,
    member,
    play,
    receiver,
    unix,
)
from tests.raop.engine.stereo_marks import (
    Samples,
    gains,
    gains_in_parts,
    heard_sides,
    is_said_whole,
    voice,
)
from tests.virtual_receiver import VirtualReceiver


async def test_idle_speaker_plays_every_sample_and_is_free_afterwards(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    said = scene.bell(0.5)

    assert await scene.say(target(kitchen)) is None
    await kitchen.wait_idle(10)

    assert is_said_whole(kitchen, said)
    assert harness.events_of(AnnouncementStarted)
    assert harness.events_of(StreamChanged) == []
    assert not kitchen.violations


async def test_start_is_reported_with_its_instant_even_if_noticed_late(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait = ChangeSignal.wait

    async def wait_late(signal: ChangeSignal, until_ns: int | None = None) -> None:
        await wait(signal, until_ns)
        await asyncio.sleep(0.23)

    monkeypatch.setattr(ChangeSignal, "wait", wait_late)
    scene.bell(0.5)

    assert await scene.say(target(kitchen)) is None
    await kitchen.wait_idle(10)

    (told,) = harness.events_of(AnnouncementStarted)
    assert told.at == pytest.approx(unix(voice_began_ns(kitchen)), abs=PRECISE_S)


async def test_music_is_lowered_and_continues_to_the_sample(
    kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(3.0)
    said = scene.bell(0.5)

    await scene.play(kitchen)
    assert await scene.say(target(kitchen)) is None
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    factors = gains(kitchen, song)
    assert len(factors) == len(song)
    assert np.median(factors[(factors > 0.1) & (factors < 0.2)]) == pytest.approx(
        10 ** (-18 / 20), abs=0.001
    )
    assert (factors == 1).sum() > len(song) - len(said) - 3 * 44_100 * 0.2
    assert not kitchen.violations


async def test_music_paused_by_a_voice_resumes_at_its_position(
    kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(2.0)
    said = scene.bell(0.5)

    await scene.play(kitchen)
    assert await scene.say(target(kitchen), pauses_music=True) is None
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    before, after = gains_in_parts(kitchen, song)
    assert before[0] == after[-1] == 1


async def test_paused_music_stays_paused_and_resumes_at_its_position(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(2.0)
    said = scene.bell(0.4)

    await scene.play(kitchen)
    await harness.run(Pause(stream=STREAM))
    assert await scene.say(target(kitchen)) is None
    assert harness.states()[-1] == "paused"
    assert kitchen.has_session
    await harness.run(Resume(stream=STREAM))
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    assert all((part == 1).all() for part in gains_in_parts(kitchen, song))
    assert kitchen.connections == 1


@pytest.mark.parametrize("keep_s", [0.0, 60.0])
async def test_pause_and_resume_under_a_voice_lose_nothing(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene, keep_s: float
) -> None:
    song = scene.song(3.0)
    said = scene.bell(1.0)

    await scene.play(kitchen)
    number = await scene.begin(target(kitchen))
    await harness.run(Pause(stream=STREAM, keep_s=keep_s))
    assert (await harness.reply(number)).code is None
    assert harness.states()[-1] == "paused"
    await harness.run(Resume(stream=STREAM))
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    if keep_s:
        assert [part[-1] for part in gains_in_parts(kitchen, song)][1] == 1


async def test_seek_under_a_voice_leaves_the_voice_whole(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, scene: Scene
) -> None:
    song = scene.song(3.0)
    said = scene.bell(1.0)

    await scene.play(kitchen)
    number = await scene.begin(target(kitchen))
    media = Media(url=str(tmp_path / "song.wav"), name="song", position_ms=1500)
    again = play(tmp_path / "song.wav", member(kitchen, volume=30), media=media)
    assert await harness.run(again) is None
    assert (await harness.reply(number)).code is None
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    left = heard_sides(kitchen.recording.packets)[0]
    tail = song[-44_100 // 2 :]
    assert (left[np.flatnonzero(left)[-1] + 1 - len(tail) :][: len(tail)] == tail).all()
    assert kitchen.connections == 1


async def test_music_that_begins_under_a_voice_leaves_the_voice_whole(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(1.5)
    said = scene.bell(1.0)

    number = await scene.begin(target(kitchen))
    await scene.play(kitchen)
    assert (await harness.reply(number)).code is None
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    assert len(gains(kitchen, song)) == len(song)
    assert kitchen.connections == 1


async def test_voice_continues_past_the_end_of_the_song(
    kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(1.0)
    said = scene.bell(1.5)

    await scene.play(kitchen)
    assert await scene.say(target(kitchen)) is None
    end = await scene.end(kitchen)

    assert end.reason == "finished"
    assert is_said_whole(kitchen, said)
    assert len(gains(kitchen, song)) == len(song)


async def test_one_voice_after_another_on_the_same_speaker(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, scene: Scene
) -> None:
    song = scene.song(5.0)
    one = voice(tmp_path / "one.wav", 0.5, seed=5)
    two = voice(tmp_path / "two.wav", 0.5, seed=6)

    await scene.play(kitchen)
    numbers = [
        harness.submit(announce(tmp_path / name, target(kitchen), announcement=name))
        for name in ("one.wav", "two.wav")
    ]
    for number in numbers:
        assert (await harness.reply(number)).code is None
    await scene.end(kitchen)

    right = heard_sides(kitchen.recording.packets)[1]
    heard = right[right != 0].tolist()
    assert heard in ([*one, *two], [*two, *one])
    assert len(gains(kitchen, song)) == len(song)


async def test_all_speakers_announce_at_the_same_instant(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    hall = await harness.add(receiver("Hall", receiver_id="0A0B0C0D0E02"))
    study = await harness.add(receiver("Study", receiver_id="0A0B0C0D0E03"))
    song = scene.song(4.0)
    said = scene.bell(0.5)

    await scene.play(kitchen)
    await scene.play(study, stream="study")
    await harness.run(Pause(stream="study"))
    assert (
        await scene.say(
            target(kitchen), target(hall, stream="hall"), target(study, stream="study")
        )
        is None
    )
    await harness.stop("study")
    await scene.end(kitchen)

    instants = [voice_began_ns(each) for each in (kitchen, hall, study)]
    assert max(instants) - min(instants) < 1_000_000
    assert all(is_said_whole(each, said) for each in (kitchen, hall, study))
    assert len(gains(kitchen, song)) == len(song)


async def test_unavailable_speaker_does_not_delay_the_others(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    said = scene.bell(0.4)
    gone = receiver("Gone", receiver_id="0A0B0C0D0E02")
    async with gone:
        lost = target(gone, stream="gone")

    assert await scene.say(target(kitchen), lost) is None
    failed = await harness.until(AnnouncementFailed)
    assert await scene.say(lost) == "unreachable"

    assert (failed.stream, failed.code) == ("gone", "unreachable")
    assert is_said_whole(kitchen, said)


async def test_volume_is_raised_in_silence_and_restored(
    kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(4.0)
    said = scene.bell(0.5)

    await scene.play(kitchen)
    assert await scene.say(target(kitchen, volume=60)) is None
    await scene.end(kitchen)

    assert volumes(kitchen) == [30, 60, 30]
    assert is_said_whole(kitchen, said)
    for change in kitchen.volumes[-2:]:
        assert left_level_at(kitchen, change.at_ns) == 0
    under = gains_between_silences(kitchen, song)
    assert under == pytest.approx(10 ** (-(18 + 9) / 20), abs=0.001)


async def test_volume_of_an_idle_speaker_is_restored(
    kitchen: VirtualReceiver, scene: Scene
) -> None:
    scene.bell(0.5)

    assert await scene.say(target(kitchen, volume=60)) is None

    assert volumes(kitchen) == [30, 60, 30]


async def test_volume_that_a_user_sets_meanwhile_stays(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    scene.bell(0.5)

    number = await scene.begin(target(kitchen, volume=60))
    await harness.run(SetVolume(receiver=member(kitchen).receiver, volume=40))
    assert (await harness.reply(number)).code is None

    assert volumes(kitchen) == [30, 60, 40]


async def test_stop_ends_the_voice_and_restores_the_volume(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    scene.bell(5)

    number = await scene.begin(target(kitchen, volume=60))
    assert await harness.stop() is None
    assert (await harness.reply(number)).code == "stopped"
    await kitchen.wait_idle(10)

    assert volumes(kitchen) == [30, 60, 30]


async def test_cancelled_voice_fades_and_the_music_returns(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(3.0)
    said = scene.bell(20)

    await scene.play(kitchen)
    number = await scene.begin(target(kitchen))
    await harness.run(CancelAnnouncement(announcement="bell"))
    assert (await harness.reply(number)).code == "stopped"
    await scene.end(kitchen)

    assert (
        0 < len(np.flatnonzero(heard_sides(kitchen.recording.packets)[1])) < len(said)
    )
    factors = gains(kitchen, song)
    assert len(factors) == len(song)
    assert (factors[-4410:] == 1).all()


async def test_bad_clip_disturbs_nothing(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, scene: Scene
) -> None:
    song = scene.song(1.0)
    voice(tmp_path / "long.wav", 3)

    await scene.play(kitchen)
    missing = announce(tmp_path / "none.wav", target(kitchen, volume=90))
    long = announce(tmp_path / "long.wav", target(kitchen), longest_ms=2000)
    assert await harness.run(missing) == "media_not_found"
    assert await harness.run(long) == "media_too_long"
    await scene.end(kitchen)

    assert (gains(kitchen, song) == 1).all()
    assert volumes(kitchen) == [30]


async def test_volume_is_restored_without_music(
    harness: EngineHarness, kitchen: VirtualReceiver
) -> None:
    command = RestoreVolume(stream=STREAM, member=member(kitchen, volume=25))
    assert await harness.run(command) is None
    await kitchen.wait_idle(10)

    assert volumes(kitchen) == [25]
    assert kitchen.recording.packets == []


def left_level_at(of: VirtualReceiver, at_ns: int) -> int:
    """Return the gain of the music in the packet that played at an instant."""
    for packet in of.recording.packets:
        if 0 <= at_ns - packet.play_ns < 8_000_000:
            left = np.frombuffer(packet.sound, "<i2").reshape(-1, 2)[:, 0]
            return int(abs(left.astype(int)).max())
    raise AssertionError("nothing was heard then")


def gains_between_silences(of: VirtualReceiver, song: Samples) -> float:
    """Return by how much a song is lowered between two silences."""
    left = heard_sides(of.recording.packets)[0]
    first = int(np.flatnonzero(left)[0])
    factors = abs(left[first : first + len(song)] / song)
    silent = np.flatnonzero(factors == 0)
    inside = factors[silent[0] : silent[-1]]
    return float(np.median(inside[inside > 0]))
