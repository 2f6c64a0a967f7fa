"""Opens a connection on which a receiver accepts sessions from us."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack
import logging
import os
import secrets

from ...auth import srp
from ...auth.channel import ChannelKeys
from ...auth.credentials import HomeKitCredentials, parse_credentials
from ...auth.pair_setup import transient_setup
from ...auth.pair_verify import home_kit_verify, verify
from ...errors import RaopError, WrongReceiverError
from ...receiver import Receiver
from ...session.attempts import (
    AirPlay2Attempt,
    RaopAttempt,
    airplay2_attempts,
    raop_attempts,
)
from ...session.info import ask_info
from ...wire.handshake import Handshake
from .connection import Connection
from .doors import Doors

_LOGGER = logging.getLogger(__name__)

_KEY_BYTES = 32
_INFO_S = 2.0


async def connect_raop[T](
    receiver: Receiver,
    credentials: str | None,
    use: Callable[[Connection, RaopAttempt], Awaitable[T]],
    *,
    timeout_s: float = 5,
) -> T:
    """Connect and run `use`, with one attempt after the other until one works.

    Connections of failed attempts are closed; the one that works stays open.

    Raises CredentialsRejectedError: the credentials are malformed.
    Raises ReceiverUnreachableError: the connection failed; nothing else is tried.
    Raises RaopError: no attempt worked; the most specific error.
    """
    known = parse_credentials(credentials) if credentials else None
    attempts = raop_attempts(receiver, has_credentials=known is not None)
    attempt, doors = next(attempts), Doors(receiver)
    while True:
        connection = await doors.connect(receiver.port, timeout_s=timeout_s)
        try:
            with ExitStack() as undo:
                undo.callback(connection.close)
                await doors.check(connection)
                if attempt.verifies and known:
                    steps = verify(known, secrets.token_bytes(_KEY_BYTES))
                    keys = await connection.perform(steps, timeout_s=timeout_s)
                    if keys:
                        connection.encrypt(keys)
                result = await use(connection, attempt)
                undo.pop_all()
                return result
        except WrongReceiverError as err:
            doors.leave(connection, err)
        except RaopError as err:
            attempt = _next(attempts, err, receiver)


async def connect_airplay2[T](
    receiver: Receiver,
    use: Callable[[Connection, bytes, Receiver], Awaitable[T]],
    *,
    password: str | None = None,
    credentials: str | None = None,
    timeout_s: float = 5,
) -> T:
    """Connect, pair for one connection or verify stored keys, and run `use`.

    `use` gets the encrypted connection, the shared secret, and the receiver with the
    facts that it reports now. A failed attempt leaves the connection in an undefined
    state, so the next attempt opens a new one.

    Raises RaopError: see `connect_raop`.
    """
    known = parse_credentials(credentials) if credentials else None
    keys = known if isinstance(known, HomeKitCredentials) else None
    port, doors = receiver.pairing_port, Doors(receiver)
    connection, informed = await _informed(doors, receiver, timeout_s)
    attempts = airplay2_attempts(
        informed, has_credentials=keys is not None, password=password
    )
    attempt = next(attempts)
    while True:
        try:
            if connection.closed.done():
                connection = await doors.connect(port, timeout_s=timeout_s)
            with ExitStack() as undo:
                undo.callback(connection.close)
                steps = _steps(attempt, keys)
                secret = await connection.perform(steps, timeout_s=timeout_s)
                connection.encrypt(ChannelKeys.control(secret))
                result = await use(connection, secret, informed)
                undo.pop_all()
                return result
        except RaopError as err:
            attempt = _next(attempts, err, receiver)


async def _informed(
    doors: Doors, receiver: Receiver, timeout_s: float
) -> tuple[Connection, Receiver]:
    """Connect; return the receiver updated by its /info, as mDNS may be outdated.

    Raises WrongReceiverError: another receiver answers at each address.
    Raises ReceiverUnreachableError: the connection failed.
    """
    while True:
        connection = await doors.connect(receiver.pairing_port, timeout_s=timeout_s)
        with ExitStack() as undo:
            undo.callback(connection.close)
            try:
                steps = ask_info(receiver)
                informed = await connection.perform(steps, timeout_s=_INFO_S)
            except WrongReceiverError as err:
                doors.leave(connection, err)
                continue
            except RaopError as err:
                _LOGGER.debug("%s: %s", receiver.name, err)
                informed = receiver
            doors.keep(connection)
            undo.pop_all()
            return connection, informed


def _steps(
    attempt: AirPlay2Attempt, keys: HomeKitCredentials | None
) -> Handshake[bytes]:
    if attempt.secret is not None:
        return transient_setup(srp_private(), attempt.secret)
    assert keys is not None
    return home_kit_verify(keys, secrets.token_bytes(_KEY_BYTES))


def _next[A](
    attempts: Generator[A, RaopError, RaopError], err: RaopError, receiver: Receiver
) -> A:
    """Return the attempt after an error; if none is left, raise the best error."""
    try:
        attempt = attempts.send(err)
    except StopIteration as end:
        reason: RaopError = end.value
        raise reason from None
    _LOGGER.debug("%s: trying another login method: %s", receiver.name, err)
    return attempt


def srp_private() -> int:
    """Return a random private exponent for SRP."""
    private = 0
    while not srp.is_usable(private):
        private = int.from_bytes(os.urandom(srp.PRIVATE_BYTES))
    return private
