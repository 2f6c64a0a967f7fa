"""Button that checks the connection to a speaker."""

from typing import Any, override

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .entity import AirPlayEntity, translate_errors
from .raop.api import Diagnosed, DiagnosisProgress
from .runtime import AirPlayConfigEntry
from .speaker.check import WORKING, async_check

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button of a receiver."""
    async_add_entities([CheckButton(entry)])


class CheckButton(AirPlayEntity, ButtonEntity):
    """Checks the connection; its attributes are the step, and then the result."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "diagnose"
    _unrecorded_attributes = frozenset({"step", "code", "sentence"})

    def __init__(self, entry: AirPlayConfigEntry) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, "diagnose")
        self._sender = entry.runtime_data.sender
        self._step: str | None = None
        self._found: Diagnosed | None = None

    @property
    @override
    def available(self) -> bool:
        """Whether it can be pressed: above all if the speaker is unavailable."""
        return True

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what the check is doing, or has found."""
        found = self._found
        return {
            "step": self._step,
            "code": str(found.code) if found else None,
            "sentence": found.sentence if found else None,
        }

    @override
    @translate_errors
    async def async_press(self) -> None:
        """Check the speaker; raise an error with the cause and what to do about it."""
        self._found = None
        try:
            found = await async_check(
                self._sender, self.speaker.members, on_progress=self._async_show
            )
        finally:
            self._step = None
            self.async_write_ha_state()
        self._found = first = found[0]
        self.async_write_ha_state()
        if first.code not in WORKING:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=f"diagnosis_{first.code}",
                translation_placeholders={
                    "name": self.device.name,
                    "detail": first.detail or "-",
                },
            )

    @callback
    def _async_show(self, progress: DiagnosisProgress) -> None:
        self._step = str(progress.step)
        self.async_write_ha_state()
