"""Speakers that play together, through actions and states, with the real sender."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.ha.players import call, play, state_of
from tests.ha.remote import remote_of
from tests.ha.songs import can, is_item
from tests.ha.three_speakers import HALL, KITCHEN, STUDY, House, house_of
from tests.ha.watch import Watch
from tests.speaker.test_in_use import AWAY


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[House]:
    """Return a house of three speakers."""
    async with house_of(hass, tmp_path) as built:
        yield built


async def test_speaker_alone_is_in_no_group(hass: HomeAssistant, house: House) -> None:
    assert house.group(KITCHEN) == []
    assert can(state_of(hass, KITCHEN), MediaPlayerEntityFeature.GROUPING)

    await house.unjoin(KITCHEN)

    assert house.group(KITCHEN) == []


async def test_group_plays_a_song_on_all_at_the_same_time(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL, STUDY)
    assert {tuple(house.group(each)) for each in house.receivers} == {
        (KITCHEN, HALL, STUDY)
    }

    pcm = await house.play(HALL, "a", 2)

    for each in house.receivers:
        assert is_item("a")(state_of(hass, each))
    await house.ends(KITCHEN)
    for receiver in house.receivers.values():
        assert receiver.heard(pcm).is_complete
    assert house.are_alike(KITCHEN, HALL)
    assert house.are_alike(KITCHEN, STUDY)


async def test_a_member_that_joins_during_playback_plays_in_sync(
    hass: HomeAssistant, house: House
) -> None:
    pcm = await house.play(KITCHEN, "a", 5)
    position = state_of(hass, KITCHEN).attributes["media_position_updated_at"]

    await house.join(KITCHEN, HALL)

    hall = state_of(hass, HALL)
    assert is_item("a")(hall)
    assert hall.attributes["media_position_updated_at"] == position
    assert hall.attributes["queue_size"] == 1
    await house.ends(HALL)
    assert house.receivers[KITCHEN].heard(pcm).is_complete
    assert house.tail_s(HALL, pcm) > 1
    assert house.are_alike(KITCHEN, HALL)


async def test_a_player_that_leaves_is_idle_and_has_its_own_queue_again(
    hass: HomeAssistant, house: House
) -> None:
    await house.play(HALL, "own", 8)
    await call(hass, HALL, "media_pause")
    stood_at = state_of(hass, HALL).attributes["media_position"]
    pcm = await house.play(KITCHEN, "a", 5)
    await house.join(KITCHEN, HALL)
    assert is_item("a")(state_of(hass, HALL))

    await house.unjoin(HALL)

    hall = state_of(hass, HALL)
    assert hall.state == "idle"
    assert hall.attributes["group_members"] == []
    assert hall.attributes["queue_size"] == 1
    assert is_item("a")(state_of(hass, KITCHEN))
    assert house.group(KITCHEN) == []
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete
    await call(hass, HALL, "media_play")
    assert is_item("own")(state_of(hass, HALL))
    assert state_of(hass, HALL).attributes["media_position"] == stood_at
    await call(hass, HALL, "media_stop")


async def test_others_keep_playing_when_the_leader_leaves(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL, STUDY)
    pcm = await house.play(KITCHEN, "a", 3)
    await play(hass, KITCHEN, house.songs.make("b", 2), enqueue="add")
    await call(hass, HALL, "repeat_set", repeat="all")
    await call(hass, STUDY, "repeat_set", repeat="off")

    await house.unjoin(KITCHEN)

    assert house.group(HALL) == [HALL, STUDY]
    assert is_item("a")(state_of(hass, HALL))
    kitchen = state_of(hass, KITCHEN)
    assert kitchen.state == "idle"
    assert "queue_size" not in kitchen.attributes
    await Watch(hass, STUDY).until(is_item("b"))
    await house.ends(STUDY)
    whole = pcm + house.songs.pcm("b", 2)
    for each in (HALL, STUDY):
        assert house.receivers[each].heard(whole).is_complete
    assert not house.receivers[KITCHEN].has_session


async def test_commands_on_a_member_apply_to_the_group(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 9)
    await play(hass, HALL, house.songs.make("b", 9), enqueue="add")

    await call(hass, HALL, "media_pause")
    assert state_of(hass, KITCHEN).state == "paused"
    await call(hass, KITCHEN, "media_play")
    assert state_of(hass, HALL).state == "playing"
    await call(hass, HALL, "media_next_track")
    assert is_item("b")(state_of(hass, KITCHEN))
    await call(hass, HALL, "media_seek", seek_position=5)
    assert state_of(hass, KITCHEN).attributes["media_position"] == 5
    await call(hass, HALL, "volume_set", volume_level=0.4)
    await call(hass, HALL, "volume_mute", is_volume_muted=True)
    assert state_of(hass, KITCHEN).attributes["volume_level"] != 0.4
    assert not state_of(hass, KITCHEN).attributes["is_volume_muted"]
    await call(hass, HALL, "media_stop")

    assert state_of(hass, KITCHEN).state == "idle"
    assert house.group(KITCHEN) == [KITCHEN, HALL]


async def test_players_of_other_integrations_are_refused_before_anything_changes(
    hass: HomeAssistant, house: House
) -> None:
    hass.states.async_set("media_player.other", "idle")
    await hass.config_entries.async_unload(house.entries[STUDY].entry_id)

    with pytest.raises(
        ServiceValidationError, match=rf"media_player\.other, {STUDY}"
    ) as raised:
        await house.join(KITCHEN, HALL, "media_player.other", STUDY)

    assert raised.value.translation_key == "group_foreign"
    assert house.group(KITCHEN) == house.group(HALL) == []


async def test_member_that_is_joined_extends_its_group_and_twice_is_once(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)

    await house.join(HALL, STUDY, STUDY, HALL)
    await house.join(HALL, KITCHEN, STUDY)

    assert house.group(STUDY) == [KITCHEN, HALL, STUDY]


async def test_leader_that_moves_to_another_leaves_its_group_playing(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 9)
    pcm = await house.play(STUDY, "b", 6)

    await house.join(STUDY, KITCHEN)

    assert house.group(KITCHEN) == [STUDY, KITCHEN]
    assert house.group(HALL) == []
    assert is_item("a")(state_of(hass, HALL))
    assert is_item("b")(state_of(hass, KITCHEN))
    await call(hass, HALL, "media_stop")
    await house.ends(KITCHEN)
    assert house.tail_s(KITCHEN, pcm) > 1
    assert house.receivers[STUDY].heard(pcm).is_complete


async def test_joins_and_leaves_at_once_end_well(
    hass: HomeAssistant, house: House
) -> None:
    pcm = await house.play(STUDY, "a", 5)

    await asyncio.gather(
        house.join(KITCHEN, HALL),
        house.join(HALL, KITCHEN),
        house.join(STUDY, KITCHEN),
        house.join(STUDY, HALL),
        house.unjoin(KITCHEN),
    )

    assert house.group(STUDY) == [STUDY, HALL]
    assert house.group(KITCHEN) == []
    await house.ends(STUDY)
    assert house.receivers[STUDY].heard(pcm).is_complete
    assert house.tail_s(HALL, pcm) > 0.5


async def test_join_during_a_start_and_leave_during_a_pause(
    hass: HomeAssistant, house: House
) -> None:
    starting = asyncio.create_task(house.play(KITCHEN, "a", 4))
    await Watch(hass, KITCHEN).until_is("buffering")
    await house.join(KITCHEN, HALL)
    pcm = await starting
    assert is_item("a")(state_of(hass, HALL))

    pausing = asyncio.create_task(call(hass, KITCHEN, "media_pause"))
    await house.unjoin(HALL)
    await pausing
    assert state_of(hass, KITCHEN).state == "paused"
    assert state_of(hass, HALL).state == "idle"
    await house.receivers[HALL].wait_idle()
    await call(hass, KITCHEN, "media_play")
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm[-44100 * 4 :]).is_complete


async def test_unreachable_speaker_is_named_and_the_others_play_on(
    hass: HomeAssistant, house: House
) -> None:
    pcm = await house.play(KITCHEN, "a", 6)
    await house.receivers[STUDY].stop()

    with pytest.raises(HomeAssistantError, match="Study does not respond"):
        await house.join(KITCHEN, HALL, STUDY)

    assert house.group(KITCHEN) == [KITCHEN, HALL]
    assert house.group(STUDY) == []
    assert state_of(hass, STUDY).state == "idle"
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete


async def test_all_that_cannot_be_reached_are_named(
    hass: HomeAssistant, house: House
) -> None:
    await house.play(KITCHEN, "a", 6)
    for each in (HALL, STUDY):
        await house.receivers[each].stop()

    with pytest.raises(HomeAssistantError, match="Some speakers") as raised:
        await house.join(KITCHEN, HALL, STUDY)

    for name in ("Hall", "Study"):
        assert f"{name} does not respond" in str(raised.value)
    assert house.group(KITCHEN) == []
    assert is_item("a")(state_of(hass, KITCHEN))
    await call(hass, KITCHEN, "media_stop")


async def test_call_that_was_cancelled_leaves_true_states(
    hass: HomeAssistant, house: House, hass_storage: dict[str, Any]
) -> None:
    await house.play(KITCHEN, "a", 9)

    joining = asyncio.create_task(house.join(KITCHEN, HALL))
    await Watch(hass, HALL).until(lambda state: bool(state.attributes["group_members"]))
    joining.cancel()
    await asyncio.wait([joining])

    ids = [house.entries[each].entry_id for each in (KITCHEN, HALL)]
    assert hass_storage["airplay.groups"]["data"] == [ids]
    await house.unjoin(HALL)
    assert state_of(hass, HALL).state == "idle"
    await house.receivers[HALL].wait_idle()
    await call(hass, KITCHEN, "media_stop")


async def test_unreachable_speaker_may_join_an_idle_group(
    hass: HomeAssistant, house: House
) -> None:
    await house.receivers[STUDY].stop()

    await house.join(KITCHEN, STUDY)

    assert house.group(KITCHEN) == [KITCHEN, STUDY]
    pcm = await house.play(KITCHEN, "a", 2)
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete


async def test_lost_member_is_shown_and_rejoins_automatically(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    watch = Watch(hass, HALL)
    pcm = await house.play(KITCHEN, "a", 8)

    house.receivers[HALL].disconnect()

    lost = await watch.until_is("buffering")
    assert lost.attributes["connection_lost"]
    assert state_of(hass, KITCHEN).state == "playing"
    back = await watch.until_is("playing")
    assert "connection_lost" not in back.attributes
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete


async def test_member_in_use_by_another_sender_is_left_alone(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    pcm = await house.play(KITCHEN, "a", 6)
    watch = Watch(hass, HALL)

    house.receivers[HALL].hang_up()
    await watch.until_is("idle")

    assert state_of(hass, KITCHEN).state == "playing"
    assert house.group(HALL) == [KITCHEN, HALL]
    in_use = hass.states.get("binary_sensor.hall_in_use_elsewhere")
    assert in_use is not None
    assert in_use.state == "on"
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete
    assert len(house.receivers[HALL].asked("ANNOUNCE")) == 1
    await house.play(KITCHEN, "b", 2)
    await watch.until_is("playing")


async def test_member_that_is_switched_away_is_idle_until_it_is_played_again(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    pcm = await house.play(KITCHEN, "a", 9)
    remote = await remote_of(hass, house.receivers[HALL])
    watch = Watch(hass, HALL)
    await asyncio.sleep(1)  # the time that the start needs

    await remote.order(AWAY)
    await watch.until_is("idle")

    assert state_of(hass, KITCHEN).state == "playing"
    assert house.group(HALL) == [KITCHEN, HALL]
    await call(hass, HALL, "media_play")
    await watch.until(is_item("a"))
    await house.ends(HALL)
    assert house.receivers[KITCHEN].heard(pcm).is_complete
    assert house.are_alike(KITCHEN, HALL)


async def test_call_for_all_members_acts_once(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL, STUDY)
    everybody = {"entity_id": [*house.receivers]}

    async def act(action: str, **data: object) -> None:
        await hass.services.async_call(
            "media_player", action, everybody | data, blocking=True
        )

    for name in "abc":
        media = {"media_content_id": house.songs.make(name, 9)}
        await act("play_media", media_content_type="music", enqueue="add", **media)
    assert state_of(hass, HALL).attributes["queue_size"] == 3
    await act("media_play_pause")
    assert is_item("a")(state_of(hass, STUDY))

    await act("media_next_track")
    assert is_item("b")(state_of(hass, KITCHEN))
    await act("media_play_pause")
    assert state_of(hass, KITCHEN).state == "paused"
    await act("media_stop")
