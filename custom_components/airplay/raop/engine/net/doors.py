"""The addresses of a receiver that are left to try, and who answers there."""

import asyncio
from contextlib import ExitStack
import logging

from ...errors import RaopError, ReceiverUnreachableError, WrongReceiverError
from ...receiver import Receiver
from ...session.info import ask_info
from ...wire.addresses import plain_address
from .connection import Connection
from .reaching import CONNECT_S

_LOGGER = logging.getLogger(__name__)

# With several addresses it is in doubt who answers; else a start must not wait.
_ASK_S = 1.0
_ASK_ONE_S = 0.3


class Doors:
    """The addresses of one receiver, without those at which another one answers."""

    def __init__(self, receiver: Receiver, left: tuple[str, ...] = ()) -> None:
        """`left` are the addresses to try, if some are known to be wrong."""
        self._receiver = receiver
        self._left = left or receiver.addresses
        self._wrong: WrongReceiverError | None = None

    @property
    def left(self) -> tuple[str, ...]:
        """The addresses that are left to try."""
        return self._left

    async def connect(self, port: int, *, timeout_s: float = CONNECT_S) -> Connection:
        """Connect to the first address that answers.

        Raises WrongReceiverError: only another receiver answers.
        Raises ReceiverUnreachableError: see `open_first`.
        """
        try:
            return await Connection.connect(self._left, port, timeout_s=timeout_s)
        except ReceiverUnreachableError:
            if self._wrong:
                raise self._wrong from None
            raise

    async def connect_checked(self, port: int, *, timeout_s: float) -> Connection:
        """Connect to the first address at which no other receiver answers.

        Raises WrongReceiverError: only another receiver answers.
        Raises ReceiverUnreachableError: see `open_first`.
        """
        while True:
            connection = await self.connect(port, timeout_s=timeout_s)
            with ExitStack() as undo:
                undo.callback(connection.close)
                try:
                    await self.check(connection)
                except WrongReceiverError as err:
                    self.leave(connection, err)
                    continue
                undo.pop_all()
                return connection

    def keep(self, connection: Connection) -> None:
        """Use no other address than that of a connection, where the receiver answers."""
        self._left = (connection.remote,)

    def leave(self, connection: Connection, error: WrongReceiverError) -> None:
        """Close a connection to another receiver, and try its address no more.

        Raises WrongReceiverError: no address is left.
        """
        connection.close()
        wrong = plain_address(connection.remote)
        left = tuple(each for each in self._left if plain_address(each) != wrong)
        if not left or left == self._left:
            raise error
        _LOGGER.debug("%s; trying its other addresses", error)
        self._left, self._wrong = left, error

    async def check(self, connection: Connection) -> None:
        """Ask at the AirPlay port who answers, as AirPlay 1 and pairing do not say.

        A receiver that does not answer soon is believed.

        Raises WrongReceiverError: another receiver answers.
        """
        airplay = self._receiver.airplay
        if airplay is None:
            return
        try:
            async with asyncio.timeout(_ASK_S if len(self._left) > 1 else _ASK_ONE_S):
                asked = await Connection.connect(connection.remote, airplay.port)
                try:
                    await asked.perform(ask_info(self._receiver))
                finally:
                    asked.close()
        except WrongReceiverError:
            raise
        except (RaopError, TimeoutError) as err:
            _LOGGER.debug("%s does not say who it is: %s", self._receiver.name, err)
