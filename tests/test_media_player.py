"""The player, through Home Assistant's actions and states, with the real sender."""

import asyncio
import logging
from typing import override
from unittest.mock import AsyncMock, Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    async_mock_restore_state_shutdown_restart,
    mock_integration,
    mock_platform,
    mock_restore_cache_with_extra_data,
)

from custom_components.airplay.const import DOMAIN
from homeassistant.components.media_source import (
    MediaSource,
    MediaSourceItem,
    PlayMedia,
)
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.ha.players import call, entry_for, level_db, play, set_up, state_of
from tests.ha.processes import sender_pids
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, Reaction, VirtualReceiver

MUTE_DB = -144.0


def volumes(receiver: VirtualReceiver) -> list[float]:
    return [round(change.volume_db, 1) for change in receiver.volumes]


async def test_song_plays_unchanged(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    watch = Watch(hass, player)

    await play(hass, player, song)

    state = await watch.until_is("playing")
    assert state.attributes["media_content_id"] == song
    assert state.attributes["media_content_type"] == "music"
    assert state.attributes["media_duration"] == 4
    assert state.attributes["media_position"] == 0
    await watch.until_is("idle")
    assert watch.names == ["idle", "buffering", "playing", "idle"]
    assert kitchen.heard(song_pcm).is_complete
    assert not kitchen.violations
    assert not kitchen.has_session
    assert "media_content_id" not in state_of(hass, player).attributes


async def test_action_returns_when_the_receiver_has_started(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)

    assert state_of(hass, player).state == "playing"
    assert kitchen.recording.frames
    await call(hass, player, "media_stop")


async def test_stop_frees_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)

    await call(hass, player, "media_stop")

    assert state_of(hass, player).state == "idle"
    assert not kitchen.has_session
    assert kitchen.asked("TEARDOWN")


async def test_receiver_that_never_answers_a_flush_does_not_block(
    hass: HomeAssistant, song: str
) -> None:
    quirks = Quirks(unanswered=frozenset({"FLUSH"}))
    async with VirtualReceiver("Kitchen", quirks=quirks) as mute:
        player = await set_up(hass, entry_for(mute))
        await play(hass, player, song)

        # Any other request would be waited for for 5 s.
        async with asyncio.timeout(4):
            await call(hass, player, "media_pause")
        assert state_of(hass, player).state == "paused"

        await call(hass, player, "media_play")
        async with asyncio.timeout(4):
            await play(hass, player, song)
        assert state_of(hass, player).state == "playing"
        await call(hass, player, "media_stop")
        assert not mute.has_session


async def test_stop_while_idle_asks_nothing_of_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    kitchen.clear()

    await call(hass, player, "media_stop")
    await call(hass, player, "volume_set", volume_level=0.3)

    assert not kitchen.requests


async def test_stop_while_the_receiver_is_being_connected_is_quick(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=30)
    asking = hass.async_create_task(play(hass, player, song))
    await kitchen.wait_for("ANNOUNCE")

    # Half as long as the receiver needs.
    async with asyncio.timeout(15):
        await call(hass, player, "media_stop")
        await asking

    assert state_of(hass, player).state == "idle"
    await kitchen.wait_idle()


