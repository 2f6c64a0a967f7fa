"""What the tests of the Home Assistant side share."""

import asyncio
from collections.abc import Callable, Mapping
from ipaddress import ip_address
import logging
import os
from pathlib import Path
from typing import Any, override
import wave

import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import Zeroconf
from zeroconf._dns import DNSPointer
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceInfo
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from custom_components.airplay.const import AIRPLAY_TYPE, DOMAIN, RAOP_TYPE
from custom_components.airplay.discovery.entry_data import receiver_data, unique_id
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.virtual_receiver import VirtualReceiver

RATE = 44100
FOLDER = "media-source://media_source/local"


def service_info(
    kind: str,
    instance: str,
    txt: Mapping[str, str],
    *,
    port: int = 5000,
    addresses: tuple[str, ...] = ("127.0.0.1",),
) -> ZeroconfServiceInfo:
    """Return what Home Assistant's discovery hands to a flow."""
    parsed = [ip_address(address) for address in addresses]
    return ZeroconfServiceInfo(
        ip_address=parsed[0],
        ip_addresses=parsed,
        port=port,
        hostname="virtual.local.",
        type=kind,
        name=f"{instance}.{kind}",
        properties=dict(txt),
    )


def raop_info(receiver: VirtualReceiver, **changes: Any) -> ZeroconfServiceInfo:
    """Return a receiver's `_raop._tcp` record."""
    instance = f"{receiver.receiver_id}@{receiver.name}"
    txt = receiver.txt | changes.pop("txt", {})
    return service_info(RAOP_TYPE, instance, txt, **({"port": receiver.port} | changes))


def airplay_info(receiver: VirtualReceiver, **changes: Any) -> ZeroconfServiceInfo:
    """Return a receiver's `_airplay._tcp` record."""
    txt = receiver.airplay_txt(changes.pop("txt", {}))
    return service_info(
        AIRPLAY_TYPE, receiver.name, txt, **({"port": receiver.port} | changes)
    )


class Network:
    """Packets that reach Home Assistant's zeroconf, without any network."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Take the instance that hears them."""
        self._zeroconf = zeroconf

    def announce(self, info: ZeroconfServiceInfo) -> None:
        """Say that a service is there."""
        self._hear(info, ttl=None)

    def mention(self, kind: str, name: str) -> None:
        """Say only the name of a service."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        pointer = DNSPointer(kind, _TYPE_PTR, _CLASS_IN, 4500, f"{name}.{kind}")
        packet.add_answer_at_time(pointer, 0)
        self._deliver(packet)

    def goodbye(self, info: ZeroconfServiceInfo) -> None:
        """Say that a service goes."""
        self._hear(info, ttl=0)

    def _hear(self, info: ZeroconfServiceInfo, ttl: int | None) -> None:
        record = AsyncServiceInfo(
            info.type,
            info.name,
            port=info.port,
            properties=info.properties,
            server=info.hostname,
            parsed_addresses=info.addresses,
        )
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        packet.add_answer_at_time(record.dns_pointer(ttl), 0)
        packet.add_answer_at_time(record.dns_service(ttl), 0)
        packet.add_answer_at_time(record.dns_text(ttl), 0)
        for address in record.dns_addresses(ttl):
            packet.add_answer_at_time(address, 0)
        self._deliver(packet)

    def _deliver(self, packet: DNSOutgoing) -> None:
        for each in packet.packets():
            self._zeroconf.record_manager.async_updates_from_response(DNSIncoming(each))


def entry_for(receiver: VirtualReceiver, **data: Any) -> MockConfigEntry:
    """Return an entry as the flow makes it for a virtual receiver."""
    service = Service(
        instance=f"{receiver.receiver_id}@{receiver.name}",
        host=receiver.host,
        port=receiver.port,
        txt=receiver.txt,
    )
    found = merge(service, None)
    return MockConfigEntry(
        domain=DOMAIN,
        unique_id=unique_id(found.id),
        title=receiver.name,
        data=receiver_data(found) | {"manual": False} | data,
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Set an entry up and return its player's entity id."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return player_of(hass, entry)


def player_of(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the entity id of an entry's player."""
    assert entry.unique_id
    entity_id = er.async_get(hass).async_get_entity_id(
        MEDIA_PLAYER, DOMAIN, entry.unique_id
    )
    assert entity_id
    return entity_id


