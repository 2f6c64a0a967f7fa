"""Speakers in use by another sender: shown, reported, waited for."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.remote import Buttons, entity_of, remote_of
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver

BUSY = Quirks(refuse={"ANNOUNCE": 453})
ACTIVE = {"flags": "0x20004"}
FREE = {"flags": "0x4"}
# Others, since a record that was received a moment ago is no news.
ACTIVE_AGAIN = {"flags": "0x20044"}
FREE_AGAIN = {"flags": "0x44"}
AWAY = "setproperty?dmcp.device-prevent-playback=1"
BACK = "setproperty?dmcp.device-prevent-playback=0"


async def set_up_with(
    hass: HomeAssistant, kitchen: VirtualReceiver, when_busy: str
) -> str:
    """Return the player of a speaker with a chosen action for use elsewhere."""
    entry: MockConfigEntry = entry_for(kitchen)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"when_busy": when_busy})
    return await set_up(hass, entry)


def taken(hass: HomeAssistant) -> Watch:
    """Watch whether the kitchen is in use elsewhere."""
    return Watch(hass, entity_of(hass, "binary_sensor", "in_use_elsewhere"))


async def test_busy_speaker_is_reported_at_once(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.quirks = BUSY

    with pytest.raises(HomeAssistantError, match="is in use by another sender"):
        await play(hass, player, song)

    assert len(kitchen.asked("ANNOUNCE")) == 1
    assert state_of(hass, player).state == "idle"


@pytest.mark.parametrize("when_busy", ["wait", "take_over"])
async def test_busy_speaker_is_asked_until_it_is_free(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str, when_busy: str
) -> None:
    player = await set_up_with(hass, kitchen, when_busy)
    watch = taken(hass)
    kitchen.quirks = BUSY

    asking = hass.async_create_task(play(hass, player, song))
    await watch.until_is("on")
    assert state_of(hass, player).state == "buffering"
    kitchen.quirks = Quirks()
    await asking

    assert state_of(hass, player).state == "playing"
    assert watch.states[-1].state == "off"
    await call(hass, player, "media_stop")


async def test_stop_ends_the_wait_for_a_busy_speaker(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    player = await set_up_with(hass, kitchen, "wait")
    watch = taken(hass)
    kitchen.quirks = BUSY
    asking = hass.async_create_task(play(hass, player, song))
    await watch.until_is("on")

    await call(hass, player, "media_stop")
    await asking

    assert state_of(hass, player).state == "idle"
    assert state_of(hass, watch.states[-1].entity_id).state == "off"


async def test_record_shows_that_another_sender_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    player: str,
    song: str,
) -> None:
    watch = taken(hass)

    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen, txt=ACTIVE))
    await watch.until_is("on")
    network.announce(airplay_info(kitchen, txt=FREE))
    await watch.until_is("off")

    # And our own use is no reason to report.
    await play(hass, player, song)
    network.announce(airplay_info(kitchen, txt=ACTIVE))
    await call(hass, player, "media_stop")
    await kitchen.wait_idle()
    await asyncio.sleep(0.1)
    assert state_of(hass, watch.states[-1].entity_id).state == "off"
    network.announce(airplay_info(kitchen, txt=FREE_AGAIN))
    await asyncio.sleep(0.2)
    network.announce(airplay_info(kitchen, txt=ACTIVE_AGAIN))
    await watch.until_is("on")


@pytest.mark.parametrize("ends_by", ["free", "stop"])
async def test_speaker_that_reports_use_is_left_alone(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    song: str,
    ends_by: str,
) -> None:
    player = await set_up_with(hass, kitchen, "wait")
    watch = taken(hass)
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen, txt=ACTIVE))
    await watch.until_is("on")

    asking = hass.async_create_task(play(hass, player, song))
    await asyncio.sleep(0.3)
    assert not kitchen.asked("ANNOUNCE")

    if ends_by == "free":
        network.announce(airplay_info(kitchen, txt=FREE))
        await asking
        assert state_of(hass, player).state == "playing"
        await call(hass, player, "media_stop")
    else:
        await call(hass, player, "media_stop")
        await asking
        assert not kitchen.asked("ANNOUNCE")


async def test_switched_away_speaker_is_freed_and_shown_and_reclaimed(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    await call(hass, player, "repeat_set", repeat="one")
    remote, buttons = await remote_of(hass, kitchen), Buttons(hass)
    watch, in_use = Watch(hass, player), taken(hass)
    await asyncio.sleep(1)  # the time that the start needs

    await remote.order(AWAY)

    await in_use.until_is("on")
    await watch.until_is("idle")
    await kitchen.wait_idle()
    await remote.order(BACK)
    await in_use.until_is("off")
    assert [name for name, _ in await buttons.until(2)] == [
        "switched_away",
        "switched_back",
    ]
    # Only the user starts it again, at its position.
    assert len(kitchen.asked("ANNOUNCE")) == 1
    await call(hass, player, "media_play")
    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_play_reclaims_a_switched_away_speaker(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)
    remote, in_use = await remote_of(hass, kitchen), taken(hass)
    await asyncio.sleep(1)  # the time that the start needs
    await remote.order(AWAY)
    await in_use.until_is("on")
    await kitchen.wait_idle()

    await play(hass, player, song)

    await in_use.until_is("off")
    await call(hass, player, "media_stop")


async def test_switch_in_the_first_second_is_ignored(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen_starts = hass.async_create_task(play(hass, player, song))
    remote = await remote_of(hass, kitchen)
    await kitchen.wait_for("RECORD")
    await remote.order(AWAY)
    await kitchen_starts

    assert state_of(hass, player).state == "playing"
    assert taken(hass).states[-1].state == "off"
    await call(hass, player, "media_stop")


async def test_speaker_that_another_sender_takes_over_is_shown_until_that_ends(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))
    await play(hass, player, song)
    network.announce(airplay_info(kitchen, txt=ACTIVE))
    watch, in_use = Watch(hass, player), taken(hass)

    kitchen.hang_up()

    await in_use.until_is("on")
    await watch.until_is("idle")
    assert "another sender has taken the receiver over" in caplog.text
    assert in_use.states[-1].state == "on"
    network.announce(airplay_info(kitchen, txt=FREE))
    await in_use.until_is("off")
