"""The buttons of speakers that play together: each is the group's, its volume its own."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import call, play, state_of
from tests.ha.remote import Buttons, entity_of, remote_of
from tests.ha.songs import is_item
from tests.ha.three_speakers import HALL, KITCHEN, STUDY, House, house_of
from tests.ha.watch import Watch
from tests.raop.engine.stereo_marks import gains, heard_sides, music
from tests.speaker.test_in_use import AWAY, BACK
from tests.speaker.test_remote import has, press
from tests.virtual_receiver.remote import RemoteControl


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[House]:
    """Return a house in which the kitchen and the hall play together."""
    async with house_of(hass, tmp_path) as built:
        await built.join(KITCHEN, HALL)
        yield built


@pytest.fixture
async def hall(hass: HomeAssistant, house: House) -> RemoteControl:
    """Return the buttons of the hall, which plays together with the kitchen."""
    await house.play(KITCHEN, "a", 30)
    await play(hass, KITCHEN, house.songs.make("b", 30), enqueue="add")
    return await remote_of(hass, house.receivers[HALL])


async def test_buttons_of_a_member_apply_to_the_group(
    hass: HomeAssistant, house: House, hall: RemoteControl
) -> None:
    watches = [Watch(hass, each) for each in (KITCHEN, HALL)]
    told, others = Buttons(hass, number=2), Buttons(hass, number=1)

    await press(hall, "nextitem")
    for watch in watches:
        await watch.until(is_item("b"))
    await press(hall, "pause")
    for watch in watches:
        await watch.until_is("paused")

    assert await told.until(2) == [("next", None), ("pause", None)]
    assert others.told == []
    assert state_of(hass, STUDY).state == "idle"


async def test_volume_buttons_change_their_own_speaker_only(
    hass: HomeAssistant, house: House, hall: RemoteControl
) -> None:
    for player in (KITCHEN, HALL):
        await call(hass, player, "volume_set", volume_level=0.3)
    kitchen_levels = len(house.receivers[KITCHEN].volumes)

    await press(hall, "volumeup")
    await Watch(hass, HALL).until(has("volume_level", 0.35))
    await press(hall, "mutetoggle")
    await Watch(hass, HALL).until(has("is_volume_muted", True))

    kitchen = state_of(hass, KITCHEN).attributes
    assert (kitchen["volume_level"], kitchen["is_volume_muted"]) == (0.3, False)
    assert len(house.receivers[KITCHEN].volumes) == kitchen_levels


async def test_buttons_that_do_not_act_are_set_per_speaker(
    hass: HomeAssistant, house: House, hall: RemoteControl
) -> None:
    entry = house.entries[HALL]
    await call(hass, KITCHEN, "media_stop")
    hass.config_entries.async_update_entry(entry, options={"buttons_act": False})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert house.group(HALL) == [KITCHEN, HALL]
    await house.play(KITCHEN, "a", 30)
    told = Buttons(hass, number=2)

    await press(hall, "pause")
    assert await told.until(1) == [("pause", None)]
    kitchen = await remote_of(hass, house.receivers[KITCHEN])
    assert state_of(hass, KITCHEN).state == "playing"
    await press(kitchen, "pause")

    await Watch(hass, HALL).until_is("paused")


async def test_member_that_is_switched_away_leaves_the_music_but_not_the_group(
    hass: HomeAssistant, house: House, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    song = music(tmp_path / "media" / "song.wav", 9)
    await play(hass, KITCHEN, "media-source://media_source/local/song.wav")
    hall = house.receivers[HALL]
    remote = await remote_of(hass, hall)
    in_use = Watch(hass, entity_of(hass, "binary_sensor", "in_use_elsewhere", number=2))
    await asyncio.sleep(1)  # the time that the start needs

    await remote.order(AWAY)
    await in_use.until_is("on")
    await hall.wait_idle()

    assert house.group(HALL) == house.group(KITCHEN) == [KITCHEN, HALL]
    assert state_of(hass, KITCHEN).state == "playing"
    assert not house.is_unavailable(HALL)
    await remote.order(BACK)
    await in_use.until_is("off")
    await hall.wait_for("RECORD", count=2)

    await house.ends(KITCHEN)
    kitchen = house.receivers[KITCHEN]
    await kitchen.drain()
    assert len(gains(kitchen, song)) == len(song)
    assert (gains(kitchen, song) == 1).all()
    assert house.are_alike(KITCHEN, HALL)
    # It was silent meanwhile, and rejoined the music at its present position.
    left = heard_sides(hall.recording.packets)[0]
    heard = left[left != 0]
    assert len(heard) < len(song)
    assert (heard[-22_050:] == song[-22_050:]).all()
