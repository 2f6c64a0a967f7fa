"""Diagnostics contain many facts, but no secret."""

import json

from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from tests.ha.diagnostics import diagnostics_of
from tests.ha.players import entry_for, play, set_up
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import VirtualReceiver


async def test_diagnostics_contain_no_secret(
    hass: HomeAssistant,
    locked: VirtualReceiver,
    network: Network,
    song: str,
    hass_client: ClientSessionGenerator,
) -> None:
    network.announce(raop_info(locked))
    network.announce(
        airplay_info(locked, txt={"pk": "ab" * 32, "serialNumber": "SN123456"})
    )
    entry = entry_for(locked, password="secret")
    player = await set_up(hass, entry)
    await play(hass, player, song)

    told = await diagnostics_of(hass, hass_client, entry)

    assert told["receiver"]["model"] == "ShairportSync"
    assert told["receiver"]["id"] == "0a0b0c…"
    assert told["receiver"]["lanes"] == ["raop"]
    assert told["player"]["state"] == "playing"
    (link,) = told["player"]["progress"]["members"]
    assert link["is_measured"]
    assert link["lead_ms"] > 0
    assert told["queue"]["length"] == 1
    assert told["sender"]["running"] is True
    assert told["entry"]["data"]["raop"]["instance"] == "0A0B0C…@Bedroom"
    assert told["entry"]["data"]["airplay"]["instance"] == "Bedroom"
    whole = json.dumps(told).lower()
    for secret in ("secret", "0e02", "0e:02", "abab", "sn123456"):
        assert secret not in whole
    await hass.config_entries.async_unload(entry.entry_id)


async def test_diagnostics_contain_no_whole_ipv6_address(
    hass: HomeAssistant, kitchen: VirtualReceiver, hass_client: ClientSessionGenerator
) -> None:
    # The address of an interface contains its MAC address.
    addresses = ["127.0.0.1", "fe80::80b:cff:fe0d:e01%2"]
    entry = entry_for(kitchen, addresses=addresses, address_worked=addresses[1])
    await set_up(hass, entry)

    told = await diagnostics_of(hass, hass_client, entry)

    assert told["entry"]["data"]["host"] == "127.0.0.1"
    assert told["entry"]["data"]["addresses"] == ["127.0.0.1", "fe80::…"]
    assert "e01%2" not in json.dumps(told)


async def test_diagnostics_of_an_idle_speaker(
    hass: HomeAssistant, kitchen: VirtualReceiver, hass_client: ClientSessionGenerator
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    told = await diagnostics_of(hass, hass_client, entry)

    assert told["player"] == {
        "state": "idle",
        "volume": 0.2,
        "is_muted": False,
        "volume_origin": "default",
        "in_use_elsewhere": False,
        "progress": None,
    }
    assert told["settings"] == {
        "depth_ms": 1000,
        "keep_paused_s": 600,
        "crossfade_ms": 0,
        "buttons_act": True,
        "when_busy": "report",
        "keeps_level": False,
        "loudness": "off",
        "lane": "automatic",
        "maximum_volume": 1.0,
        "delay_ms": 0,
        "channel": "stereo",
    }
    assert told["announcements"] == {
        "is_heard": False,
        "waiting": 0,
        "settings": {
            "volume": None,
            "music": "lower",
            "duck_db": 18,
            "ramp_ms": 200,
            "lead_in_ms": 500,
            "chime": "own",
            "scope": "alone",
            "taken": "refuse",
        },
    }
    assert told["receiver"]["features"] is None
    assert told["entry"]["data"]["airplay"] is None
