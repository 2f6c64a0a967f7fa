"""Number entities: settings of a speaker that apply while it plays."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
    RestoreNumber,
)
from homeassistant.const import PERCENTAGE, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.setting import SettingEntity
from .entity import AirPlayEntity, group_action
from .raop.api import MAX_DELAY_MS
from .runtime import AirPlayConfigEntry
from .speaker.speaker import Speaker

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class _Description(NumberEntityDescription):
    """Description of a number, with its getter and setter."""

    read: Callable[[Speaker], float]
    apply: Callable[[Speaker, float], Awaitable[None]]


async def _async_set_crossfade(speaker: Speaker, seconds: float) -> None:
    speaker.settings.crossfade_ms = round(seconds * 1000)


async def _async_set_delay(speaker: Speaker, milliseconds: float) -> None:
    delay_ms = round(milliseconds)
    await speaker.async_tune(replace(speaker.device.tuning, delay_ms=delay_ms))


async def _async_set_maximum(speaker: Speaker, percent: float) -> None:
    await speaker.volume.async_limit(percent / 100)


_DESCRIPTIONS = (
    _Description(
        key="crossfade",
        translation_key="crossfade",
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        native_min_value=0,
        native_max_value=12,
        native_step=0.5,
        mode=NumberMode.SLIDER,
        read=lambda speaker: speaker.settings.crossfade_ms / 1000,
        apply=_async_set_crossfade,
    ),
    _Description(
        key="delay",
        translation_key="delay",
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        native_min_value=-MAX_DELAY_MS,
        native_max_value=MAX_DELAY_MS,
        native_step=1,
        mode=NumberMode.BOX,
        read=lambda speaker: speaker.device.tuning.delay_ms,
        apply=_async_set_delay,
    ),
    _Description(
        key="maximum_volume",
        translation_key="maximum_volume",
        native_unit_of_measurement=PERCENTAGE,
        native_min_value=10,
        native_max_value=100,
        native_step=1,
        mode=NumberMode.SLIDER,
        read=lambda speaker: round(speaker.volume.maximum * 100),
        apply=_async_set_maximum,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of a receiver."""
    async_add_entities(
        [
            GroupVolumeNumber(entry),
            *(AirPlayNumber(entry, each) for each in _DESCRIPTIONS),
        ]
    )


class AirPlayNumber(SettingEntity[float], RestoreNumber):
    """A numeric setting of a speaker."""

    entity_description: _Description

    def __init__(self, entry: AirPlayConfigEntry, description: _Description) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> float:
        """Return the current value."""
        return self.entity_description.read(self.speaker)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Apply a value."""
        await self._async_choose(value)

    @override
    async def _async_kept(self) -> float | None:
        kept = await self.async_get_last_number_data()
        if kept is None or kept.native_value is None:
            return None
        return min(max(kept.native_value, self.min_value), self.max_value)

    @override
    async def _async_apply(self, choice: float) -> None:
        await self.entity_description.apply(self.speaker, choice)


class GroupVolumeNumber(AirPlayEntity, NumberEntity):
    """The volume of the loudest speaker of a group; changes scale all of them."""

    _attr_translation_key = "group_volume"
    _attr_native_unit_of_measurement = PERCENTAGE
    _attr_native_min_value = 0
    _attr_native_max_value = 100
    _attr_native_step = 1
    _attr_mode = NumberMode.SLIDER

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, "group_volume")

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the group, too."""
        await super().async_added_to_hass()
        self.async_on_remove(self.speaker.async_listen_group(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Whether the speaker is in a group."""
        return super().available and self.player.members.is_group

    @property
    @override
    def native_value(self) -> float:
        """Return the volume of the loudest speaker."""
        return round(self.player.members.level * 100)

    @group_action
    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the volume of all speakers by the same factor."""
        await self.player.members.async_set_level(value / 100, self.origin)
