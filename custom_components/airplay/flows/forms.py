"""Schemas and labels of the flows' forms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.translation import async_get_translations

from ..const import DEFAULT_PORT, DOMAIN
from ..discovery.bridges import async_is_bridge
from ..discovery.shown import title_of
from ..helpers.foreign_text import inert
from ..raop.api import Receiver

if TYPE_CHECKING:
    # Home Assistant replaces voluptuous with it, and its annotations refer to it.
    import probatio as vol
else:
    import voluptuous as vol

CONF_RECEIVER = "receiver"
CONF_PAIR = "pair"
BY_ADDRESS = "address"

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
PASSWORD_SCHEMA = vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD})
ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
    }
)
CODE_SCHEMA = vol.Schema({vol.Required(CONF_CODE): TextSelector()})
NOTHING_SCHEMA = vol.Schema({})
RECONFIGURE_SCHEMA = ADDRESS_SCHEMA.extend({vol.Optional(CONF_PASSWORD): _PASSWORD})
RECONFIGURE_PAIRED_SCHEMA = RECONFIGURE_SCHEMA.extend(
    {vol.Required(CONF_PAIR, default=False): BooleanSelector()}
)


async def async_list_schema(
    hass: HomeAssistant, seen: Mapping[str, Receiver]
) -> vol.Schema:
    """Return the form for choosing one of the seen receivers."""
    texts = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    options = [
        SelectOptionDict(value=key, label=_label(hass, receiver, texts))
        for key, receiver in seen.items()
    ]
    options.append(SelectOptionDict(value=BY_ADDRESS, label=BY_ADDRESS))
    selector = SelectSelector(
        SelectSelectorConfig(
            options=options,
            mode=SelectSelectorMode.LIST,
            translation_key=CONF_RECEIVER,
        )
    )
    return vol.Schema({vol.Required(CONF_RECEIVER): selector})


def _label(hass: HomeAssistant, receiver: Receiver, texts: Mapping[str, str]) -> str:
    """Return a receiver's label in the list, with the reason if it cannot be added."""
    label = title_of(receiver)
    if model := inert(receiver.model or ""):
        label += f" ({model})"
    if obstacle := receiver.obstacle:
        key = f"component.{DOMAIN}.selector.obstacle.options.{obstacle}"
        label += f" - {texts.get(key, obstacle)}"
    elif async_is_bridge(hass, receiver):
        key = f"component.{DOMAIN}.selector.kind.options.bridge"
        label += f" - {texts.get(key, 'bridge')}"
    return label


def plain(host: str) -> str:
    """Return a host as entered, without blanks and an IPv6 address's brackets."""
    return host.strip().removeprefix("[").removesuffix("]")
