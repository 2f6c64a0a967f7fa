"""The record by which receivers find their sender."""

import asyncio
import os
import signal
import socket
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import ServiceInfo

from custom_components.airplay.const import DACP_TYPE, DOMAIN
from custom_components.airplay.sender.sender import SENDER
from homeassistant.components import zeroconf
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from tests.ha.players import entry_for, play, set_up
from tests.ha.processes import sender_pids
from tests.ha.remote import remote_of, sender_port
from tests.ha.watch import logged
from tests.ha.zeroconf import Network
from tests.virtual_receiver import VirtualReceiver

STORE = f"{DOMAIN}.identity"


@pytest.fixture
async def entry(
    hass: HomeAssistant, network: Network, kitchen: VirtualReceiver
) -> MockConfigEntry:
    """Return the entry of a receiver, set up."""
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    return entry


async def record(hass: HomeAssistant, *, is_there: bool = True) -> ServiceInfo | None:
    """Wait until our record is announced, or is not, and return it."""
    instance = await zeroconf.async_get_async_instance(hass)
    registry = instance.zeroconf.registry
    async with asyncio.timeout(10):
        while bool(found := registry.async_get_infos_type(DACP_TYPE)) != is_there:
            await asyncio.sleep(0.01)  # the registry has no signal
    return found[0] if found else None


async def test_record_names_the_id_of_the_sessions_and_the_port_that_answers(
    hass: HomeAssistant,
    network: Network,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
) -> None:
    await play(hass, player, song)

    found = await record(hass)

    assert found
    assert kitchen.session
    assert found.name == f"iTunes_Ctrl_{kitchen.session.dacp_id}.{DACP_TYPE}"
    assert found.port == await sender_port(hass)
    assert "127.0.0.1" in found.parsed_addresses()
    assert found.properties[b"txtvers"] == b"1"
    assert (await (await remote_of(hass, kitchen)).order("play")).status == 204


async def test_id_and_port_outlive_a_crash_of_the_sender_and_a_reload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = await record(hass)
    port = await sender_port(hass)
    assert hass_storage[STORE]["data"]["dacp_port"] == port

    os.kill(sender_pids()[0], signal.SIGKILL)
    await logged(caplog, "restarting it")
    assert await sender_port(hass) == port
    assert await record(hass) is before

    await hass.config_entries.async_reload(entry.entry_id)
    assert await sender_port(hass) == port
    after = await record(hass)
    assert before
    assert after
    assert (after.name, after.port) == (before.name, before.port)


async def test_port_in_use_is_abandoned_for_good_with_a_warning(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = await sender_port(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    with socket.create_server(("127.0.0.1", old)):
        await hass.config_entries.async_setup(entry.entry_id)
        new = await sender_port(hass)

    assert new != old
    await logged(caplog, f"Port {old} is in use")
    found = await record(hass)
    assert found
    assert found.port == new
    await hass.async_block_till_done()
    assert hass_storage[STORE]["data"]["dacp_port"] == new


async def test_changed_port_withdraws_the_record_of_the_old_one(
    hass: HomeAssistant, network: Network, kitchen: VirtualReceiver, player: str
) -> None:
    before = await record(hass)
    assert before
    async with SENDER.acquire(hass) as sender:
        sender.record.async_announce(1234)
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            while (found := await record(hass)) is before:
                await asyncio.sleep(0.01)

    assert found
    assert found.port == 1234


async def test_other_address_of_ours_is_announced_too(
    hass: HomeAssistant, network: Network, player: str
) -> None:
    before = await record(hass)
    assert before
    async with SENDER.acquire(hass) as sender:
        sender.record.async_reached("0a0b0c0d0e01", "fe80::5%eth0")
        async with asyncio.timeout(20):
            while (found := await record(hass)) is before:
                await asyncio.sleep(0.01)
        sender.record.async_reached("0a0b0c0d0e01", "fe80::5%eth0")
        await asyncio.sleep(0.05)

    assert found
    assert found.port == before.port
    assert "fe80::5" in found.parsed_addresses()
    assert await record(hass) is found


@pytest.mark.parametrize("how", ["unload", "stop"])
async def test_record_goes_with_the_last_entry_and_with_home_assistant(
    hass: HomeAssistant, network: Network, kitchen: VirtualReceiver, how: str
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    assert await record(hass)

    if how == "unload":
        await hass.config_entries.async_unload(entry.entry_id)
    else:
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await hass.async_block_till_done()

    assert await record(hass, is_there=False) is None
