"""Hosts that announce receivers without end: Home Assistant goes on, and finds real ones."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
import logging
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import Zeroconf

from custom_components.airplay.const import AIRPLAY_TYPE, DOMAIN, RAOP_TYPE
from custom_components.airplay.discovery.sightings import (
    MOST_AT_ONE_ADDRESS,
    MOST_RECEIVERS,
)
from homeassistant.components import zeroconf
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from tests.ha.flows import discovered, opened
from tests.ha.mdns_flood import MadeUp, deliver, packets
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.zeroconf import Network, raop_info
from tests.virtual_receiver import VirtualReceiver

MOST_CARDS = 32
# What the loop may be held by anything that comes from outside.
HELD_S = 0.1


@pytest.fixture
async def zc(hass: HomeAssistant, network: Network) -> Zeroconf:
    """Return Home Assistant's zeroconf; its logs of each record would take the time."""
    logging.getLogger().setLevel(logging.WARNING)
    instance: Zeroconf = (await zeroconf.async_get_async_instance(hass)).zeroconf
    return instance


@pytest.fixture
async def entry(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network, zc: Zeroconf
) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a receiver that is announced."""
    network.announce(raop_info(kitchen))
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


async def flood(zc: Zeroconf, receivers: Iterable[MadeUp], ttl_s: int = 4500) -> float:
    """Deliver packets; return how long one held the loop, in CPU time of its thread.

    Other programs on this machine may hold it longer.
    """
    longest = 0.0
    for packet in packets(receivers, ttl_s):
        began = time.thread_time()
        deliver(zc, packet)
        # All that became ready runs in one turn of the loop.
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
        for _ in range(3):
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)
    return longest


def made_up(count: int, kind: str = RAOP_TYPE, size: int = 0) -> list[MadeUp]:
    """Return receivers at as many addresses, with records of some size."""
    txt = [
        b"cn=0,1",
        b"et=0",
        *(b"k%d=" % at + b"x" * 240 for at in range(size // 244)),
    ]
    return [
        MadeUp(
            kind,
            f"{at:012X}@Fake {at}" if kind == RAOP_TYPE else f"Fake {at}",
            [
                *txt,
                b"deviceid=02:00:00:00:%02X:%02X" % divmod(at, 256),
                b"tsid=%d" % at,
            ],
            f"10.7.{at // 256}.{at % 256}",
        )
        for at in range(count)
    ]


def cards(hass: HomeAssistant) -> list[Any]:
    flows = hass.config_entries.flow
    return flows.async_progress_by_handler(DOMAIN, include_uninitialized=True)


async def listed(hass: HomeAssistant) -> list[str]:
    """Return the receivers that the user may choose from."""
    form = await opened(hass)
    assert form["data_schema"]
    selector = form["data_schema"].schema["receiver"]
    hass.config_entries.flow.async_abort(form["flow_id"])
    return [each["label"].partition(" (")[0] for each in selector.config["options"]]


@pytest.mark.parametrize("kind", [RAOP_TYPE, AIRPLAY_TYPE])
@pytest.mark.parametrize("size", [0, 8000])
async def test_thousands_of_receivers_neither_hold_home_assistant_nor_hide_real_ones(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hall: VirtualReceiver,
    network: Network,
    zc: Zeroconf,
    song: str,
    kind: str,
    size: int,
) -> None:
    # Zeroconf itself forgets records if it has more than 10,000.
    count = 500 if size else 2000

    longest = await flood(zc, made_up(count, kind, size))

    assert longest < HELD_S
    assert 0 < len(cards(hass)) <= MOST_CARDS
    # One that comes afterwards is found, one that is set up is followed and plays.
    network.announce(raop_info(hall))
    player = "media_player.kitchen"
    await play(hass, player, song)
    assert state_of(hass, player).state == "playing"
    shown = await listed(hass)
    assert "Hall" in shown
    assert 100 < len(shown) <= MOST_RECEIVERS + 2
    assert len(cards(hass)) <= MOST_CARDS
    await call(hass, player, "media_stop")


async def test_one_host_with_many_receivers_hides_no_other(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hall: VirtualReceiver,
    network: Network,
    zc: Zeroconf,
) -> None:
    network.announce(raop_info(hall))
    many = [
        MadeUp(RAOP_TYPE, f"{at:012X}@Fake {at}", [b"cn=0,1"], "10.7.7.7")
        for at in range(MOST_RECEIVERS * 2)
    ]

    assert await flood(zc, many) < HELD_S

    refused = MadeUp(RAOP_TYPE, f"{900:012X}@Fake 900", [b"cn=0,1"], "10.7.7.7")
    await flood(zc, [refused], ttl_s=0)
    shown = await listed(hass)
    assert "Hall" in shown
    assert sum("Fake" in each for each in shown) == MOST_AT_ONE_ADDRESS


async def test_receiver_of_an_entry_is_found_among_thousands(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network, zc: Zeroconf
) -> None:
    entry = entry_for(kitchen, host="127.0.0.9")
    entry.add_to_hass(hass)
    await flood(zc, made_up(600))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(cards(hass)) == MOST_CARDS

    network.announce(raop_info(kitchen))
    await hass.async_block_till_done(wait_background_tasks=True)

    assert entry.data["host"] == "127.0.0.1"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_gets_a_card_when_others_have_gone(
    hass: HomeAssistant, hall: VirtualReceiver, network: Network, zc: Zeroconf
) -> None:
    await flood(zc, made_up(100))
    await hass.async_block_till_done(wait_background_tasks=True)
    refused = await discovered(hass, raop_info(hall))
    assert refused["reason"] == "too_many"

    hass.config_entries.flow.async_abort(cards(hass)[0]["flow_id"])

    assert (await discovered(hass, raop_info(hall)))["step_id"] == "confirm"
    assert len(cards(hass)) == MOST_CARDS


@pytest.mark.parametrize(
    "name", ["\x01" * 63, "\x1b[31m" * 12, "\u202e" * 21, ".." * 20, "@" * 63, "x" * 63]
)
async def test_any_name_is_harmless(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    zc: Zeroconf,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    for kind in (RAOP_TYPE, AIRPLAY_TYPE):
        assert await flood(
            zc, [MadeUp(kind, name, [b"cn=0,1", b"am=" + b"\xff" * 200])]
        )
    await asyncio.sleep(0.2)

    shown = [each["context"]["title_placeholders"]["name"] for each in cards(hass)]
    assert all(each and each.isprintable() for each in shown)
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_large_record_of_a_speaker_is_not_stored(
    hass: HomeAssistant, kitchen: VirtualReceiver, entry: MockConfigEntry, zc: Zeroconf
) -> None:
    instance = f"{kitchen.receiver_id}@{kitchen.name}"
    txt = [b"cn=0,1", *(b"k%d=" % at + b"x" * 240 for at in range(30))]

    await flood(zc, [MadeUp(RAOP_TYPE, instance, txt, "127.0.0.1")])

    stored = entry.data["raop"]["txt"]
    assert stored["cn"] == "0,1"
    assert sum(len(key) + len(value) for key, value in stored.items()) <= 4096


async def test_record_that_changes_all_the_time_is_followed_at_leisure(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    entry: MockConfigEntry,
    network: Network,
) -> None:
    updates = []

    @callback
    def count(change: str, changed: Any) -> None:
        updates.append(change)

    stop = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, count)
    began = hass.loop.time()
    for at in range(200):
        network.announce(raop_info(kitchen, txt={"fv": f"1.{at}"}))
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while entry.data["raop"]["txt"]["fv"] != "1.199":
            await asyncio.sleep(0.02)
    stop()

    assert len(updates) <= 10 + (hass.loop.time() - began) / 0.5 + 1


async def test_change_that_waits_is_forgotten_with_the_speaker(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    entry: MockConfigEntry,
    network: Network,
) -> None:
    for at in range(20):
        network.announce(raop_info(kitchen, txt={"fv": f"1.{at}"}))

    followed = entry.data["raop"]["txt"]["fv"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    await asyncio.sleep(0.6)

    assert entry.data["raop"]["txt"]["fv"] == followed != "1.19"


async def test_names_without_records_are_asked_for_a_few_at_a_time(
    hass: HomeAssistant, entry: MockConfigEntry, network: Network
) -> None:
    for at in range(2000):
        network.mention(RAOP_TYPE, f"{at:012X}@Fake {at}")
    await asyncio.sleep(0)

    asking = [
        each
        for each in asyncio.all_tasks()
        if each.get_name().startswith(f"{DOMAIN} resolve")
    ]
    assert 0 < len(asking) <= 512
