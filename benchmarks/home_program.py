"""Home Assistant with the integration, measured from within.

    python -m benchmarks.home_program FOLDER SONGS SECONDS PORT ...

FOLDER holds the songs, and each PORT is a receiver's. It prints the figures as JSON. It
imports nothing that Home Assistant does not: the start includes the integration's imports.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
import json
import os
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING, Any

from .usage import cpu_s, processes
from .wakeups import by_thread, switches

if TYPE_CHECKING:
    from pytest_homeassistant_custom_component.common import MockConfigEntry

    from homeassistant.core import Event, HomeAssistant

_DOMAIN = "airplay"
# Home Assistant's own share: what the manifest names, and the kinds of entities.
_AROUND = (
    "http",
    "network",
    "zeroconf",
    "media_source",
    "binary_sensor",
    "event",
    "media_player",
    "number",
    "select",
    "sensor",
)
_SETTLE_S = 3.0
# Then the queries that begin a search by mDNS are over, and the registries are saved.
_STARTED_S = 20.0
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Use:
    """Wake-ups a second, and the share of a core: of this process, and of the sender."""

    wakeups: float
    cpu: float
    sender_wakeups: float
    sender_cpu: float

    @classmethod
    async def measure(cls, seconds: float, sender: int | None = None) -> _Use:
        """Measure for a while, the sender with the processes that it has started."""
        before = _counts(sender)
        await asyncio.sleep(seconds)
        after = _counts(sender)
        return cls(
            *((now - then) / seconds for now, then in zip(after, before, strict=True))
        )


class _States:
    """Counts the states that are written from now on."""

    def __init__(self, hass: HomeAssistant) -> None:
        from homeassistant.core import callback

        self.changed = self.unchanged = 0

        @callback
        def every(_data: Mapping[str, Any]) -> bool:
            return True

        @callback
        def on_changed(_event: Event[Any]) -> None:
            self.changed += 1

        @callback
        def on_reported(_event: Event[Any]) -> None:
            self.unchanged += 1

        hass.bus.async_listen("state_changed", on_changed, event_filter=every)
        hass.bus.async_listen("state_reported", on_reported, event_filter=every)


def _counts(sender: int | None) -> tuple[float, float, float, float]:
    """Return the sums so far, in the order of the fields of `_Use`."""
    own = os.getpid()
    here = sum(count for (pid, _), count in by_thread([own]).items() if pid == own)
    senders = processes(sender) if sender else []
    return here, time.process_time(), switches(senders), sum(map(cpu_s, senders))


def _entry(number: int, port: int) -> MockConfigEntry:
    """Return an entry as the flow creates it, without an import of the integration."""
    from pytest_homeassistant_custom_component.common import MockConfigEntry

    receiver, name = f"0A0B0C0D0E{number:02X}", f"Receiver {number}"
    record = {
        "instance": f"{receiver}@{name}",
        "port": port,
        "txt": {"cn": "0,1", "et": "0", "tp": "UDP"},
    }
    return MockConfigEntry(
        domain=_DOMAIN,
        unique_id=":".join(receiver[at : at + 2] for at in range(0, 12, 2)).lower(),
        title=name,
        data={
            "id": receiver,
            "name": name,
            "host": "127.0.0.1",
            "addresses": ["127.0.0.1"],
            "raop": record,
            "airplay": None,
            "manual": False,
        },
    )


async def _start(hass: HomeAssistant, ports: list[int]) -> dict[str, float]:
    """Set up all entries, as at a start of Home Assistant."""
    from homeassistant.setup import async_setup_component

    for number, port in enumerate(ports):
        _entry(number, port).add_to_hass(hass)
    began_s, used_s = time.monotonic(), time.process_time()
    await async_setup_component(hass, _DOMAIN, {})
    await hass.async_block_till_done()
    found = {
        "start_s": time.monotonic() - began_s,
        "start_cpu_s": time.process_time() - used_s,
    }
    assert len(hass.states.async_entity_ids("media_player")) == len(ports)
    return found


async def _measure(
    hass: HomeAssistant, songs: int, seconds: float, ports: list[int]
) -> dict[str, float]:
    from homeassistant.setup import async_setup_component

    for each in _AROUND:
        await async_setup_component(hass, each, {})
    await hass.async_block_till_done()
    await asyncio.sleep(_SETTLE_S)
    without = await _Use.measure(seconds)
    found = await _start(hass, ports)
    # Others may follow that it has started.
    sender = processes(os.getpid())[1]
    await asyncio.sleep(_STARTED_S)
    found["sender_start_cpu_s"] = sum(map(cpu_s, processes(sender)))
    found |= _at_rest("idle", await _Use.measure(seconds, sender), without)

    player = hass.states.async_entity_ids("media_player")[0]
    await _play(hass, player, songs)
    await asyncio.sleep(_SETTLE_S)
    states = _States(hass)
    queue = await _Use.measure(seconds, sender)
    found |= {
        "queue_cpu_ms": 1000 * (queue.cpu - without.cpu),
        "queue_wakeups": queue.wakeups - without.wakeups,
        "queue_changed": states.changed * 60 / seconds,
        "queue_unchanged": states.unchanged,
    }
    await _call(hass, player, "media_pause")
    await asyncio.sleep(_SETTLE_S)
    found |= _at_rest("paused", await _Use.measure(seconds, sender), without)
    await _call(hass, player, "media_stop")
    return found


def _at_rest(what: str, use: _Use, without: _Use) -> dict[str, float]:
    """Return the figures of the sender and the integration together."""
    wakeups = use.sender_wakeups + max(0.0, use.wakeups - without.wakeups)
    cpu = use.sender_cpu + max(0.0, use.cpu - without.cpu)
    return {f"{what}_wakeups": wakeups, f"{what}_cpu_percent": 100 * cpu}


async def _play(hass: HomeAssistant, player: str, songs: int) -> None:
    """Play a queue of songs again and again."""
    await _call(hass, player, "repeat_set", repeat="all")
    for number in range(songs):
        await _call(
            hass,
            player,
            "play_media",
            media_content_type="music",
            media_content_id=f"media-source://media_source/local/song{number}.wav",
            enqueue="add" if number else "replace",
        )


async def _call(hass: HomeAssistant, player: str, action: str, **data: object) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await hass.services.async_call(
            "media_player", action, {"entity_id": player, **data}, blocking=True
        )


async def _main(folder: Path, songs: int, seconds: float, ports: list[int]) -> None:
    from pytest_homeassistant_custom_component.common import (
        async_test_home_assistant,
        mock_storage,
    )

    # The tests' Home Assistant would find a folder of its own with this name.
    import_module("custom_components")
    from homeassistant import loader
    from tests.ha.silent_zeroconf import silent_zeroconf

    with silent_zeroconf(), mock_storage():
        async with async_test_home_assistant() as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            hass.config.media_dirs["local"] = str(folder)
            try:
                found = await _measure(hass, songs, seconds, ports)
            finally:
                await hass.async_stop(force=True)
    print(json.dumps(found))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:]]
    asyncio.run(_main(Path(sys.argv[1]), numbers[0], numbers[1], numbers[2:]))
