"""Setting up, unloading, reloading and removing receivers."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.const import DOMAIN
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from tests.ha.players import entry_for, play, player_of, set_up, state_of
from tests.ha.processes import sender_pids
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver


async def test_device_shows_model_and_firmware_of_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen, txt={"manufacturer": "Virtual", "fv": "7"}))

    entry = entry_for(kitchen)
    await set_up(hass, entry)

    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "0a:0b:0c:0d:0e:01"), entry.entry_id
    )
    assert device
    assert device.name == "Kitchen"
    assert device.manufacturer == "Virtual"
    assert device.model == "ShairportSync"
    assert device.sw_version == "7"
    assert device.connections == {(dr.CONNECTION_NETWORK_MAC, "0a:0b:0c:0d:0e:01")}


async def test_device_shows_new_firmware_without_a_reload(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(airplay_info(kitchen, txt={"fv": "7"}))
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    network.announce(airplay_info(kitchen, txt={"fv": "8"}))
    await hass.async_block_till_done()

    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "0a:0b:0c:0d:0e:01"), entry.entry_id
    )
    assert device
    assert device.sw_version == "8"


async def test_receiver_known_by_its_address_alone_has_no_mac(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    address = f"127.0.0.1:{kitchen.port}"
    data = entry_for(kitchen).data
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="127.0.0.1",
        unique_id=address,
        data={**data, "id": address, "name": "127.0.0.1", "manual": True},
    )

    player = await set_up(hass, entry)

    assert state_of(hass, player).state == "idle"
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, address), entry.entry_id
    )
    assert device
    assert not device.connections


async def test_receiver_that_is_off_is_tried_again(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    await kitchen.stop()
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)

    await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason == (
        "Kitchen does not respond. Check that it is turned on and connected to the network"
    )
    assert not sender_pids()


async def test_receiver_that_is_discovered_again_is_set_up_at_once(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    await kitchen.stop()
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)

    await kitchen.start()
    network.announce(raop_info(kitchen))

    async with asyncio.timeout(10):
        while entry.state is not ConfigEntryState.LOADED:
            await hass.async_block_till_done()


async def test_password_that_is_refused_asks_for_a_new_one(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    entry = entry_for(locked, password="old")
    entry.add_to_hass(hass)

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_receiver_that_requires_a_code_starts_reauth(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    kitchen.quirks = Quirks(refuse={"OPTIONS": 403})
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_pair"
    assert entry.reason
    assert entry.reason.startswith("Kitchen requires pairing with a code")


async def test_one_process_serves_all_and_ends_with_the_last(
    hass: HomeAssistant, kitchen: VirtualReceiver, locked: VirtualReceiver
) -> None:
    first, second = entry_for(kitchen), entry_for(locked, password="secret")
    await set_up(hass, first)
    await set_up(hass, second)
    assert len(sender_pids()) == 1

    await hass.config_entries.async_unload(first.entry_id)
    assert len(sender_pids()) == 1

    await hass.config_entries.async_unload(second.entry_id)
    assert not sender_pids()


async def test_unloading_stops_the_music(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    await play(hass, await set_up(hass, entry), song)
    await kitchen.wait_until(lambda: kitchen.has_session)

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert kitchen.asked("TEARDOWN")
    assert not kitchen.has_session
    assert not sender_pids()


async def test_reloading_during_a_song_leaves_a_player_that_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    await play(hass, await set_up(hass, entry), song)

    assert await hass.config_entries.async_reload(entry.entry_id)

    player = player_of(hass, entry)
    assert state_of(hass, player).state == "idle"
    await play(hass, player, song)
    assert kitchen.has_session
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not sender_pids()


async def test_removed_speaker_leaves_no_record_of_its_volume(
    hass: HomeAssistant, kitchen: VirtualReceiver, hass_storage: dict[str, Any]
) -> None:
    await kitchen.stop()
    entry = entry_for(kitchen)
    level = {"level": 0.3, "is_muted": False}
    hass_storage["airplay.announcements"] = {
        "version": 1,
        "minor_version": 1,
        "key": "airplay.announcements",
        "data": {entry.entry_id: level, "another": level},
    }
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)

    await hass.config_entries.async_remove(entry.entry_id)

    assert hass_storage["airplay.announcements"]["data"] == {"another": level}


async def test_platform_that_stays_keeps_the_entry_loaded(
    hass: HomeAssistant, kitchen: VirtualReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)

    async def stay(*_: object) -> bool:
        return False

    with monkeypatch.context() as patched:
        patched.setattr(hass.config_entries, "async_unload_platforms", stay)
        assert not await hass.config_entries.async_unload(entry.entry_id)

    assert sender_pids()
    assert state_of(hass, player).state == "idle"


async def test_music_and_process_end_with_home_assistant(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    watch = Watch(hass, player)

    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()

    async with asyncio.timeout(10):
        await watch.until_is("idle")
    await kitchen.wait_idle()
    assert not sender_pids()


async def test_installation_keeps_its_identity(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    first = kitchen.asked("ANNOUNCE")[-1].headers["dacp-id"]
    entry_id = hass.config_entries.async_entries(DOMAIN)[0].entry_id
    await hass.config_entries.async_reload(entry_id)

    await play(hass, player, song)

    assert len(first) == 16
    assert first == first.upper()
    assert first[0] != "0"
    assert kitchen.asked("ANNOUNCE")[-1].headers["dacp-id"] == first
    await hass.config_entries.async_unload(entry_id)
