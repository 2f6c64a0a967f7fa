"""Sends requests that sound does not need, and learns which a receiver cannot stand."""

from contextlib import suppress
import logging

from ...errors import RaopError, ReceiverUnreachableError, WrongReceiverError
from ...session.climbing.extras import Extra, Omissions
from ...wire.handshake import Handshake
from .connection import Connection

_LOGGER = logging.getLogger(__name__)

# How long to wait for an answer that did not come before: it may have been lost.
_ONCE_MORE_S = 0.1


class ExtraRequests:
    """The extras for one receiver; nothing that it does about them is a failure."""

    def __init__(self, name: str, omissions: Omissions) -> None:
        self._name = name
        self._omissions = omissions

    async def perform[T](
        self,
        connection: Connection,
        extra: Extra,
        steps: Handshake[T],
        *,
        timeout_s: float | None = None,
        is_urgent: bool = True,
    ) -> T | None:
        """Return the result of an extra; None without one, which is logged once.

        An answer that did not come before is hardly waited for.

        Raises WrongReceiverError: another receiver answers.
        Raises RaopError: the connection has ended.
        """
        omissions = self._omissions
        if extra in omissions:
            steps.close()
            return None
        if not omissions.is_awaited(extra):
            timeout_s = _ONCE_MORE_S
        try:
            result = await connection.perform(
                steps, timeout_s=timeout_s, is_urgent=is_urgent, extra=extra
            )
        except RaopError as err:
            if connection.closed.done() or isinstance(err, WrongReceiverError):
                raise
            is_answered = not isinstance(err, ReceiverUnreachableError)
            omissions.answer(extra, is_answered=is_answered)
            level = logging.INFO if omissions.refuse(extra) else logging.DEBUG
            _LOGGER.log(level, "%s does not accept %s: %s", self._name, extra, err)
            return None
        if not connection.closed.done():
            omissions.answer(extra, is_answered=True)
        return result

    async def attempt(
        self,
        connection: Connection,
        extra: Extra,
        steps: Handshake[None],
        timeout_s: float,
    ) -> None:
        """Send an extra after all urgent requests; raise nothing."""
        with suppress(RaopError):
            await self.perform(
                connection, extra, steps, timeout_s=timeout_s, is_urgent=False
            )


def learn(name: str, omissions: Omissions, error: RaopError) -> bool:
    """Leave out the extra on which a receiver ended the connection, if there is one.

    Return whether the same way is worth another attempt without it.
    """
    if not error.extra or not omissions.leave_out(error.extra):
        return False
    text = "%s ends the connection on %s, which is left out from now on"
    _LOGGER.info(text, name, error.extra)
    return True
