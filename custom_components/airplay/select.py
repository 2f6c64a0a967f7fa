"""Which channel of the music a speaker plays."""

from dataclasses import replace
from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .entity import AirPlayEntity, translate_errors
from .models import AirPlayConfigEntry
from .raop.messages import Channel

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the choice of a receiver's channel."""
    async_add_entities([ChannelSelect(entry)])


class ChannelSelect(AirPlayEntity, SelectEntity, RestoreEntity):
    """All of the music, one side of it, or both sides as one."""

    _attr_translation_key = "channel"
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Stand beside the player on its device."""
        super().__init__(entry)
        self._attr_unique_id = f"{self._attr_unique_id}_channel"
        self._attr_options = [*Channel]

    @override
    async def async_added_to_hass(self) -> None:
        """Take up what was chosen last."""
        await super().async_added_to_hass()
        kept = await self.async_get_last_state()
        if kept and kept.state in self.options:
            await self._async_choose(kept.state)

    @property
    @override
    def available(self) -> bool:
        """A choice can be made while the receiver is away."""
        return True

    @property
    @override
    def current_option(self) -> str:
        """Return what is in force."""
        return self.speaker.tuning.channel

    @translate_errors
    @override
    async def async_select_option(self, option: str) -> None:
        """Put a choice in force."""
        await self._async_choose(option)
        self.async_write_ha_state()

    async def _async_choose(self, option: str) -> None:
        channel = Channel(option)
        await self.seat.async_tune(replace(self.speaker.tuning, channel=channel))
