"""mDNS records of receivers, and their effect on the player and the entry."""

import asyncio
from datetime import timedelta
import logging

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.airplay.const import AIRPLAY_TYPE, RAOP_TYPE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info, service_info
from tests.virtual_receiver import Quirks, VirtualReceiver


async def after(hass: HomeAssistant, seconds: float) -> None:
    """Let Home Assistant's timers believe that time has passed."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done()


async def lose(
    hass: HomeAssistant, kitchen: VirtualReceiver, entry: MockConfigEntry, song: str
) -> str:
    """Set up a receiver that is gone when it is to play; return its player."""
    player = await set_up(hass, entry)
    await kitchen.stop()
    with pytest.raises(HomeAssistantError, match="Kitchen does not respond"):
        await play(hass, player, song)
    return player


async def test_receiver_that_sends_goodbye_is_unavailable_until_it_returns(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "custom_components.airplay")
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))

    network.goodbye(raop_info(kitchen))
    await hass.async_block_till_done()
    assert state_of(hass, player).state == "idle"
    await after(hass, 11)
    assert state_of(hass, player).state == "unavailable"

    network.announce(raop_info(kitchen))
    await hass.async_block_till_done()
    assert state_of(hass, player).state == "idle"
    assert caplog.text.count("Kitchen is gone") == 1
    assert caplog.text.count("Kitchen is back") == 1


async def test_receiver_that_returns_within_the_grace_time_stays_available(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))

    network.goodbye(raop_info(kitchen))
    network.announce(raop_info(kitchen))
    await after(hass, 11)

    assert state_of(hass, player).state == "idle"


async def test_receiver_is_there_while_one_of_its_records_is(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))

    network.goodbye(raop_info(kitchen))
    await after(hass, 11)
    assert state_of(hass, player).state == "idle"

    network.goodbye(airplay_info(kitchen))
    await after(hass, 11)
    assert state_of(hass, player).state == "unavailable"


async def test_receiver_is_gone_when_another_one_announces_its_last_record(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))

    network.announce(airplay_info(kitchen, txt={"deviceid": "0A:0B:0C:0D:0E:7F"}))
    network.goodbye(raop_info(kitchen))
    await after(hass, 11)
    assert state_of(hass, player).state == "unavailable"

    network.announce(raop_info(kitchen))
    await hass.async_block_till_done()
    assert state_of(hass, player).state == "idle"


async def test_goodbye_of_a_stranger_and_unloading_in_the_grace_time(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)

    network.goodbye(service_info(RAOP_TYPE, "0A0B0C0D0E0F@Attic", {}))
    network.goodbye(raop_info(kitchen))
    await hass.async_block_till_done()

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert state_of(hass, player).state == "unavailable"


async def test_receiver_stays_while_it_plays_without_mdns(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    song: str,
) -> None:
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))
    await play(hass, player, song)

    network.goodbye(raop_info(kitchen))
    await after(hass, 11)
    assert state_of(hass, player).state == "playing"

    await call(hass, player, "media_stop")
    assert state_of(hass, player).state == "unavailable"


async def test_entry_follows_the_receiver_to_a_new_port_without_a_reload(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network, song: str
) -> None:
    network.announce(raop_info(kitchen))
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    await kitchen.stop()
    kitchen.port = 0
    await kitchen.start()

    network.announce(raop_info(kitchen))
    await hass.async_block_till_done()

    assert entry.data["raop"]["port"] == kitchen.port
    await play(hass, player, song)
    assert kitchen.has_session
    await call(hass, player, "media_stop")


async def test_entry_is_updated_from_newer_records(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen, txt={"fv": "9.9"}))
    entry = entry_for(kitchen)

    await set_up(hass, entry)

    assert entry.data["raop"]["txt"]["fv"] == "9.9"


async def test_entry_keeps_a_record_that_is_not_announced(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(airplay_info(kitchen, port=7000))
    entry = entry_for(kitchen)

    await set_up(hass, entry)

    assert entry.data["raop"]["port"] == kitchen.port
    assert entry.data["airplay"]["port"] == 7000


async def test_record_without_its_address_is_asked_for(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    network.mention(RAOP_TYPE, "0A0B0C0D0E01@Kitchen")
    await hass.async_block_till_done()
    network.announce(raop_info(kitchen, txt={"fv": "9.9"}))
    await hass.async_block_till_done()
    while entry.data["raop"]["txt"]["fv"] != "9.9":
        await hass.async_block_till_done()

    assert entry.data["raop"]["txt"]["fv"] == "9.9"


async def test_incomplete_record_leaves_nothing_behind(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.airplay")
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    network.mention(RAOP_TYPE, "0A0B0C0D0E01@Kitchen")
    network.mention(AIRPLAY_TYPE, "Not\nvalid")
    network.announce(service_info(AIRPLAY_TYPE, "Lost", {}, addresses=("169.254.1.1",)))
    await hass.async_block_till_done()

    # No name may begin a line of the log.
    assert "invalid name: 'Not\\nvalid" in caplog.text
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_without_mdns_is_unavailable_until_it_answers(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
) -> None:
    player = await lose(hass, kitchen, entry_for(kitchen, manual=True), song)
    assert state_of(hass, player).state == "unavailable"

    await after(hass, 61)
    assert state_of(hass, player).state == "unavailable"

    await kitchen.start()
    watch = Watch(hass, player)
    await after(hass, 122)
    await watch.until_is("idle")


async def test_receiver_without_mdns_is_available_again_after_any_answer(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    player = await lose(hass, kitchen, entry_for(kitchen, manual=True), song)
    kitchen.quirks = Quirks(garbage_reply=frozenset({"OPTIONS"}))
    await kitchen.start()

    watch = Watch(hass, player)
    await after(hass, 61)
    await watch.until_is("idle")


async def test_receiver_without_mdns_is_not_asked_after_unloading(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen, manual=True)
    await lose(hass, kitchen, entry, song)
    await kitchen.start()
    kitchen.clear()

    assert await hass.config_entries.async_unload(entry.entry_id)
    await after(hass, 61)

    assert not kitchen.requests


async def test_receiver_without_mdns_may_be_removed_during_a_probe(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen, manual=True)
    await lose(hass, kitchen, entry, song)
    kitchen.quirks = Quirks(unanswered=frozenset({"OPTIONS"}))
    await kitchen.start()
    kitchen.clear()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await kitchen.wait_for("OPTIONS")

    assert await hass.config_entries.async_unload(entry.entry_id)
    await kitchen.stop()
    await hass.async_block_till_done()
    await kitchen.start()
    kitchen.clear()
    await after(hass, 122)

    assert not kitchen.requests


async def test_a_receiver_is_played_to_at_the_address_that_answers(
    hass: HomeAssistant,
    every_loopback: None,
    kitchen: VirtualReceiver,
    network: Network,
    song: str,
) -> None:
    # Nothing listens at the first one: the bridge of the receiver's containers.
    both = {"addresses": ("127.0.0.9", "127.0.0.1")}
    network.announce(raop_info(kitchen, **both))
    entry = entry_for(kitchen, host="127.0.0.9")

    player = await set_up(hass, entry)
    await play(hass, player, song)

    assert kitchen.has_session
    assert sorted(entry.data["addresses"]) == ["127.0.0.1", "127.0.0.9"]
    assert entry.data["host"] == "127.0.0.1"
    network.announce(raop_info(kitchen, txt={"fv": "9.9"}, **both))
    await hass.async_block_till_done()
    assert entry.data["host"] == "127.0.0.1"
    await call(hass, player, "media_stop")


async def test_an_address_that_was_replaced_is_forgotten(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    network.announce(raop_info(kitchen, addresses=("127.0.0.7",)))
    # Only what is older than a second is replaced and not added to.
    await asyncio.sleep(1.1)

    network.announce(raop_info(kitchen, addresses=("127.0.0.8",)))
    await hass.async_block_till_done()

    assert entry.data["host"] == "127.0.0.8"
    assert entry.data["addresses"] == ["127.0.0.8"]


async def test_a_network_of_this_machine_comes_first(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    # 10.10.10.0/24 is that of the machine.
    addresses = ("127.0.0.1", "169.254.3.4", "172.17.0.1", "192.168.7.7", "10.10.10.7")
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    network.announce(raop_info(kitchen, addresses=addresses))
    await hass.async_block_till_done()

    ranked = ["10.10.10.7", "192.168.7.7", "172.17.0.1", "127.0.0.1"]
    assert entry.data["addresses"] == ranked


async def test_a_receiver_that_moves_in_mid_song_plays_on_at_its_new_address(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network, song: str
) -> None:
    network.announce(raop_info(kitchen))
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    await call(hass, player, "repeat_set", repeat="one")
    await play(hass, player, song)
    moved = VirtualReceiver(
        "Kitchen", host="127.0.0.2", port=kitchen.port, cadence=kitchen.cadence
    )
    async with moved:
        # Only what is older than a second is replaced by another address.
        await asyncio.sleep(1.1)
        kitchen.unplug()
        network.announce(raop_info(moved, addresses=("127.0.0.2",)))

        await moved.wait_for("RECORD", timeout_s=3)
        assert state_of(hass, player).state == "playing"
        assert entry.data["host"] == "127.0.0.2"
        kitchen.plug_in()
        await call(hass, player, "media_stop")
        await moved.wait_idle()
