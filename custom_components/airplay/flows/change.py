"""Changes to the connection of an existing receiver."""

from collections.abc import Mapping
from functools import partial
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT

from ..const import CONF_AIRPLAY, CONF_CREDENTIALS, CONF_RAOP
from ..discovery.browser import BROWSER
from ..discovery.entry_data import (
    CONF_ADDRESSES,
    followed,
    receiver_data,
    receiver_from,
)
from ..helpers.foreign_text import inert
from ..raop.api import Receiver
from .access import AccessFlow
from .form_errors import FormError, async_ask, async_check
from .forms import CONF_PAIR, RECONFIGURE_PAIRED_SCHEMA, RECONFIGURE_SCHEMA, plain


class ChangeFlow(AccessFlow):
    """Accepts a new password, pairing, or address."""

    async def async_step_reauth(
        self,
        entry_data: Mapping[str, Any],
    ) -> ConfigFlowResult:
        """Ask for new secrets when the receiver no longer accepts the stored ones."""
        self._receiver = receiver_from(entry_data)
        self._credentials = entry_data.get(CONF_CREDENTIALS)
        wants_pairing = bool(self._credentials or self._receiver.needs_pairing)
        try:
            await async_check(self._receiver)
        except FormError as error:
            wants_pairing = error.wants_pairing or (
                wants_pairing and not error.wants_password
            )
        if wants_pairing:
            return await self.async_step_reauth_pair()
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the current password of the receiver."""
        return await self._async_ask_password(
            "reauth_confirm", user_input, name=self._get_reauth_entry().title
        )

    async def async_step_reauth_pair(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait for confirmation, so that no code appears while no user can read it."""
        if user_input is not None:
            self._credentials = None
            return await self.async_step_pair()
        return await self._async_show(
            "reauth_pair", {}, name=self._get_reauth_entry().title
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the address or the password, or pair again."""
        entry = self._get_reconfigure_entry()
        known = receiver_from(entry.data)
        pairs = (
            known.needs_pairing
            or known.takes_airplay2
            or CONF_CREDENTIALS in entry.data
        )
        values = user_input or {
            CONF_HOST: known.host,
            CONF_PORT: known.port,
            CONF_PASSWORD: entry.data.get(CONF_PASSWORD),
        }

        async def form(errors: dict[str, str]) -> ConfigFlowResult:
            schema = RECONFIGURE_PAIRED_SCHEMA if pairs else RECONFIGURE_SCHEMA
            return self.async_show_form(
                step_id="reconfigure",
                data_schema=self.add_suggested_values_to_schema(schema, values),
                description_placeholders={CONF_NAME: inert(entry.title)},
                errors=errors,
            )

        return await async_ask(
            user_input, form=form, answer=partial(self._async_change, known)
        )

    async def _async_change(
        self, known: Receiver, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Store the input if the receiver accepts it; raise FormError."""
        self._receiver = await self._async_moved(
            known, plain(user_input[CONF_HOST]), user_input[CONF_PORT]
        )
        self._password = user_input.get(CONF_PASSWORD)
        if user_input.get(CONF_PAIR):
            self._credentials = None
            return await self.async_step_pair()
        self._credentials = self._get_reconfigure_entry().data.get(CONF_CREDENTIALS)
        return await self._async_finish_or_pair()

    async def _async_moved(self, known: Receiver, host: str, port: int) -> Receiver:
        """Return the receiver at a new address; raise FormError if it is another one."""
        async with BROWSER.acquire(self.hass) as browser:
            there = await browser.async_ask(host, port)
        if there and there.id != known.id:
            raise FormError("wrong_receiver")
        if there:
            return there
        data = receiver_data(known)
        record = data[CONF_RAOP] or data[CONF_AIRPLAY]
        record[CONF_PORT] = port
        return receiver_from({**data, CONF_HOST: host, CONF_ADDRESSES: [host]})

    @override
    def _finish(self) -> ConfigFlowResult:
        is_reauth = self.source == SOURCE_REAUTH
        entry = self._get_reauth_entry() if is_reauth else self._get_reconfigure_entry()
        kept = followed(entry.data, self._receiver)
        for key in (CONF_PASSWORD, CONF_CREDENTIALS):
            kept.pop(key, None)
        return self.async_update_reload_and_abort(entry, data=kept | self._secrets())
