"""Which channel of the music a speaker plays."""

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
    """Add the choice of a receiver's channel."""
    async_add_entities([ChannelSelect(entry)])


class ChannelSelect(SettingEntity[Channel], SelectEntity):
    """All of the music, one side of it, or both sides as one."""

    _attr_translation_key = "channel"

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Stand beside the player on its device."""
        super().__init__(entry, "channel")
        self._attr_options = [*Channel]

    @property
    @override
    def current_option(self) -> str:
        """Return what is in force."""
        return self.device.tuning.channel

    @override
    async def async_select_option(self, option: str) -> None:
        """Put a choice in force."""
        await self._async_choose(Channel(option))

    @override
    async def _async_kept(self) -> Channel | None:
        kept = await self.async_get_last_state()
        return Channel(kept.state) if kept and kept.state in self.options else None

    @override
    async def _async_apply(self, choice: Channel) -> None:
        await self.speaker.async_tune(replace(self.device.tuning, channel=choice))
