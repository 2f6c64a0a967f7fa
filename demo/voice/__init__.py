"""A voice for the demo that needs no internet: espeak-ng, or humming without it."""

from homeassistant.config_entries import SOURCE_IMPORT, ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

CONFIG_SCHEMA = cv.empty_config_schema("demo_voice")


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Create the only entry."""
    hass.async_create_task(
        hass.config_entries.flow.async_init(
            "demo_voice", context={"source": SOURCE_IMPORT}, data={}
        )
    )
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the voice."""
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.TTS])
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Unload the voice."""
    return await hass.config_entries.async_unload_platforms(entry, [Platform.TTS])
