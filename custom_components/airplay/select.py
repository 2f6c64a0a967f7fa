"""Select entity for the audio channel of a speaker."""

from dataclasses import replace
from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.setting import SettingEntity
from .raop.api import Channel
from .runtime import AirPlayConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the channel select of a receiver."""
    async_add_entities([ChannelSelect(entry)])


class ChannelSelect(SettingEntity[Channel], SelectEntity):
    """Stereo, one of its channels, or both mixed to mono."""

    _attr_translation_key = "channel"

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, "channel")
        self._attr_options = [*Channel]

    @property
    @override
    def current_option(self) -> str:
        """Return the current channel."""
        return self.device.tuning.channel

    @override
    async def async_select_option(self, option: str) -> None:
        """Apply a channel."""
        await self._async_choose(Channel(option))

    @override
    async def _async_kept(self) -> Channel | None:
        kept = await self.async_get_last_state()
        return Channel(kept.state) if kept and kept.state in self.options else None

    @override
    async def _async_apply(self, choice: Channel) -> None:
        await self.speaker.async_tune(replace(self.device.tuning, channel=choice))