async def test_speaker_that_hangs_up_on_its_volume_and_title_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    kitchen.quirks = Quirks(drop_at="SET_PARAMETER")
    watch = Watch(hass, player)

    await play(hass, player, song)

    await watch.until_is("playing")
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_speaker_that_takes_too_long_for_all_steps_together_is_named_slow(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.quirks = Quirks(react=lambda _: Reaction(late_s=2.9))

    async with asyncio.timeout(12):
        with pytest.raises(HomeAssistantError) as caught:
            await play(hass, player, song)

    assert caught.value.translation_key == "receiver_slow"
    assert state_of(hass, player).state == "idle"


class SlowSource(MediaSource):
    """Finds its media when a test releases it."""

    def __init__(self, song: str) -> None:
        super().__init__("slow")
        self.asked, self.found = asyncio.Event(), asyncio.Event()
        self._song = song

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        self.asked.set()
        await self.found.wait()
        return PlayMedia(url=self._song, mime_type="audio/wav")


@pytest.fixture
async def slow(hass: HomeAssistant) -> SlowSource:
    """Return a media source that waits before it answers."""
    source = SlowSource("http://127.0.0.1:9/song.wav")
    mock_integration(hass, MockModule("slow"))
    platform = Mock(async_get_media_source=AsyncMock(return_value=source))
    mock_platform(hass, "slow.media_source", platform)
    assert await async_setup_component(hass, "slow", {})
    return source


async def test_stop_before_the_media_is_found_wins(
    hass: HomeAssistant, player: str, slow: SlowSource
) -> None:
    watch = Watch(hass, player)
    asking = hass.async_create_task(play(hass, player, "media-source://slow/song"))
    await slow.asked.wait()

    await call(hass, player, "media_stop")
    slow.found.set()
    await asking

    assert watch.names == ["idle"]


async def test_newest_of_two_commands_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=0.5)
    first = hass.async_create_task(play(hass, player, song, extra={"title": "First"}))
    await kitchen.wait_for("ANNOUNCE")

    watch = Watch(hass, player)
    await play(hass, player, song, extra={"title": "Second"})
    await first

    assert state_of(hass, player).attributes["media_title"] == "Second"
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_next_song_continues_in_the_same_session(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    await play(hass, player, song, extra={"title": "First"})
    watch = Watch(hass, player)

    await play(hass, player, song, extra={"title": "Second"})

    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["media_title"] == "Second"
    assert state_of(hass, player).attributes["media_position"] == 0
    assert "idle" not in watch.names
    assert len(kitchen.asked("ANNOUNCE")) == 1
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_bad_media_does_not_disturb_playback(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song, extra={"title": "Good"})

    with pytest.raises(HomeAssistantError, match="it was not found"):
        await play(hass, player, song.replace("song", "gone"), extra={"title": "Bad"})

    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["media_title"] == "Good"
    await call(hass, player, "media_stop")


async def test_volume_is_low_until_it_is_set(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    assert state_of(hass, player).attributes["volume_level"] == 0.2

    await play(hass, player, song)

    assert kitchen.volume_db == level_db(20)
    await call(hass, player, "media_stop")


async def test_volume_and_mute_reach_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    kitchen.volumes.clear()

    await call(hass, player, "volume_set", volume_level=0.5)
    assert state_of(hass, player).attributes["volume_level"] == 0.5
    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(50))
    await call(hass, player, "volume_up")
    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(55))
    await call(hass, player, "volume_down")
    await call(hass, player, "volume_mute", is_volume_muted=True)
    assert state_of(hass, player).attributes["is_volume_muted"] is True
    await kitchen.wait_until(lambda: kitchen.volume_db == MUTE_DB)
    await call(hass, player, "volume_mute", is_volume_muted=False)
    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(50))

    assert max(volumes(kitchen)) == level_db(55)
    await call(hass, player, "media_stop")


async def test_volume_reaches_a_receiver_that_forgets_it_before_its_first_sound(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.volume_db = -3.0
    kitchen.quirks = Quirks(forgets_silent_volume=True)
    await call(hass, player, "volume_set", volume_level=0.4)

    await play(hass, player, song)

    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(40))
    assert volumes(kitchen) == [level_db(40)] * 2
    assert all(change.is_recording for change in kitchen.volumes)
    await call(hass, player, "media_stop")


async def test_volume_set_while_idle_is_that_of_the_next_song(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.1)
    await call(hass, player, "volume_mute", is_volume_muted=True)

    await play(hass, player, song)

    assert set(volumes(kitchen)) == {MUTE_DB}
    await call(hass, player, "volume_mute", is_volume_muted=False)
    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(10))
    await call(hass, player, "media_stop")


async def test_volume_set_while_the_receiver_is_being_connected(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=0.5)
    asking = hass.async_create_task(play(hass, player, song))
    await kitchen.wait_for("ANNOUNCE")

    await call(hass, player, "volume_set", volume_level=0.05)
    await asking

    await kitchen.wait_until(lambda: kitchen.volume_db == level_db(5))
    assert max(volumes(kitchen)) <= level_db(20)
    await call(hass, player, "media_stop")


async def test_volume_outlives_a_restart(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.35)
    await call(hass, player, "volume_mute", is_volume_muted=True)

    data = await async_mock_restore_state_shutdown_restart(hass)

    assert data.last_states[player].extra_data
    kept = data.last_states[player].extra_data.as_dict()
    assert (kept["volume"], kept["is_muted"]) == (0.35, True)


