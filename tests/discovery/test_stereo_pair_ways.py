"""A stereo pair whose receivers do not play by the first way that is tried."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.airplay.const import CONF_PARTNER
from homeassistant.core import HomeAssistant
from tests.ha.players import call, entry_for, play, set_up
from tests.ha.songs import Songs
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network
from tests.virtual_receiver import Quirks, VirtualReceiver

from .test_stereo_pair import LEADS, are_alike, tell

# Silent once /auth-setup was sent, which its record asks for.
SILENT_FIRST = {"txt": {"et": "0,4"}, "quirks": Quirks(auth_setup_silences=True)}
PLAIN = {"lane": "raop", "way": "raop ntp none", "firmware": "5.1"}


@pytest.fixture
async def left(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
    """Return the leader, which plays at once."""
    async with VirtualReceiver("Left", receiver_id="0A0B0C0D0E02") as receiver:
        yield receiver


@pytest.fixture
async def right(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
    """Return the other one, whose first way is silent."""
    async with VirtualReceiver(
        "Right",
        receiver_id="0A0B0C0D0E01",
        **SILENT_FIRST,  # type: ignore[arg-type]
    ) as receiver:
        yield receiver


async def test_the_way_of_each_is_kept_over_a_restart(
    hass: HomeAssistant,
    network: Network,
    left: VirtualReceiver,
    right: VirtualReceiver,
    songs: Songs,
) -> None:
    tell(network, left, LEADS)
    tell(network, right)
    entry = entry_for(left)
    player = await set_up(hass, entry)
    await play(hass, player, songs.make("song", 6))
    await Watch(hass, player).until_is("idle")
    assert left.heard(songs.pcm("song", 6)).is_complete
    assert are_alike(left, right)
    assert len(right.asked("ANNOUNCE")) == 2
    # Of the first one, no more than how soon it can play.
    assert entry.data["lane_worked"]["way"] == "raop ntp none lead=600"
    assert entry.data[CONF_PARTNER]["lane_worked"] == PLAIN

    await hass.config_entries.async_reload(entry.entry_id)
    left.clear()
    right.clear()
    await play(hass, player, songs.make("again", 1))
    await Watch(hass, player).until_is("idle")

    assert len(right.asked("ANNOUNCE")) == 1
    assert right.heard(songs.pcm("again", 1)).is_complete
    assert left.heard(songs.pcm("again", 1)).is_complete
    await call(hass, player, "media_stop")
