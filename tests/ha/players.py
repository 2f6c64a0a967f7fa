"""Set up config entries, call a player's actions and read its state."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.discovery.entry_data import receiver_data, unique_id
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from tests.virtual_receiver import VirtualReceiver


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
    """Return the volume that a player shows."""
    level: float = state_of(hass, player).attributes["volume_level"]
    return level


def level_db(percent: float) -> float:
    """Return the decibels at the receiver for a volume in Home Assistant."""
    return percent * 0.3 - 30
