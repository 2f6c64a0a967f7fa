"""The work of Home Assistant's start for each receiver."""

from contextlib import AsyncExitStack

from benchmarks.core import AROUND_CORE
from benchmarks.crossing import Crossing
from homeassistant.core import HomeAssistant
from tests.ha.players import entry_for, set_up, state_of
from tests.virtual_receiver import VirtualReceiver

_RECEIVERS = 16
# The integration's function calls for one more receiver: 725, with room of a quarter.
_MOST_CALLS = 906


async def test_each_receiver_costs_the_same_work_however_many_there_are(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    calls = []
    async with AsyncExitStack() as room:
        for number in range(_RECEIVERS):
            receiver = VirtualReceiver(
                f"Room {number}", receiver_id=f"0A0B0C0D0E{number:02X}"
            )
            await room.enter_async_context(receiver)
            with Crossing(AROUND_CORE) as crossing:
                player = await set_up(hass, entry_for(receiver))
            calls.append(len(crossing.calls))
            assert state_of(hass, player).state == "idle"

    # The first one sets up what all share.
    assert max(calls[1:]) <= _MOST_CALLS
    assert max(calls[1:]) == min(calls[1:])
