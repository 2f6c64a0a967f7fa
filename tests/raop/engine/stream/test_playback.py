"""The volume, the texts and the pictures that receivers get."""

from functools import partial
from pathlib import Path

import pytest

from custom_components.airplay.raop.messages import (
    Media,
    MediaChanged,
    Pause,
    Resume,
    SetArtwork,
    SetTags,
    SetVolume,
    Tags,
)
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, VirtualReceiver


def has_level(of: VirtualReceiver, level: float) -> bool:
    return of.volume_db == level


async def test_of_many_volumes_in_a_row_the_last_one_counts(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 3)
    name = kitchen.receiver_id.lower()
    command = play(tmp_path / "song.wav", member(kitchen, volume=10))
    assert await harness.run(command) is None
    await kitchen.wait_until(lambda: len(kitchen.volumes) == 2)
    assert {each.volume_db for each in kitchen.volumes} == {-27.0}

    for percent in range(50):
        harness.submit(SetVolume(receiver=name, volume=percent))
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(-15.3))
    assert len(kitchen.volumes) < 7

    for percent, is_muted, level in (
        (400, False, 0.0),
        (-5, False, -144.0),
        (70, True, -144.0),
        (70, False, -9.0),
    ):
        command_ = SetVolume(receiver=name, volume=percent, muted=is_muted)
        assert await harness.run(command_) is None
        await kitchen.wait_until(partial(has_level, kitchen, level))
    assert kitchen.violations == []


async def test_a_volume_set_while_the_receiver_is_being_connected_counts(
    harness: EngineHarness, song: Path
) -> None:
    slow = await harness.add(receiver("Slow", quirks=Quirks(setup_delay_s=0.3)))
    playing = harness.submit(play(song, member(slow, volume=10)))
    await slow.wait_for("SETUP")

    await harness.run(SetVolume(receiver=slow.receiver_id.lower(), volume=50))
    assert (await harness.reply(playing)).code is None

    await slow.wait_until(lambda: slow.volume_db == -15.0)


async def test_a_volume_forgotten_before_the_first_sound_is_sent_again(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    quirks = Quirks(forgets_silent_volume=True)
    forgetful = await harness.add(receiver("Forgetful", quirks=quirks))

    command = play(tmp_path / "song.wav", member(forgetful, volume=50))
    assert await harness.run(command) is None
    await forgetful.wait_until(lambda: forgetful.volume_db == -15.0)

    # Later it would undo a volume that a user set at the receiver.
    assert await harness.run(command) is None
    await harness.run(Pause(stream=STREAM))
    await harness.run(Resume(stream=STREAM, lead_ms=300))
    assert len(forgetful.volumes) == 2
    assert len(forgetful.asked("ANNOUNCE")) == 1


async def test_a_volume_for_an_unknown_receiver_is_no_error(
    harness: EngineHarness,
) -> None:
    assert await harness.run(SetVolume(receiver="nobody", volume=5)) is None


async def test_receivers_show_the_playing_media(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 3)
    tags = Tags(title="Song", artist="Artist", album="Album")
    media = Media(url=str(tmp_path / "song.wav"), name="song.wav", tags=tags)
    command = play(tmp_path / "song.wav", member(kitchen), media=media)
    assert await harness.run(command) is None

    song = kitchen.song
    await kitchen.wait_until(lambda: song.title == "Song" and song.progress is not None)
    assert (song.artist, song.album) == ("Artist", "Album")
    assert song.progress is not None
    start, now, end = song.progress
    assert (end - start) & 0xFFFFFFFF == 3 * 44_100
    assert (now - start) & 0xFFFFFFFF < 44_100
    shown = await harness.until(MediaChanged)
    assert (shown.tags, shown.duration_ms) == (tags, 3000)

    picture = SetArtwork(stream=STREAM, picture="iVBORw==", content_type="image/png")
    assert await harness.run(picture) is None
    await kitchen.wait_until(lambda: song.artwork == b"\x89PNG")
    assert await harness.run(SetArtwork(stream=STREAM, picture="")) is None
    await kitchen.wait_until(lambda: song.artwork_type == "image/none")
    assert await harness.run(SetArtwork(stream=STREAM, picture="no!")) == "failed"

    assert await harness.run(SetTags(stream=STREAM, tags=Tags(title="Other"))) is None
    await kitchen.wait_until(lambda: song.title == "Other")
    assert song.artist == "Artist"
    assert kitchen.violations == []


async def test_metadata_and_artwork_without_a_member_are_no_error(
    harness: EngineHarness,
) -> None:
    assert await harness.run(SetTags(stream="none", tags=Tags())) is None
    assert await harness.run(SetArtwork(stream="none", picture="")) is None
