"""Download diagnostics as a user does."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component


async def diagnostics_of(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of an entry."""
    assert await async_setup_component(hass, "diagnostics", {})
    told: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert isinstance(told, dict)
    return told