async def call(hass: HomeAssistant, entity_id: str, action: str, **data: Any) -> None:
    """Call an action of the player and wait until it is done."""
    await hass.services.async_call(
        MEDIA_PLAYER, action, {"entity_id": entity_id, **data}, blocking=True
    )


async def play(hass: HomeAssistant, entity_id: str, media: str, **data: Any) -> None:
    """Play media."""
    await call(
        hass,
        entity_id,
        "play_media",
        media_content_type="music",
        media_content_id=media,
        **data,
    )


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return an entity's state."""
    state = hass.states.get(entity_id)
    assert state
    return state


def level_of(hass: HomeAssistant, player: str) -> float:
    """Return the level that a player shows."""
    level: float = state_of(hass, player).attributes["volume_level"]
    return level


def level_db(percent: float) -> float:
    """Return the decibels at the receiver for a level in Home Assistant."""
    return percent * 0.3 - 30


class Watch:
    """All states of an entity from now on."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        """Start to watch."""
        self._hass = hass
        self._entity_id = entity_id
        self._check: Callable[[], None] = lambda: None
        self.states = [state_of(hass, entity_id)]
        self._stop = hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)

    async def until(
        self, predicate: Callable[[State], bool], timeout_s: float = 20
    ) -> State:
        """Wait until the entity's state is as it shall be."""
        found = self._hass.loop.create_future()

        def check() -> None:
            if not found.done() and predicate(self.states[-1]):
                found.set_result(self.states[-1])

        self._check = check
        check()
        async with asyncio.timeout(timeout_s):
            state: State = await found
        return state

    async def until_is(self, state: str) -> State:
        """Wait until the entity is in a state."""
        return await self.until(lambda now: now.state == state)

    @property
    def names(self) -> list[str]:
        """Return the states, without repetitions."""
        names = [each.state for each in self.states]
        return [
            name for at, name in enumerate(names) if not at or names[at - 1] != name
        ]

    @callback
    def _changed(self, event: Event[Any]) -> None:
        if event.data["entity_id"] == self._entity_id and event.data["new_state"]:
            self.states.append(event.data["new_state"])
            self._check()


async def logged(caplog: pytest.LogCaptureFixture, text: str, count: int = 1) -> None:
    """Wait until the integration has logged something so often."""
    loop, found = asyncio.get_running_loop(), asyncio.Event()
    # By identity: a record that is just being written comes from both.
    said: dict[int, logging.LogRecord] = {}

    class Waiter(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(check, record)

    def check(*records: logging.LogRecord) -> None:
        said.update((id(record), record) for record in records)
        if sum(text in record.getMessage() for record in said.values()) >= count:
            found.set()

    waiter = Waiter()
    logger = logging.getLogger("custom_components.airplay")
    logger.addHandler(waiter)
    try:
        check(*caplog.records)
        async with asyncio.timeout(15):
            await found.wait()
    finally:
        logger.removeHandler(waiter)


def tone(seconds: float, hertz: float = 440) -> bytes:
    """Return a tone as s16le stereo at 44100 Hz."""
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    samples = np.rint(12000 * np.sin(2 * np.pi * turns)).astype("<i2")
    sound: bytes = samples.repeat(2).tobytes()
    return sound


def write_wav(path: Path, pcm: bytes) -> Path:
    """Write PCM into a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return path


def sender_pids() -> list[int]:
    """Return the sender processes that this process has started and that live."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, _, session = stat[:4]
        # Nothing else that is started has a session of its own.
        if parent == str(os.getpid()) and state != "Z" and session == folder.name:
            found.append(int(folder.name))
    return sorted(found)
