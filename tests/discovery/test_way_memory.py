"""The way that an entry keeps, whatever a version or a user has stored there."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import entry_for, play, set_up
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.airplay2 import AirPlay2Receiver

BY_NTP = "airplay2-realtime ntp open"


@pytest.fixture
async def den(socket_enabled: None) -> AsyncGenerator[AirPlay2Receiver]:
    """Return a receiver that announces AirPlay 1, too, and refuses it."""
    quirks = Quirks(takes_ptp=False, refuse={"ANNOUNCE": 500})
    async with AirPlay2Receiver(
        "Den", receiver_id="0A0B0C0D0E09", quirks=quirks
    ) as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("stored", "is_first"),
    [
        ({"firmware": "1.0", "lane": "airplay2-realtime", "way": BY_NTP}, True),
        # Of a version that stored the lane only.
        ({"firmware": "1.0", "lane": "airplay2-realtime"}, True),
        ({"firmware": "0.9", "lane": "airplay2-realtime", "way": BY_NTP}, False),
        # A way that no longer exists.
        ({"firmware": "1.0", "lane": "raop", "way": "telepathy open"}, False),
        ({"firmware": "1.0", "lane": "airplay2-buffered"}, False),
        ({"lane": "airplay2-realtime"}, False),
        ({"firmware": "1.0"}, False),
        ({"firmware": "1.0", "lane": 7, "way": ["x"]}, False),
        ({"firmware": "1.0", "lane": "raop", "way": "x" * 100_000}, False),
        ("airplay2-realtime", False),
        (["airplay2-realtime"], False),
        (7, False),
    ],
    ids=lambda each: str(each)[:60],
)
async def test_what_is_stored_of_a_way_is_used_or_replaced(
    hass: HomeAssistant,
    den: AirPlay2Receiver,
    network: Network,
    song: str,
    song_pcm: bytes,
    stored: Any,
    *,
    is_first: bool,
) -> None:
    network.announce(raop_info(den))
    network.announce(airplay_info(den, txt={"fv": "1.0"}))
    entry = entry_for(den, lane_worked=stored)
    player = await set_up(hass, entry)
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")

    assert den.heard(song_pcm).is_complete
    assert bool(den.asked("ANNOUNCE")) is not is_first
    lane = "airplay2-realtime"
    assert entry.data["lane_worked"] == {"firmware": "1.0", "lane": lane, "way": BY_NTP}
