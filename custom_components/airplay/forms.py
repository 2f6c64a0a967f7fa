"""What the forms of the flows ask and say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.translation import async_get_translations

from .const import DEFAULT_PORT, DOMAIN
from .raop.engine.probe import probe
from .raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverUnreachableError,
)
from .raop.receiver import Receiver

if TYPE_CHECKING:
    # What Home Assistant puts in the place of voluptuous, and its annotations name.
    import probatio as vol
else:
    import voluptuous as vol

CONF_RECEIVER = "receiver"
BY_ADDRESS = "address"

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
PASSWORD_SCHEMA = vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD})
ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
    }
)
RECONFIGURE_SCHEMA = ADDRESS_SCHEMA.extend({vol.Optional(CONF_PASSWORD): _PASSWORD})

# What a form says of a failed question to the receiver; subclasses come first.
_PROBLEMS: dict[type[RaopError], str] = {
    PairingRequiredError: "pairing_required",
    PasswordRequiredError: "password_required",
    AuthenticationError: "invalid_auth",
    ReceiverUnreachableError: "cannot_connect",
    RaopError: "not_understood",
}


async def async_list_schema(
    hass: HomeAssistant, seen: Mapping[str, Receiver]
) -> vol.Schema:
    """Ask which of the receivers that are seen shall be added."""
    texts = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    options = [
        SelectOptionDict(value=key, label=_label(receiver, texts))
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


async def async_problem(receiver: Receiver, password: str | None) -> str | None:
    """Ask the receiver one question; return what is wrong, for a form."""
    service = receiver.raop or receiver.airplay
    try:
        await probe(
            receiver.host,
            receiver.port,
            password=password,
            txt=service.txt if service else None,
        )
    except RaopError as error:
        return next(
            problem for kind, problem in _PROBLEMS.items() if isinstance(error, kind)
        )
    return None


def obstacle_of(receiver: Receiver) -> str | None:
    """Name why a receiver cannot be added, or return None."""
    if receiver.obstacle:
        return str(receiver.obstacle)
    return "pairing_required" if receiver.needs_pairing else None


def _label(receiver: Receiver, texts: Mapping[str, str]) -> str:
    """Name a receiver in the list, with the reason where it cannot be added."""
    label = receiver.name
    if receiver.model:
        label += f" ({receiver.model})"
    if obstacle := obstacle_of(receiver):
        key = f"component.{DOMAIN}.selector.obstacle.options.{obstacle}"
        label += f" - {texts.get(key, obstacle)}"
    return label


def password_errors(problem: str) -> dict[str, str]:
    """Put an error where it belongs: to the password's field, or over the form."""
    if problem in ("invalid_auth", "password_required"):
        return {CONF_PASSWORD: "invalid_auth"}
    return {"base": problem}


def plain(host: str) -> str:
    """Return a host as typed, without blanks and an IPv6 address's brackets."""
    return host.strip().removeprefix("[").removesuffix("]")
