"""Pairing by PIN: the receiver shows it, the user types it in, and both keep keys."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
import secrets
from typing import Self
import uuid

from ...auth import srp
from ...auth.credentials import Credentials, format_credentials
from ...auth.legacy_setup import LegacySetup
from ...auth.pair_setup import HomeKitSetup
from ...auth.pairing_client import PairingClient
from ...receiver import Receiver
from ...wire.handshake import Handshake
from .connection import STEP_S, Connection
from .doors import Doors
from .login import srp_private

_SEED_BYTES = 32
_LEGACY_ID_BYTES = 8

type _Finish = Callable[[str, int, bytes], Handshake[Credentials]]


class PinPairing:
    """One attempt: the receiver shows its PIN until `finish` or `close`."""

    def __init__(
        self, connection: Connection, group: srp.Group, finish: _Finish
    ) -> None:
        self._connection = connection
        self._group = group
        self._finish = finish

    @classmethod
    async def begin(cls, receiver: Receiver, client_name: str) -> Self:
        """Have a receiver show its PIN; `client_name` is what it calls us.

        Receivers with AirPlay 2 pair as HomeKit does, others in the older way.

        Raises WrongReceiverError: another receiver answers at its addresses.
        Raises ReceiverUnreachableError: no connection, or no answer within 3 s.
        Raises RaopError: it shows none, see `HomeKitSetup.begin` and
        `LegacySetup.begin`.
        """
        doors = Doors(receiver)
        connection = await doors.connect_checked(
            receiver.pairing_port, timeout_s=STEP_S
        )
        with ExitStack() as undo:
            undo.callback(connection.close)
            if receiver.takes_airplay2:
                attempt = await cls._home_kit(connection, client_name)
            else:
                attempt = await cls._legacy(connection, client_name)
            undo.pop_all()
            return attempt

    @classmethod
    async def _home_kit(cls, connection: Connection, client_name: str) -> Self:
        client_id = str(uuid.uuid4()).upper()
        setup = HomeKitSetup(PairingClient.named(client_name, client_id))
        offer = await connection.perform(setup.begin(), timeout_s=STEP_S)
        return cls(connection, srp.HOME_KIT, partial(setup.finish, offer))

    @classmethod
    async def _legacy(cls, connection: Connection, client_name: str) -> Self:
        client_id = secrets.token_hex(_LEGACY_ID_BYTES).upper()
        setup = LegacySetup(PairingClient.named(client_name, client_id))
        await connection.perform(setup.begin(), timeout_s=STEP_S)
        return cls(connection, srp.LEGACY, setup.finish)

    async def finish(self, pin: str) -> str:
        """Prove the PIN and return the credentials to store; this ends the attempt.

        Raises ReceiverUnreachableError: the receiver ended the attempt, or gave no
        answer within 3 s.
        Raises RaopError: it does not accept the PIN, see `HomeKitSetup.finish` and
        `LegacySetup.finish`.
        """
        try:
            private, seed = srp_private(self._group), secrets.token_bytes(_SEED_BYTES)
            steps = self._finish(pin, private, seed)
            return format_credentials(
                await self._connection.perform(steps, timeout_s=STEP_S)
            )
        finally:
            self.close()

    def close(self) -> None:
        """End the attempt; the receiver hides its PIN."""
        self._connection.close()
