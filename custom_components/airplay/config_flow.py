"""Adding a receiver: found by itself, picked from a list, or by its address."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
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
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_AIRPLAY, CONF_MANUAL, CONF_RAOP, DEFAULT_PORT, DOMAIN, RAOP_TYPE
from .models import (
    followed,
    receiver_at,
    receiver_data,
    receiver_from,
    service_data,
    unique_id,
)
from .options_flow import AirPlayOptionsFlow
from .presence import PRESENCE, service_of
from .raop.engine.probe import probe
from .raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverUnreachableError,
)
from .raop.receiver import Receiver, Service, merge, receiver_id

if TYPE_CHECKING:
    # What Home Assistant puts in the place of voluptuous, and its annotations name.
    import probatio as vol
else:
    import voluptuous as vol

CONF_RECEIVER = "receiver"
BY_ADDRESS = "address"

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_PASSWORD_SCHEMA = vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD})
_ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
    }
)
_RECONFIGURE_SCHEMA = _ADDRESS_SCHEMA.extend({vol.Optional(CONF_PASSWORD): _PASSWORD})

# What a form says of a failed question to the receiver; subclasses come first.
_PROBLEMS: dict[type[RaopError], str] = {
    PairingRequiredError: "pairing_required",
    PasswordRequiredError: "password_required",
    AuthenticationError: "invalid_auth",
    ReceiverUnreachableError: "cannot_connect",
    RaopError: "not_understood",
}


class AirPlayConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add one receiver, asking only for what it needs."""

    VERSION = 1

    _receiver: Receiver
    _is_manual = False

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[str, Receiver] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> AirPlayOptionsFlow:
        """Offer what may be chosen for a receiver that was added."""
        return AirPlayOptionsFlow()

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Start from one of the two records that a receiver announces."""
        is_raop = discovery_info.type == RAOP_TYPE
        service = service_of(
            discovery_info.name,
            discovery_info.type,
            discovery_info.addresses,
            discovery_info.port,
            discovery_info.properties,
        )
        if service is None:
            return self.async_abort(reason="no_address")
        found = receiver_id(service, is_raop=is_raop)
        # The second record of a receiver ends here: its card is already there.
        await self.async_set_unique_id(unique_id(found))
        self._abort_if_unique_id_configured(
            updates={
                CONF_HOST: service.host,
                CONF_RAOP if is_raop else CONF_AIRPLAY: service_data(service),
            },
            # A loaded entry follows mDNS itself; a reload would stop the music.
            reload_on_update=False,
        )
        self._abort_if_address_configured(service.host, service.port)
        self._receiver = await self._async_complete(found, service, is_raop=is_raop)
        if obstacle := _obstacle(self._receiver):
            return self.async_abort(reason=obstacle)
        self.context["title_placeholders"] = {CONF_NAME: self._receiver.name}
        if self._receiver.needs_password:
            return await self.async_step_password()
        return await self.async_step_confirm()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """List what is on the network now."""
        errors: dict[str, str] = {}
        if user_input is None:
            async with PRESENCE.borrow(self.hass) as presence:
                await presence.async_settle()
                self._seen = self._addable(presence.receivers)
            if not self._seen:
                return await self.async_step_address()
        elif user_input[CONF_RECEIVER] == BY_ADDRESS:
            return await self.async_step_address()
        else:
            self._receiver = self._seen[user_input[CONF_RECEIVER]]
            if obstacle := _obstacle(self._receiver):
                errors[CONF_RECEIVER] = obstacle
            else:
                outcome = await self._async_add()
                if not isinstance(outcome, str):
                    return outcome
                errors["base"] = outcome
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                await self._async_list_schema(), user_input
            ),
            errors=errors,
        )

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the address of a receiver that is not seen."""
        errors: dict[str, str] = {}
        if user_input is not None:
            host, port = _plain(user_input[CONF_HOST]), user_input[CONF_PORT]
            async with PRESENCE.borrow(self.hass) as presence:
                seen = await presence.async_ask(host, port)
            self._is_manual = True
            self._receiver = seen or receiver_at(host, port)
            if obstacle := _obstacle(self._receiver):
                errors["base"] = obstacle
            else:
                self._abort_if_address_configured(host, port)
                outcome = await self._async_add()
                if not isinstance(outcome, str):
                    return outcome
                errors["base"] = outcome
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(
                _ADDRESS_SCHEMA, user_input
            ),
            errors=errors,
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Have the user want a receiver that was found."""
        errors: dict[str, str] = {}
        if user_input is not None:
            outcome = await self._async_add()
            if not isinstance(outcome, str):
                return outcome
            errors["base"] = outcome
        self._set_confirm_only()
        return self.async_show_form(
            step_id="confirm",
            description_placeholders=self._description,
            errors=errors,
        )

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the receiver's password and try it before it is kept."""
        errors: dict[str, str] = {}
        if user_input is not None:
            password = user_input[CONF_PASSWORD]
            problem = await self._async_problem(self._receiver, password)
            if problem is None:
                return self._create(password)
            errors = _password_errors(problem)
        return self.async_show_form(
            step_id="password",
            data_schema=_PASSWORD_SCHEMA,
            description_placeholders=self._description,
            errors=errors,
        )

    async def async_step_reauth(
        self,
        entry_data: Mapping[str, Any],
    ) -> ConfigFlowResult:
        """Start over when the receiver does not take the password any more."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the password that the receiver has now."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            password = user_input[CONF_PASSWORD]
            problem = await self._async_problem(receiver_from(entry.data), password)
            if problem is None:
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_PASSWORD: password}
                )
            errors = _password_errors(problem)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=_PASSWORD_SCHEMA,
            description_placeholders={CONF_NAME: entry.title},
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the address or the password."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            receiver = await self._async_moved(
                receiver_from(entry.data),
                _plain(user_input[CONF_HOST]),
                user_input[CONF_PORT],
            )
            password = user_input.get(CONF_PASSWORD)
            problem = (
                "wrong_receiver"
                if receiver is None
                else await self._async_problem(receiver, password)
            )
            if receiver is not None and problem is None:
                kept = followed(entry.data, receiver)
                kept.pop(CONF_PASSWORD, None)
                if password:
                    kept[CONF_PASSWORD] = password
                return self.async_update_reload_and_abort(entry, data=kept)
            errors["base"] = problem or ""
        known = receiver_from(entry.data)
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                _RECONFIGURE_SCHEMA,
                user_input
                or {
                    CONF_HOST: known.host,
                    CONF_PORT: known.port,
                    CONF_PASSWORD: entry.data.get(CONF_PASSWORD),
                },
            ),
            description_placeholders={CONF_NAME: entry.title},
            errors=errors,
        )

    @property
    def _description(self) -> dict[str, str]:
        return {
            CONF_NAME: self._receiver.name,
            "model": self._receiver.model or self._receiver.host,
        }

    def _addable(self, seen: Mapping[str, Receiver]) -> dict[str, Receiver]:
        """Leave out what is set up; what the user ignored once may be added."""
        taken = self._async_current_ids(include_ignore=False)
        addable = {
            key: receiver
            for key, receiver in seen.items()
            if unique_id(key) not in taken
        }
        by_name = sorted(addable.items(), key=lambda pair: pair[1].name.casefold())
        return dict(by_name)

    async def _async_list_schema(self) -> vol.Schema:
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", {DOMAIN}
        )
        options = [
            SelectOptionDict(value=key, label=_label(receiver, texts))
            for key, receiver in self._seen.items()
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

    async def _async_complete(
        self, found: str, service: Service, *, is_raop: bool
    ) -> Receiver:
        """Put the receiver's other record beside the one that came first."""
        async with PRESENCE.borrow(self.hass) as presence:
            seen = await presence.async_find(found)
        if is_raop:
            return merge(service, seen.airplay if seen else None)
        return merge(seen.raop if seen else None, service)

    async def _async_moved(
        self, known: Receiver, host: str, port: int
    ) -> Receiver | None:
        """Return the receiver at a new address; None where another one is there."""
        async with PRESENCE.borrow(self.hass) as presence:
            there = await presence.async_ask(host, port)
        if there:
            return there if there.id == known.id else None
        data = receiver_data(known)
        record = data[CONF_RAOP] or data[CONF_AIRPLAY]
        record[CONF_PORT] = port
        return receiver_from({**data, CONF_HOST: host})

    async def _async_add(self) -> ConfigFlowResult | str:
        """Add the receiver or go on to what it asks for; else say what is wrong."""
        await self.async_set_unique_id(
            unique_id(self._receiver.id), raise_on_progress=False
        )
        self._abort_if_unique_id_configured()
        if self._receiver.needs_password:
            return await self.async_step_password()
        problem = await self._async_problem(self._receiver, None)
        if problem == "password_required":
            return await self.async_step_password()
        return problem or self._create(None)

    async def _async_problem(
        self, receiver: Receiver, password: str | None
    ) -> str | None:
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
                problem
                for kind, problem in _PROBLEMS.items()
                if isinstance(error, kind)
            )
        return None

    def _create(self, password: str | None) -> ConfigFlowResult:
        kept = receiver_data(self._receiver) | {CONF_MANUAL: self._is_manual}
        if password:
            kept[CONF_PASSWORD] = password
        return self.async_create_entry(title=self._receiver.name, data=kept)

    def _abort_if_address_configured(self, host: str, port: int) -> None:
        """End where an entry was made by this address, so without the right id."""
        for entry in self._async_current_entries(include_ignore=False):
            known = receiver_from(entry.data)
            if entry.data[CONF_MANUAL] and (known.host, known.port) == (host, port):
                raise AbortFlow("already_configured")


def _obstacle(receiver: Receiver) -> str | None:
    """Name why a receiver cannot be added, or return None."""
    if receiver.obstacle:
        return str(receiver.obstacle)
    return "pairing_required" if receiver.needs_pairing else None


def _label(receiver: Receiver, texts: Mapping[str, str]) -> str:
    """Name a receiver in the list, with the reason where it cannot be added."""
    label = receiver.name
    if receiver.model:
        label += f" ({receiver.model})"
    if obstacle := _obstacle(receiver):
        key = f"component.{DOMAIN}.selector.obstacle.options.{obstacle}"
        label += f" - {texts.get(key, obstacle)}"
    return label


def _password_errors(problem: str) -> dict[str, str]:
    """Put an error where it belongs: to the password's field, or over the form."""
    if problem in ("invalid_auth", "password_required"):
        return {CONF_PASSWORD: "invalid_auth"}
    return {"base": problem}


def _plain(host: str) -> str:
    """Return a host as typed, without blanks and an IPv6 address's brackets."""
    return host.strip().removeprefix("[").removesuffix("]")
