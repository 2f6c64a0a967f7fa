"""Settings of one speaker, applied at once and restored after a restart."""

from abc import abstractmethod
from typing import override

from homeassistant.const import EntityCategory
from homeassistant.helpers.restore_state import RestoreEntity

from ..entity import AirPlayEntity, ShownPart, translate_errors


class SettingEntity[T](AirPlayEntity, RestoreEntity):
    """A setting of a speaker."""

    _attr_entity_category = EntityCategory.CONFIG

    @property
    @override
    def available(self) -> bool:
        """Return True: settings can be changed while the receiver is unavailable."""
        return True

    @override
    def _parts(self) -> tuple[ShownPart, ...]:
        """Return no parts: only this entity changes the setting."""
        return ()

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the last setting."""
        await super().async_added_to_hass()
        kept = await self._async_kept()
        if kept is not None:
            await self._async_apply(kept)

    @translate_errors
    async def _async_choose(self, choice: T) -> None:
        """Apply a setting, even if it cannot be sent to the receiver."""
        try:
            await self._async_apply(choice)
        finally:
            self.async_write_ha_state()

    @abstractmethod
    async def _async_kept(self) -> T | None:
        """Return the last setting if it is still a valid choice."""

    @abstractmethod
    async def _async_apply(self, choice: T) -> None:
        """Apply a setting to the speaker; raise a core error if that fails."""
