"""Features that follow from true states: voice intents, device triggers, conditions."""

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    async_capture_events,
    mock_integration,
    mock_platform,
)

from homeassistant.components.media_source import MediaSource
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.setup import async_setup_component
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs, is_item
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, VirtualReceiver


async def say(hass: HomeAssistant, name: str, **slots: object) -> None:
    """Have Home Assistant handle an intent."""
    words = {slot: {"value": value} for slot, value in slots.items()}
    await intent.async_handle(hass, "test", name, words)
    await hass.async_block_till_done()


def level_of(hass: HomeAssistant, player: str) -> Any:
    return state_of(hass, player).attributes["volume_level"]


async def test_voice_pauses_resumes_and_skips(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    assert await async_setup_component(hass, "intent", {})
    await play(hass, player, songs.make("a", 6))
    await play(hass, player, songs.make("b", 6), enqueue="add")

    watch = Watch(hass, player)
    await say(hass, "HassMediaPause")
    await watch.until_is("paused")
    await say(hass, "HassMediaUnpause")
    await watch.until_is("playing")
    await say(hass, "HassMediaNext")
    await watch.until(is_item("b"))
    await say(hass, "HassMediaPrevious")
    await watch.until(is_item("a"))
    await call(hass, player, "media_stop")


async def test_voice_sets_the_volume(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    assert await async_setup_component(hass, "intent", {})
    await play(hass, player, songs.make("a", 6))

    await say(hass, "HassSetVolume", volume_level=40)
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(-18))
    await say(hass, "HassSetVolumeRelative", volume_step="down")
    assert level_of(hass, player) < 0.4
    await say(hass, "HassMediaPlayerMute")
    await kitchen.wait_until(lambda: kitchen.volume_db == -144)
    await say(hass, "HassMediaPlayerUnmute")
    await kitchen.wait_until(lambda: kitchen.volume_db > -144)
    await call(hass, player, "media_stop")


class Deaf(MediaSource):
    """A source that cannot be searched."""


@pytest.mark.parametrize("is_alone", [True, False])
async def test_voice_searches_all_sources_and_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    *,
    is_alone: bool,
) -> None:
    assert await async_setup_component(hass, "intent", {})
    if not is_alone:
        mock_integration(hass, MockModule("deaf"))
        platform = Mock(async_get_media_source=AsyncMock(return_value=Deaf("deaf")))
        mock_platform(hass, "deaf.media_source", platform)
        assert await async_setup_component(hass, "deaf", {})
    songs.make("morning mood", 4)
    songs.make("something else", 4)

    await say(hass, "HassMediaSearchAndPlay", search_query="Morning")

    state = state_of(hass, player)
    assert state.state == "playing"
    assert state.attributes["media_content_id"] == f"{FOLDER}/morning mood.wav"
    with pytest.raises(intent.IntentHandleError, match="No results"):
        await say(hass, "HassMediaSearchAndPlay", search_query="nothing at all")
    await call(hass, player, "media_stop")


def of_device(hass: HomeAssistant, player: str, kind: str) -> dict[str, Any]:
    """Return a device trigger or condition of the player."""
    entry = er.async_get(hass).async_get(player)
    assert entry
    return {
        "domain": "media_player",
        "device_id": entry.device_id,
        "entity_id": entry.id,
        "type": kind,
    }


async def automate(hass: HomeAssistant, *automations: dict[str, Any]) -> None:
    """Set automations up."""
    config = {"automation": list(automations)}
    assert await async_setup_component(hass, "automation", config)


async def test_device_triggers_fire_once_for_every_state(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    kinds = ("buffering", "playing", "paused", "idle")
    told = {kind: async_capture_events(hass, f"was_{kind}") for kind in kinds}
    await automate(
        hass,
        *(
            {
                "trigger": {"platform": "device"} | of_device(hass, player, kind),
                "action": {"event": f"was_{kind}"},
            }
            for kind in kinds
        ),
    )

    def counts() -> list[int]:
        return [len(told[kind]) for kind in kinds]

    await play(hass, player, songs.make("a", 4))
    await hass.async_block_till_done()
    assert counts() == [1, 1, 0, 0]
    await call(hass, player, "media_pause")
    await hass.async_block_till_done()
    assert counts() == [1, 1, 1, 0]
    await call(hass, player, "media_stop")
    await hass.async_block_till_done()
    assert counts() == [1, 1, 1, 1]


async def test_device_conditions_know_the_state(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    kinds = ("is_buffering", "is_playing", "is_paused", "is_idle")
    await automate(
        hass,
        *(
            {
                "trigger": {"platform": "event", "event_type": "what"},
                "condition": {"condition": "device"} | of_device(hass, player, kind),
                "action": {"event": kind},
            }
            for kind in kinds
        ),
    )
    told = {kind: async_capture_events(hass, kind) for kind in kinds}

    async def answers() -> list[str]:
        for events in told.values():
            events.clear()
        hass.bus.async_fire("what")
        await hass.async_block_till_done()
        return [kind for kind, events in told.items() if events]

    assert await answers() == ["is_idle"]
    kitchen.quirks = Quirks(setup_delay_s=0.5)
    playing = hass.async_create_background_task(
        play(hass, player, songs.make("a", 4)), "play"
    )
    await kitchen.wait_for("ANNOUNCE")
    assert await answers() == ["is_buffering"]
    await playing
    assert await answers() == ["is_playing"]
    await call(hass, player, "media_pause")
    assert await answers() == ["is_paused"]
    await call(hass, player, "media_stop")
    assert await answers() == ["is_idle"]
