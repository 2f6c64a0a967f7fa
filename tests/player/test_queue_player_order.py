"""The order of a queue and its capacity, through actions and states."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs, is_item
from tests.ha.sound import FOLDER, RATE
from tests.ha.watch import Watch
from tests.virtual_receiver import VirtualReceiver

MOST = 10_000


async def test_shuffle_keeps_the_playing_item_and_can_be_undone(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    names = "abcdefgh"
    for name in names:
        songs.make(name, 8)
    (songs.folder / "list.m3u").write_text("\n".join(f"{at}.wav" for at in names))
    await play(hass, player, f"{FOLDER}/list.m3u")
    await call(hass, player, "media_next_track")
    assert is_item("b")(state_of(hass, player))
    watch = Watch(hass, player)

    await call(hass, player, "shuffle_set", shuffle=True)
    assert state_of(hass, player).attributes["queue_position"] == 1
    await call(hass, player, "shuffle_set", shuffle=False)

    assert state_of(hass, player).attributes["queue_position"] == 2
    assert all(is_item("b")(state) for state in watch.states)
    await call(hass, player, "media_next_track")
    assert is_item("c")(state_of(hass, player))
    assert len(kitchen.asked("ANNOUNCE")) == 1
    await call(hass, player, "media_stop")


async def test_repeat_all_goes_around_the_end_without_a_gap(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a"))
    await play(hass, player, songs.make("b"), enqueue="add")
    await call(hass, player, "repeat_set", repeat="all")
    watch = Watch(hass, player)

    await watch.until(is_item("b"))
    await watch.until(is_item("a"))
    await call(hass, player, "repeat_set", repeat="off")
    await watch.until(is_item("b"))
    await watch.until_is("idle")

    assert kitchen.heard((songs.pcm("a") + songs.pcm("b")) * 2).is_complete


async def test_queue_accepts_ten_thousand_items_and_reports_when_it_is_full(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    songs.make("a")
    (songs.folder / "full.m3u").write_text("a.wav\n" * MOST)
    (songs.folder / "more.m3u").write_text("a.wav\n" * (MOST + 1))

    with pytest.raises(HomeAssistantError, match="more than 10000 entries"):
        await play(hass, player, f"{FOLDER}/more.m3u", enqueue="add")
    await play(hass, player, f"{FOLDER}/full.m3u", enqueue="add")
    assert state_of(hass, player).attributes["queue_size"] == MOST

    with pytest.raises(ServiceValidationError, match="room for 0 more"):
        await play(hass, player, f"{FOLDER}/a.wav", enqueue="add")


async def test_position_is_reported_on_changes_only(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 8))
    await kitchen.wait_frames(RATE)
    watch = Watch(hass, player)

    # The sender reports once a second.
    await kitchen.wait_frames(4 * RATE)
    assert len(watch.states) == 1

    await call(hass, player, "media_seek", seek_position=6)
    assert state_of(hass, player).attributes["media_position"] == 6
    await call(hass, player, "media_stop")
