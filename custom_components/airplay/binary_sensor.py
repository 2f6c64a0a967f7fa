"""Binary sensor: whether a receiver plays for another sender."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AirPlayEntity, ShownPart
from .runtime import AirPlayConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensor of a receiver."""
    async_add_entities([InUseSensor(entry)])


class InUseSensor(AirPlayEntity, BinarySensorEntity):
    """On while the receiver plays another source, as far as it reports that."""

    _attr_translation_key = "in_use_elsewhere"
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, "in_use_elsewhere")

    @override
    def _parts(self) -> tuple[ShownPart, ...]:
        """Return the parts, with the use by other senders."""
        return (*super()._parts(), self.speaker.in_use)

    @property
    @override
    def is_on(self) -> bool:
        """Whether another sender uses it."""
        return self.speaker.in_use.is_in_use
