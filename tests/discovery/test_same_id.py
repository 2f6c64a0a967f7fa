"""Receivers that announce one ID: cloned images, and several on one host."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.discovery.same_id import key_of
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from homeassistant.core import HomeAssistant
from tests.ha.flows import answer, discovered
from tests.ha.players import call, entry_for, play, set_up
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import VirtualReceiver

ID = "0a0b0c0d0e01"
HERE, THERE = "10.0.0.5", "10.0.0.6"


def raop(name: str, host: str = HERE, port: int = 5000) -> Service:
    return Service(f"{ID.upper()}@{name}", host, port)


def airplay(name: str, host: str = HERE) -> Service:
    return Service(name, host, 7000, {"deviceid": "0A:0B:0C:0D:0E:01"})


def key(
    service: Service, *known: tuple[Service | None, Service | None], **ids: Receiver
) -> str:
    """Return the ID for a record, by the records of the receivers that are known."""
    receivers = [merge(*each) for each in known]
    by_id = {each.id: each for each in receivers} | ids
    return key_of(service, by_id, is_raop="@" in service.instance)


def test_the_first_receiver_with_an_id_has_it_as_it_is() -> None:
    assert key(raop("Kitchen")) == ID
    other = Service("0A0B0C0D0E02@Hall", HERE, 5000)
    assert key(raop("Kitchen"), (other, None)) == ID


@pytest.mark.parametrize(
    "moved", [raop("Kitchen", THERE), raop("Kitchen", HERE, 5001), raop("Den")]
)
def test_a_receiver_that_moves_or_is_renamed_remains_the_same(moved: Service) -> None:
    assert key(moved, (raop("Kitchen"), None)) == ID


@pytest.mark.parametrize("clone", [raop("Den", THERE), raop("Den", HERE, 5001)])
def test_another_name_elsewhere_is_another_receiver(clone: Service) -> None:
    assert key(clone, (raop("Kitchen"), None)) == f"{ID}@Den"


def test_a_record_belongs_to_the_receiver_that_lacks_one_of_its_kind() -> None:
    assert key(airplay("Anything", THERE), (raop("Kitchen"), None)) == ID
    both = (raop("Kitchen"), airplay("Kitchen"))
    assert key(airplay("Den", THERE), both) == f"{ID}@Den"


@pytest.mark.parametrize(
    ("record", "owner"),
    [
        (airplay("Den", "10.0.0.9"), f"{ID}@Den"),
        (airplay("Kitchen", "10.0.0.9"), ID),
        (airplay("Küche", THERE), f"{ID}@Den"),
        (airplay("Küche", HERE), ID),
    ],
)
def test_the_second_record_goes_by_name_and_then_by_place(
    record: Service, owner: str
) -> None:
    kitchen, den = merge(raop("Kitchen"), None), merge(raop("Den", THERE), None)
    known = {ID: kitchen, f"{ID}@Den": den}

    assert key_of(record, known, is_raop=False) == owner


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
