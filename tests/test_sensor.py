"""Measurements of the connection to a speaker."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.airplay import sensor
from custom_components.airplay.const import DOMAIN
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.ha.players import call, entry_for, play, player_of, state_of
from tests.ha.watch import Watch
from tests.virtual_receiver import Cadence, Quirks, VirtualReceiver

LEAD = "sensor.kitchen_sent_ahead"
RESENT = "sensor.kitchen_packets_sent_again"
SPREAD = "sensor.kitchen_clock_spread"
DROP_OUTS = "sensor.kitchen_drop_outs"
KEYS = {
    LEAD: "buffer_lead",
    RESENT: "resend_rate",
    SPREAD: "clock_spread",
    DROP_OUTS: "drop_outs",
}


@pytest.fixture
async def kitchen(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
    """Return a receiver that sends its time often, and loses packets."""
    async with VirtualReceiver(
        "Kitchen",
        receiver_id="0A0B0C0D0E01",
        quirks=Quirks(loss=0.1, stamps_time=True),
        cadence=Cadence(first_requests=8, first_interval_s=0.2),
    ) as receiver:
        yield receiver


async def set_up_enabled(hass: HomeAssistant, receiver: VirtualReceiver) -> str:
    """Set a speaker up with all its sensors and return its player."""
    entry = entry_for(receiver)
    entry.add_to_hass(hass)
    registry = er.async_get(hass)
    for entity_id, key in KEYS.items():
        registry.async_get_or_create(
            "sensor",
            DOMAIN,
            f"{entry.unique_id}_{key}",
            suggested_object_id=entity_id.partition(".")[2],
            config_entry=entry,
            disabled_by=None,
        )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return player_of(hass, entry)


async def test_sensors_are_disabled_by_default(
    hass: HomeAssistant, player: str
) -> None:
    registry = er.async_get(hass)

    for entity_id in KEYS:
        entry = registry.async_get(entity_id)
        assert entry
        assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert entry.entity_category is EntityCategory.DIAGNOSTIC
        assert hass.states.get(entity_id) is None


async def test_sensors_are_unknown_while_nothing_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    await set_up_enabled(hass, kitchen)

    states = {key: state_of(hass, entity_id) for entity_id, key in KEYS.items()}

    assert {state.state for state in states.values()} == {"unknown"}
    units = {key: s.attributes.get("unit_of_measurement") for key, s in states.items()}
    assert units == {
        "buffer_lead": "ms",
        "resend_rate": "%",
        "clock_spread": "ms",
        "drop_outs": None,
    }
    assert states["drop_outs"].attributes["state_class"] == "total_increasing"
    assert states["resend_rate"].attributes["state_class"] == "measurement"


async def test_measurements_are_shown_until_playback_ends(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    player = await set_up_enabled(hass, kitchen)
    watches = {entity_id: Watch(hass, entity_id) for entity_id in KEYS}

    await play(hass, player, song)

    for watch in watches.values():
        await watch.until(lambda state: state.state != "unknown")
    shown = {
        entity_id: float(watch.states[-1].state) for entity_id, watch in watches.items()
    }
    assert shown[LEAD] == pytest.approx(1000, abs=50)
    assert 1 < shown[RESENT] < 40
    assert 0 <= shown[SPREAD] < 50
    assert shown[DROP_OUTS] == 0
    await call(hass, player, "media_stop")
    for entity_id in KEYS:
        assert state_of(hass, entity_id).state == "unknown"


async def test_states_are_written_seldom(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sensor._WRITE_S >= 3
    # However slow this machine is, the song is over by then.
    monkeypatch.setattr(sensor, "_WRITE_S", 60)
    player = await set_up_enabled(hass, kitchen)
    playing = Watch(hass, player)
    watches = [Watch(hass, entity_id) for entity_id in KEYS]

    await play(hass, player, song)
    await playing.until_is("idle")

    # Unknown, one measurement of several, and unknown again.
    seen = [watch.names for watch in watches]
    assert all(len(names) <= 3 for names in seen), seen