async def test_volume_is_restored(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State("media_player.kitchen", "unavailable"),
                {"volume": 0.35, "is_muted": True},
            )
        ],
    )

    player = await set_up(hass, entry_for(kitchen))

    assert state_of(hass, player).attributes["volume_level"] == 0.35
    assert state_of(hass, player).attributes["is_volume_muted"] is True


async def test_two_speakers_side_by_side(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    locked: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    bedroom = await set_up(hass, entry_for(locked, password="secret"))
    watch = Watch(hass, player)
    await asyncio.gather(play(hass, player, song), play(hass, bedroom, song))
    assert len(sender_pids()) == 1

    await call(hass, bedroom, "media_stop")

    assert state_of(hass, bedroom).state == "idle"
    assert state_of(hass, player).state == "playing"
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_receiver_that_is_off(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await kitchen.stop()

    with pytest.raises(HomeAssistantError, match="Kitchen does not respond"):
        await play(hass, player, song)

    assert state_of(hass, player).state == "idle"


@pytest.mark.parametrize(
    ("quirks", "message"),
    [
        (Quirks(refuse={"ANNOUNCE": 453}), "Kitchen is in use by another sender"),
        (Quirks(refuse={"SETUP": 500}), "Kitchen rejected"),
        (Quirks(garbage_reply=frozenset({"ANNOUNCE"})), "an unexpected response"),
        (Quirks(asks_time=False), "does not seem to play it"),
        (Quirks(refuse={"ANNOUNCE": 470}), "requires pairing with a code"),
    ],
)
async def test_receiver_that_does_not_play(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    quirks: Quirks,
    message: str,
) -> None:
    kitchen.quirks = quirks

    with pytest.raises(HomeAssistantError, match=message):
        await play(hass, player, song)

    assert state_of(hass, player).state == "idle"
    await kitchen.wait_idle()
    assert not hass.config_entries.flow.async_progress()


async def test_password_that_was_changed_is_asked_for(
    hass: HomeAssistant, locked: VirtualReceiver, song: str
) -> None:
    player = await set_up(hass, entry_for(locked, password="secret"))
    locked.password = "changed"

    with pytest.raises(HomeAssistantError, match="does not accept the password"):
        await play(hass, player, song)
    with pytest.raises(HomeAssistantError, match="does not accept the password"):
        await play(hass, player, song)
    await hass.async_block_till_done()

    assert state_of(hass, player).state == "idle"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["handler"] == DOMAIN


async def test_receiver_that_goes_in_the_middle_of_a_song(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await play(hass, player, song)
    watch = Watch(hass, player)

    await kitchen.stop()

    await watch.until_is("idle")
    warnings = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "airplay" in record.name
    ]
    assert warnings == ["Kitchen stopped playing: the receiver closed the connection"]

    await kitchen.start()
    kitchen.clear()
    await play(hass, player, song)
    await watch.until_is("playing")
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_volume_has_no_digits_that_mean_nothing(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.8)
    levels = []
    for _ in range(3):
        await call(hass, player, "volume_up")
        levels.append(state_of(hass, player).attributes["volume_level"])

    assert levels == [0.85, 0.9, 0.95]


async def test_player_that_is_disabled_stops(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    registry = er.async_get(hass)

    registry.async_update_entity(player, disabled_by=er.RegistryEntryDisabler.USER)

    await kitchen.wait_for("TEARDOWN")
    await hass.async_block_till_done()
    assert hass.states.get(player) is None


async def test_member_that_is_disabled_leaves_its_group_in_peace(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    player: str,
    song: str,
) -> None:
    other = await set_up(hass, entry_for(hall))
    await call(hass, player, "join", group_members=[other])
    await play(hass, player, song)
    registry = er.async_get(hass)

    registry.async_update_entity(player, disabled_by=er.RegistryEntryDisabler.USER)

    await kitchen.wait_for("TEARDOWN")
    await hass.async_block_till_done()
    assert not hall.asked("TEARDOWN")
    state = state_of(hass, other)
    assert state.state == "playing"
    assert state.attributes["group_members"] == []
    await call(hass, other, "media_stop")
