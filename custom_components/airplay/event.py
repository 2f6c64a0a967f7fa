"""Event entity for the buttons of a receiver, for use in automations."""

from typing import override

from homeassistant.components.event import EventDeviceClass, EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AirPlayEntity
from .raop.api import Button, RemoteCommand
from .runtime import AirPlayConfigEntry

PARALLEL_UPDATES = 0

# Attribute names of the values; a muted receiver reports no value.
_VALUES = {
    Button.SEEK: "position",
    Button.SHUFFLE_SET: "shuffle",
    Button.REPEAT_SET: "repeat",
    Button.VOLUME_SET: "volume",
    Button.VOLUME_RELATIVE: "volume",
    Button.VOLUME_REPORT: "volume",
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the remote event of a receiver."""
    async_add_entities([RemoteEvent(entry)])


class RemoteEvent(AirPlayEntity, EventEntity):
    """Reports each button press at a receiver."""

    _attr_translation_key = "remote"
    _attr_device_class = EventDeviceClass.BUTTON

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, "remote")
        self._remote = entry.runtime_data.speaker.remote
        self._attr_event_types = [each.value for each in Button]

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the buttons, too."""
        await super().async_added_to_hass()
        self.async_on_remove(self._remote.async_listen(self._async_pressed))

    @callback
    def _async_pressed(self, event: RemoteCommand) -> None:
        if event.command not in self.event_types:
            return
        button = Button(event.command)
        name = _VALUES.get(button)
        self._trigger_event(button, {name: event.value} if name else None)
        self.async_write_ha_state()
