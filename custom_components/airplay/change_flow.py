"""Changing how a receiver that was added is reached."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT

from .const import CONF_AIRPLAY, CONF_RAOP
from .forms import (
    PASSWORD_SCHEMA,
    RECONFIGURE_SCHEMA,
    async_problem,
    password_errors,
    plain,
)
from .models import followed, receiver_data, receiver_from
from .presence import PRESENCE
from .raop.receiver import Receiver


class ChangeFlow(ConfigFlow):
    """Take a new password or a new address."""

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
            problem = await async_problem(receiver_from(entry.data), password)
            if problem is None:
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_PASSWORD: password}
                )
            errors = password_errors(problem)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=PASSWORD_SCHEMA,
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
                plain(user_input[CONF_HOST]),
                user_input[CONF_PORT],
            )
            password = user_input.get(CONF_PASSWORD)
            problem = (
                "wrong_receiver"
                if receiver is None
                else await async_problem(receiver, password)
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
                RECONFIGURE_SCHEMA,
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
