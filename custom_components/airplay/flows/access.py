"""Access to a receiver: its password or code, requested and verified at once."""

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_CODE, CONF_NAME, CONF_PASSWORD
from homeassistant.core import callback
from homeassistant.helpers.importlib import async_import_module

from ..const import CONF_CREDENTIALS
from ..discovery.shown import model_of, title_of
from ..helpers.foreign_text import inert
from ..raop.api import Receiver
from .form_errors import FormError, async_ask, async_check, password_error
from .forms import CODE_SCHEMA, NOTHING_SCHEMA, PASSWORD_SCHEMA

if TYPE_CHECKING:
    from .pairing import Pairing

_SCHEMAS = {
    "pair": CODE_SCHEMA,
    "password": PASSWORD_SCHEMA,
    "reauth_confirm": PASSWORD_SCHEMA,
}


class AccessFlow(ConfigFlow):
    """Asks for a code or a password, only if needed."""

    _receiver: Receiver
    _password: str | None = None
    _credentials: str | None = None
    _pairing: Pairing | None = None
    _is_over = False

    @abstractmethod
    def _finish(self) -> ConfigFlowResult:
        """End the flow with the secrets that the receiver accepts."""

    @callback
    @override
    def async_remove(self) -> None:
        """Abort an unfinished pairing, however the flow ends."""
        self._is_over = True
        self._async_give_up()

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the receiver's password and verify it before it is stored."""
        return await self._async_ask_password("password", user_input)

    async def async_step_pair(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Have the receiver show a code and ask for it; repeat after a wrong one."""
        return await async_ask(
            user_input if self._pairing else None,
            form=self._async_show_code,
            answer=self._async_finish_pairing,
        )

    async def async_step_pair_again(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain why no code is shown, and try again when the user confirms."""
        if self._credentials:
            return await self._async_prove()
        return await self.async_step_pair()

    async def async_step_unlocked(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the receiver is to be played to without any secret."""
        return await async_ask(
            user_input,
            form=partial(self._async_show, "unlocked"),
            answer=self._async_forget,
        )

    async def _async_forget(self, _user_input: dict[str, Any]) -> ConfigFlowResult:
        """Finish without secrets; raise FormError."""
        self._password = self._credentials = None
        await self._async_check()
        return self._finish()

    async def _async_go_on(self) -> ConfigFlowResult:
        """Continue with the step for the secret that the receiver requires, or finish.

        Raises FormError: when it refuses access for another reason.
        """
        receiver = self._receiver
        if receiver.needs_pairing and not self._credentials:
            return await self.async_step_pair()
        if receiver.needs_password and not self._password:
            return await self.async_step_password()
        try:
            await self._async_check()
        except FormError as error:
            if error.wants_pairing:
                return await self.async_step_pair()
            if error.wants_password:
                return await self.async_step_password()
            raise
        return self._finish()

    async def _async_ask_password(
        self, step: str, user_input: dict[str, Any] | None, **placeholders: str
    ) -> ConfigFlowResult:
        """Ask for a password until the receiver accepts it or requires a code."""
        return await async_ask(
            user_input,
            form=lambda errors: self._async_show(step, errors, **placeholders),
            answer=self._async_try_password,
        )

    async def _async_try_password(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Finish with a password, or continue with a code; raise FormError."""
        self._password = user_input[CONF_PASSWORD]
        try:
            return await self._async_finish_or_pair()
        except FormError as error:
            raise password_error(error) from error

    async def _async_finish_or_pair(self) -> ConfigFlowResult:
        """Finish with the known secrets, or continue with a code; raise FormError."""
        try:
            await self._async_check()
        except FormError as error:
            if error.wants_nothing:
                return await self.async_step_unlocked()
            if not error.wants_pairing:
                raise
            self._credentials = None
            return await self.async_step_pair()
        return self._finish()

    async def _async_show_code(self, errors: dict[str, str]) -> ConfigFlowResult:
        """Have the receiver show a code, and ask for it."""
        self._async_give_up()
        try:
            pairing_module = await async_import_module(
                self.hass, f"{__package__}.pairing"
            )
            self._pairing = await pairing_module.Pairing.async_begin(
                self.hass, self._receiver
            )
        except FormError as error:
            return await self._async_show_no_code(error)
        if self._is_over:
            # The user closed the flow before the receiver showed its code.
            self._async_give_up()
        return await self._async_show("pair", errors)

    async def _async_finish_pairing(
        self, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Pair with the code that the user entered; raise FormError."""
        assert self._pairing
        pairing, self._pairing = self._pairing, None
        code = "".join(user_input[CONF_CODE].split())
        try:
            self._credentials = await pairing.async_finish(code)
        except FormError as error:
            if error.field == CONF_CODE:
                raise
            # Another code would not help before the user did something.
            return await self._async_show_no_code(error)
        if self._receiver.needs_password:
            # Receivers with a code and a password use one secret for both.
            self._password = code
        return await self._async_prove()

    async def _async_prove(self) -> ConfigFlowResult:
        """Open and end a session with the credentials from pairing."""
        try:
            await self._async_check()
        except FormError as error:
            if error.wants_nothing:
                return await self.async_step_unlocked()
            if error.problem in ("password_required", "invalid_auth"):
                return await self.async_step_password()
            if not error.wants_pairing:
                return await self._async_show_no_code(error)
            self._credentials = None
            return await self._async_show_no_code(FormError("pairing_not_kept"))
        return self._finish()

    async def _async_check(self) -> None:
        """Check that the receiver would play with the known secrets; raise FormError."""
        await async_check(self._receiver, self._password, self._credentials)

    @callback
    def _async_give_up(self) -> None:
        if pairing := self._pairing:
            self._pairing = None
            pairing.close()

    def _secrets(self) -> dict[str, str]:
        """Return the secrets for the entry, without those that the receiver does not use."""
        kept = {CONF_PASSWORD: self._password, CONF_CREDENTIALS: self._credentials}
        return {key: value for key, value in kept.items() if value}

    async def _async_show_no_code(self, error: FormError) -> ConfigFlowResult:
        return await self._async_show(
            "pair_again",
            {error.field: error.problem},
            seconds=str(error.seconds or ""),
        )

    async def _async_show(
        self, step: str, errors: dict[str, str], **placeholders: str
    ) -> ConfigFlowResult:
        """Show a form about the receiver."""
        receiver = self._receiver
        return self.async_show_form(
            step_id=step,
            data_schema=_SCHEMAS.get(step, NOTHING_SCHEMA),
            description_placeholders={
                CONF_NAME: title_of(receiver),
                "model": model_of(receiver),
                **{key: inert(text) for key, text in placeholders.items()},
            },
            errors=errors,
        )
