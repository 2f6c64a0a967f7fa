"""The lane to a receiver, and the one that is remembered."""

from collections.abc import AsyncGenerator
from dataclasses import replace
import json

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.diagnostics import diagnostics_of
from tests.ha.players import call, entry_for, play, set_up
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver


@pytest.fixture
async def den(socket_enabled: None) -> AsyncGenerator[AirPlay2Receiver]:
    """Return a receiver that announces AirPlay 1, too, and refuses it."""
    quirks = Quirks(takes_ptp=False, refuse={"ANNOUNCE": 500})
    async with AirPlay2Receiver(
        "Den", receiver_id="0A0B0C0D0E09", quirks=quirks
    ) as receiver:
        yield receiver


async def test_lane_that_worked_comes_first_until_the_firmware_changes(
    hass: HomeAssistant,
    den: AirPlay2Receiver,
    network: Network,
    song: str,
    song_pcm: bytes,
    hass_client: ClientSessionGenerator,
) -> None:
    network.announce(raop_info(den))
    network.announce(airplay_info(den, txt={"fv": "1.0"}))
    entry = entry_for(den)
    player = await set_up(hass, entry)
    loaded = entry.runtime_data
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")
    assert den.asked("ANNOUNCE")
    assert den.heard(song_pcm).is_complete
    worked = {
        "lane": "airplay2-realtime",
        "way": "airplay2-realtime ntp open",
        "firmware": "1.0",
    }
    assert entry.data["lane_worked"] == worked
    assert entry.runtime_data is loaded

    den.clear()
    await play(hass, player, song)
    assert not den.asked("ANNOUNCE")
    told = await diagnostics_of(hass, hass_client, entry)
    assert told["entry"]["data"]["lane_worked"] == worked
    assert "0e09" not in json.dumps(told).lower()
    await call(hass, player, "media_stop")

    network.announce(airplay_info(den, txt={"fv": "2.0"}))
    await hass.async_block_till_done()
    den.clear()
    await play(hass, player, song)
    assert den.asked("ANNOUNCE")
    await call(hass, player, "media_stop")


async def test_no_lane_is_remembered_if_there_is_only_one(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")

    assert "lane_worked" not in entry.data


async def test_chosen_lane_does_not_count_as_the_best_lane(
    hass: HomeAssistant, den: AirPlay2Receiver, network: Network, song: str
) -> None:
    network.announce(raop_info(den))
    network.announce(airplay_info(den))
    entry = entry_for(den)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"lane": "airplay2-realtime"})
    player = await set_up(hass, entry)
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")

    assert not den.asked("ANNOUNCE")
    assert "lane_worked" not in entry.data


@pytest.mark.parametrize("lane", ["raop", "automatic"])
async def test_chosen_lane_is_named_in_the_log_if_it_fails(
    hass: HomeAssistant,
    den: AirPlay2Receiver,
    network: Network,
    song: str,
    caplog: pytest.LogCaptureFixture,
    lane: str,
) -> None:
    network.announce(raop_info(den))
    network.announce(airplay_info(den))
    den.quirks = replace(den.quirks, refuse={"ANNOUNCE": 500, "SETUP": 500})
    entry = entry_for(den)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"lane": lane})
    player = await set_up(hass, entry)

    with pytest.raises(HomeAssistantError, match="rejected"):
        await play(hass, player, song)

    is_named = "Den: Only raop was tried, as set in its options" in caplog.text
    assert is_named is (lane == "raop")
