"""The lane to a receiver, and the one that is remembered."""

import asyncio
from collections.abc import AsyncGenerator
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
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


async def test_of_the_only_lane_it_is_remembered_how_soon_it_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")

    assert entry.data["lane_worked"]["way"] == "raop ntp none lead=600"


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


async def chosen(
    hass: HomeAssistant, den: AirPlay2Receiver, network: Network, lane: str
) -> tuple[MockConfigEntry, str]:
    """Return the entry and the player of a receiver with only one lane."""
    network.announce(raop_info(den))
    network.announce(airplay_info(den))
    entry = MockConfigEntry(**options_of(den, lane))
    return entry, await set_up(hass, entry)


def options_of(den: AirPlay2Receiver, lane: str) -> dict[str, Any]:
    """Return an entry's parts, with a chosen lane."""
    made = entry_for(den)
    kept = {"data": dict(made.data), "title": made.title, "unique_id": made.unique_id}
    return {"domain": made.domain, "options": {"lane": lane}, **kept}


async def notices(hass: HomeAssistant) -> list[str | None]:
    """Return the repair notices, once the receiver was asked by its other ways."""
    await asyncio.gather(
        *(
            task
            for task in hass._background_tasks
            if isinstance(task, asyncio.Task) and "probe" in task.get_name()
        )
    )
    await hass.async_block_till_done()
    return [each.translation_key for each in ir.async_get(hass).issues.values()]


@pytest.mark.parametrize(
    "quirks",
    [
        {"raop_refuse": {"ANNOUNCE": 500}},
        # No code and no password would help, so none is asked for.
        {"raop_refuse": {"ANNOUNCE": 403}},
        {"raop_refuse": {"ANNOUNCE": 470}},
        {"raop_unanswered": frozenset({"ANNOUNCE"})},
        {"drop_at": "ANNOUNCE"},
    ],
)
async def test_chosen_lane_that_does_not_play_is_named_until_another_plays(
    hass: HomeAssistant,
    den: AirPlay2Receiver,
    network: Network,
    song: str,
    quirks: dict[str, Any],
) -> None:
    den.quirks = Quirks(takes_ptp=False, **quirks)
    entry, player = await chosen(hass, den, network, "raop")

    with pytest.raises(HomeAssistantError):
        await play(hass, player, song)
    assert await notices(hass) == ["forced_way"]
    assert not hass.config_entries.flow.async_progress()

    hass.config_entries.async_update_entry(entry, options={"lane": "airplay2-ntp"})
    await hass.config_entries.async_reload(entry.entry_id)
    assert await notices(hass) == ["forced_way"]
    watch = Watch(hass, player)
    await play(hass, player, song)
    assert await notices(hass) == []
    await watch.until_is("idle")


async def test_chosen_lane_is_not_blamed_for_a_receiver_that_is_away(
    hass: HomeAssistant, den: AirPlay2Receiver, network: Network, song: str
) -> None:
    _, player = await chosen(hass, den, network, "airplay2-ntp")
    await den.stop()

    with pytest.raises(HomeAssistantError):
        await play(hass, player, song)

    assert await notices(hass) == []


async def test_receiver_that_is_removed_leaves_no_notice_about_its_lane(
    hass: HomeAssistant, den: AirPlay2Receiver, network: Network, song: str
) -> None:
    entry, player = await chosen(hass, den, network, "raop")
    with pytest.raises(HomeAssistantError):
        await play(hass, player, song)
    assert await notices(hass) == ["forced_way"]

    await hass.config_entries.async_remove(entry.entry_id)

    assert await notices(hass) == []
