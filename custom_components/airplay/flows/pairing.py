"""Pairing with a receiver that shows a code, by pyatv.

Begin makes the receiver show its code, finish proves it; the caller must close it.
The debug logs of pyatv contain codes and keys, so they are suppressed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from ipaddress import AddressValueError, IPv4Address
import logging
from typing import Self, cast, override

import pyatv
from pyatv import conf, exceptions
from pyatv.const import Protocol
from pyatv.interface import PairingHandler

from homeassistant.components import zeroconf
from homeassistant.const import CONF_CODE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..discovery.browser import BROWSER
from ..raop.api import RaopError, Receiver, TooManyTriesError, ask_pairing, normalize_id
from .form_errors import FormError, form_error

_LOGGER = logging.getLogger(__name__)

SCAN_S = 1
_BEGIN_S = 20
_FINISH_S = 40
_UNAVAILABLE = (429, 453, 503)
_UNKNOWN_PATH = (400, 404, 405, 501)
_IS_PAIRING = ContextVar("_IS_PAIRING", default=False)


class Pairing:
    """One attempt: the receiver shows a code until it is entered or the attempt is closed."""

    def __init__(self, handler: PairingHandler) -> None:
        """Initialize with a handler that has begun."""
        self._handler = handler

    @classmethod
    async def async_begin(cls, hass: HomeAssistant, receiver: Receiver) -> Self:
        """Have the receiver show its code.

        Raises FormError: when it shows none.
        """
        try:
            async with _quietly(_BEGIN_S):
                handler = await _async_handler(hass, receiver)
                try:
                    await handler.begin()
                except BaseException:
                    await handler.close()
                    raise
        except Exception as err:
            raise await _async_reason(receiver, err) from err
        return cls(handler)

    async def async_finish(self, code: str) -> str:
        """Prove the code and return the credentials to store; this ends the attempt.

        Raises FormError: when the code is wrong, or the receiver ended the pairing.
        """
        try:
            async with _quietly(_FINISH_S):
                # As text: letters and leading zeros would be lost in a number.
                self._handler.pin(cast(int, code))
                await self._handler.finish()
        except Exception as err:
            _LOGGER.debug("Pairing failed: %s", _name(err))
            gone = _is_gone(err)
            problem = "pairing_ended" if gone else "wrong_code"
            raise FormError(problem, CONF_CODE) from err
        finally:
            await self.async_close()
        return self._handler.service.credentials or ""

    async def async_close(self) -> None:
        """End the attempt; the receiver hides the code."""
        await self._handler.close()


async def _async_handler(hass: HomeAssistant, receiver: Receiver) -> PairingHandler:
    is_home_kit = receiver.takes_airplay2 and receiver.airplay is not None
    kind = Protocol.AirPlay if is_home_kit else Protocol.RAOP
    features = receiver.features or 0
    # Formatted again: pyatv misreads words with fewer than eight digits.
    words = f"0x{features & 0xFFFFFFFF:08X},0x{features >> 32:08X}"
    port = await _async_port(hass, receiver, kind) or receiver.pairing_port
    # It uses only the text of the address, which may also be a name or IPv6.
    config = conf.AppleTV(cast(IPv4Address, receiver.host), receiver.name)
    config.add_service(conf.ManualService(receiver.id, kind, port, {"ft": words}))
    return await pyatv.pair(
        config,
        kind,
        hass.loop,
        session=async_get_clientsession(hass),
        name=hass.config.location_name or "Home Assistant",
    )


async def _async_port(
    hass: HomeAssistant, receiver: Receiver, kind: Protocol
) -> int | None:
    """Look up the port on which the receiver currently accepts pairing."""
    try:
        host = str(IPv4Address(receiver.host))
    except AddressValueError:
        return None
    async with BROWSER.acquire(hass):
        found = await pyatv.scan(
            hass.loop,
            timeout=SCAN_S,
            hosts=[host],
            protocol=kind,
            aiozc=await zeroconf.async_get_async_instance(hass),
        )
    # Several receivers may share an address.
    ports = (
        service.port
        for config in found
        if (service := config.get_service(kind))
        and normalize_id(service.identifier or "") == receiver.id
    )
    return next(ports, None)


async def _async_reason(receiver: Receiver, err: Exception) -> FormError:
    """Find out why pairing does not begin, because pyatv drops the receiver's response."""
    _LOGGER.debug("Could not begin pairing: %s", _name(err))
    if _is_gone(err):
        return FormError("cannot_connect")
    cause = err.__cause__ or err
    if isinstance(cause, exceptions.AuthenticationError):
        return FormError("pairing_refused")
    if isinstance(cause, exceptions.HttpError):
        status = cause.status_code
        if status in _UNAVAILABLE:
            return FormError("max_tries")
        unknown = status in _UNKNOWN_PATH
        return FormError("pairing_unknown" if unknown else "pairing_refused")
    try:
        await ask_pairing(receiver)
    except TooManyTriesError as said:
        if said.retry_s:
            return FormError("back_off", seconds=said.retry_s)
        return FormError("max_tries")
    except RaopError as said:
        error = form_error(said)
        return FormError("pairing_refused") if error.wants_pairing else error
    return FormError("not_understood")


def _is_gone(err: BaseException | None) -> bool:
    kinds = (OSError, exceptions.ConnectionFailedError, exceptions.ConnectionLostError)
    return err is not None and (isinstance(err, kinds) or _is_gone(err.__cause__))


def _name(err: Exception) -> str:
    """Return the types of an error, because its text may contain secrets."""
    cause = err.__cause__
    return type(err).__name__ + (f" after {type(cause).__name__}" if cause else "")


class _Discretion(logging.Filter):
    """Suppresses everything that is logged by a pairing."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record may be logged."""
        return not _IS_PAIRING.get()


_DISCRETION = _Discretion()


@asynccontextmanager
async def _quietly(timeout_s: float) -> AsyncIterator[None]:
    """Suppress pyatv's logs within the context, and those of tasks started in it."""
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] == "pyatv":
            logging.getLogger(name).addFilter(_DISCRETION)
    token = _IS_PAIRING.set(True)
    try:
        async with asyncio.timeout(timeout_s):
            yield
    finally:
        _IS_PAIRING.reset(token)
