"""What the entities of a speaker write while it plays."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.core import AROUND_CORE
from benchmarks.crossing import Crossing
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs
from tests.ha.watch import Watch

_SECONDS = 3
# The sender reports once a second, which takes 62 calls, most of them to check its JSON.
_MOST_CALLS_A_SECOND = 80


@dataclass
class Written:
    """The entities whose states were written, in order."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@contextmanager
def written(hass: HomeAssistant) -> Generator[Written]:
    """Note the states that are written, changed or not."""
    noted = Written()

    @callback
    def on_changed(event: Event[Any]) -> None:
        noted.changed.append(event.data["entity_id"])

    @callback
    def on_reported(event: Event[Any]) -> None:
        noted.unchanged.append(event.data["entity_id"])

    @callback
    def every(_data: Mapping[str, Any]) -> bool:
        return True

    stops = [
        hass.bus.async_listen(EVENT_STATE_CHANGED, on_changed, event_filter=every),
        hass.bus.async_listen(EVENT_STATE_REPORTED, on_reported, event_filter=every),
    ]
    yield noted
    for stop in stops:
        stop()


async def test_nothing_is_written_while_a_song_plays(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    learned = asyncio.Event()

    @callback
    def changed(*_: object) -> None:
        learned.set()

    stop = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    await play(hass, player, songs.make("long", 12))
    # Once after a start, it is kept how soon the receiver plays.
    async with asyncio.timeout(10):
        await learned.wait()
    stop()
    await hass.async_block_till_done()

    with written(hass) as noted, Crossing(AROUND_CORE) as crossing:
        await asyncio.sleep(_SECONDS)

    assert state_of(hass, player).state == "playing"
    assert noted == Written()
    assert len(crossing.calls) / _SECONDS <= _MOST_CALLS_A_SECOND
    await call(hass, player, "media_stop")


async def test_only_changed_states_are_written(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    ids = [songs.make(name, 1.0 + at / 10) for at, name in enumerate(("a", "b"))]
    watch = Watch(hass, player)

    with written(hass) as noted:
        await play(hass, player, ids[0])
        await play(hass, player, ids[1], enqueue="add")
        await watch.until(lambda now: now.attributes.get("queue_position") == 2)
        await call(hass, player, "volume_set", volume_level=0.3)
        await call(hass, player, "media_pause")
        await call(hass, player, "media_play")
        await watch.until_is("idle")

    assert not noted.unchanged
    assert set(noted.changed) == {player}
