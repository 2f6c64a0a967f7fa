"""Pairing with a receiver that shows a code, in the words of the forms.

Begin makes the receiver show its code, finish proves it; the caller must close it.
"""

import logging
from typing import Self

from homeassistant.const import CONF_CODE
from homeassistant.core import HomeAssistant

from ..discovery.browser import BROWSER
from ..raop.api import (
    AuthenticationError,
    PairingRequiredError,
    PinPairing,
    RaopError,
    Receiver,
    ReceiverUnreachableError,
    TooManyTriesError,
    normalize_id,
)
from .form_errors import FormError, form_error

_LOGGER = logging.getLogger(__name__)

# Answers of receivers that do not follow the protocol's own errors.
_BY_STATUS = {
    **dict.fromkeys((429, 453, 503), "max_tries"),
    **dict.fromkeys((400, 404, 405, 501), "pairing_unknown"),
}


class Pairing:
    """One attempt: the receiver shows a code until it is entered or the attempt is closed."""

    def __init__(self, attempt: PinPairing) -> None:
        """Initialize with an attempt that has begun."""
        self._attempt = attempt

    @classmethod
    async def async_begin(cls, hass: HomeAssistant, receiver: Receiver) -> Self:
        """Have the receiver show its code.

        Raises FormError: when it shows none.
        """
        latest = await _async_latest(hass, receiver)
        try:
            attempt = await PinPairing.begin(latest, hass.config.location_name)
        except RaopError as err:
            _LOGGER.debug("Could not begin pairing: %s", err)
            raise _reason(err) from err
        return cls(attempt)

    async def async_finish(self, code: str) -> str:
        """Prove the code and return the credentials to store; this ends the attempt.

        Raises FormError: when the code is wrong, or the receiver ended the pairing.
        """
        try:
            return await self._attempt.finish(code)
        except ReceiverUnreachableError as err:
            _LOGGER.debug("Pairing ended: %s", err)
            raise FormError("pairing_ended", CONF_CODE) from err
        except RaopError as err:
            _LOGGER.debug("Pairing failed: %s", err)
            if type(err) is AuthenticationError:
                raise FormError("wrong_code", CONF_CODE) from err
            raise _reason(err) from err

    def close(self) -> None:
        """End the attempt; the receiver hides the code."""
        self._attempt.close()


async def _async_latest(hass: HomeAssistant, receiver: Receiver) -> Receiver:
    """Return the receiver as it is announced now, as its port may have changed.

    Only if it still has the address that the user chose.
    """
    if normalize_id(receiver.id) is None:
        return receiver
    async with BROWSER.acquire(hass) as browser:
        seen = await browser.async_find(receiver.id)
    return seen if seen and receiver.host in seen.addresses else receiver


def _reason(err: RaopError) -> FormError:
    """Return the form's error for an attempt that failed for another reason than the code."""
    if isinstance(err, TooManyTriesError) and err.retry_s:
        return FormError("back_off", seconds=err.retry_s)
    if isinstance(err, PairingRequiredError):
        # Receivers that pair with no sender refuse as if they wanted a pairing.
        return FormError("pairing_refused")
    if err.status is not None:
        return FormError(_BY_STATUS.get(err.status, "pairing_refused"))
    return form_error(err)
