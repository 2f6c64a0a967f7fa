"""A receiver's buttons in the tests of the Home Assistant side."""

import asyncio
from typing import Any

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.sender.sender import SENDER
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.remote import RemoteControl


async def sender_port(hass: HomeAssistant) -> int:
    """Return the port on which the sender process accepts orders."""
    async with SENDER.acquire(hass) as sender, asyncio.timeout(20):
        await sender._async_ensure_ready()
        port: int = sender.status["dacp_port"]
    return port


async def remote_of(hass: HomeAssistant, receiver: VirtualReceiver) -> RemoteControl:
    """Return the buttons of a receiver that has had a session."""
    return RemoteControl(receiver, await sender_port(hass))


def entity_of(
    hass: HomeAssistant, platform: str, suffix: str, *, number: int = 1
) -> str:
    """Return the entity id of the other entities of the kitchen, or of a house."""
    entity_id = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"0a:0b:0c:0d:0e:{number:02}_{suffix}"
    )
    assert entity_id
    return entity_id


class Buttons:
    """The events of a remote entity, in order; by default that of the kitchen."""

    def __init__(self, hass: HomeAssistant, *, number: int = 1) -> None:
        """Start to watch."""
        self.told: list[tuple[str, Any]] = []
        self._entity_id = entity_of(hass, "event", "remote", number=number)
        self._changed = asyncio.Event()
        hass.bus.async_listen("state_changed", self._take)

    @callback
    def _take(self, event: Event[Any]) -> None:
        state: State | None = event.data["new_state"]
        if event.data["entity_id"] != self._entity_id or state is None:
            return
        attributes = state.attributes
        if "event_type" not in attributes:
            return
        value = next(
            (
                attributes[name]
                for name in ("volume", "position", "shuffle", "repeat")
                if name in attributes
            ),
            None,
        )
        self.told.append((attributes["event_type"], value))
        self._changed.set()

    async def until(self, count: int) -> list[tuple[str, Any]]:
        """Wait until so many were reported."""
        async with asyncio.timeout(10):
            while len(self.told) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.told
