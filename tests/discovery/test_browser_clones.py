"""Receivers that announce one ID, in Home Assistant."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.airplay.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.ha.flows import answer, discovered
from tests.ha.players import call, entry_for, play, set_up
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver

ID = "0a0b0c0d0e01"


@pytest.fixture
async def den(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
    """Return a receiver with the kitchen's ID."""
    async with VirtualReceiver("Den", receiver_id=ID.upper()) as receiver:
        yield receiver


async def test_an_entry_stays_with_its_receiver_while_only_the_clone_is_seen(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    den: VirtualReceiver,
    network: Network,
    song: str,
) -> None:
    entry = entry_for(kitchen)
    before = dict(entry.data)
    player = await set_up(hass, entry)

    network.announce(raop_info(den))
    network.announce(airplay_info(den))
    await hass.async_block_till_done()

    assert entry.data == before
    await play(hass, player, song)
    assert kitchen.has_session
    assert not den.connections
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("order", [1, -1])
async def test_two_receivers_with_one_id_become_two_devices(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    den: VirtualReceiver,
    network: Network,
    song: str,
    order: int,
) -> None:
    for each in (kitchen, den)[::order]:
        network.announce(raop_info(each))
        await hass.async_block_till_done(wait_background_tasks=True)

    for flow in hass.config_entries.flow.async_progress():
        await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()

    entries: dict[str, Any] = {
        each.title: each for each in hass.config_entries.async_entries(DOMAIN)
    }
    assert entries.keys() == {"Kitchen", "Den"}
    assert entries["Kitchen"].data["raop"]["port"] == kitchen.port
    assert entries["Den"].data["raop"]["port"] == den.port
    await play(hass, "media_player.den", song)
    assert den.has_session
    assert not kitchen.has_session
    await call(hass, "media_player.den", "media_stop")


async def test_an_entry_that_is_not_loaded_is_updated_by_its_receiver_only(
    hass: HomeAssistant, kitchen: VirtualReceiver, den: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)

    same = await discovered(hass, raop_info(kitchen, port=7))
    assert same["reason"] == "already_configured"
    assert entry.data["raop"]["port"] == 7

    other = await discovered(hass, raop_info(den))
    created = await answer(hass, other)
    assert created["result"].unique_id == f"{ID}@Den"
    assert entry.data["raop"]["port"] == 7


async def test_an_entry_at_whose_address_another_receiver_answers_is_not_set_up(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    quirks = Quirks(takes_ptp=False)
    async with AirPlay2Receiver(
        "Den", receiver_id="0A0B0C0D0E02", quirks=quirks
    ) as den:
        entry = entry_for(
            VirtualReceiver("Kitchen", port=den.port),
            airplay={
                "instance": "Kitchen",
                "port": den.port,
                "txt": den.airplay_txt({"deviceid": "0A:0B:0C:0D:0E:01"}),
            },
        )
        entry.add_to_hass(hass)

        assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "receiver_wrong"
