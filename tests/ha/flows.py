"""Walking through the config flows."""

from typing import Any

from custom_components.airplay.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

# The records of an Apple TV of the third generation, and of one of the fourth.
FEATURES = {"legacy": "0x5A7FFFF7,0xE", "home_kit": "0x5A7FDFD5,0x3C155FDE"}


async def discovered(
    hass: HomeAssistant, info: ZeroconfServiceInfo
) -> ConfigFlowResult:
    """Have a receiver discovered and return the form of its card."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info
    )


async def opened(hass: HomeAssistant) -> ConfigFlowResult:
    """Add an integration by hand and return the first form."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def answer(
    hass: HomeAssistant, form: ConfigFlowResult, **fields: Any
) -> ConfigFlowResult:
    """Submit a form and return the next step."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], fields)
