"""What a user chooses for one speaker: in force at once, and again after a restart."""

from abc import abstractmethod
from typing import override

from homeassistant.const import EntityCategory
from homeassistant.helpers.restore_state import RestoreEntity

from ..entity import AirPlayEntity, ShownPart, translate_errors


class SettingEntity[T](AirPlayEntity, RestoreEntity):
    """A choice that the speaker follows."""

    _attr_entity_category = EntityCategory.CONFIG

    @property
    @override
    def available(self) -> bool:
        """A choice can be made while the receiver is away."""
        return True

    @override
    def _parts(self) -> tuple[ShownPart, ...]:
        """Return nothing: only who chooses changes it."""
        return ()

    @override
    async def async_added_to_hass(self) -> None:
        """Take up what was chosen last."""
        await super().async_added_to_hass()
        kept = await self._async_kept()
        if kept is not None:
            await self._async_apply(kept)

    @translate_errors
    async def _async_choose(self, choice: T) -> None:
        """Put a choice in force, also when the receiver cannot be told."""
        try:
            await self._async_apply(choice)
        finally:
            self.async_write_ha_state()

    @abstractmethod
    async def _async_kept(self) -> T | None:
        """Return what was chosen last, as far as it may be chosen now."""

    @abstractmethod
    async def _async_apply(self, choice: T) -> None:
        """Tell the speaker; raise a core error where that fails."""
