"""Gets a connection on which a receiver takes sessions from us."""

from collections.abc import Awaitable, Callable, Generator
import logging
import os
import secrets

from ...auth import srp
from ...auth.channel import ChannelKeys
from ...auth.credentials import HomeKitCredentials, parse_credentials
from ...auth.pair_setup import transient_setup
from ...auth.pair_verify import home_kit_verify, verify
from ...errors import RaopError
from ...receiver import Receiver
from ...session.attempts import RaopAttempt, airplay2_attempts, raop_attempts
from ...session.info import ask_info
from .connection import Connection

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
    """Connect and go on with `use`, in each way until one works; raise what says most.

    A connection on which something failed is closed; the one that works stays open.
    """
    known = parse_credentials(credentials) if credentials else None
    ways = raop_attempts(receiver, has_credentials=known is not None)
    attempt = next(ways)
    while True:
        # Whoever is not there is not knocked at in another way.
        connection = await Connection.connect(
            receiver.host, receiver.port, timeout_s=timeout_s
        )
        try:
            if attempt.verifies and known:
                steps = verify(known, secrets.token_bytes(_KEY_BYTES))
                keys = await connection.perform(steps, timeout_s=timeout_s)
                if keys:
                    connection.encrypt(keys)
            return await use(connection, attempt)
        except RaopError as err:
            connection.close()
            attempt = _next(ways, err, receiver)
        except BaseException:
            connection.close()
            raise


async def connect_airplay2[T](
    receiver: Receiver,
    use: Callable[[Connection, bytes, Receiver], Awaitable[T]],
    *,
    password: str | None = None,
    credentials: str | None = None,
    timeout_s: float = 5,
) -> T:
    """Connect, pair for one connection or show stored keys, and go on with `use`.

    It gets the encrypted connection, the secret that both ends have agreed on, and the
    receiver with what it says of itself now. What fails leaves a receiver confused on
    its connection, so the next way begins on a new one. Otherwise as `enter`.
    """
    known = parse_credentials(credentials) if credentials else None
    keys = known if isinstance(known, HomeKitCredentials) else None
    host, port = receiver.host, receiver.pairing_port
    connection = await Connection.connect(host, port, timeout_s=timeout_s)
    try:
        # What mDNS says of passwords and PINs may be old.
        informed = await connection.perform(ask_info(receiver), timeout_s=_INFO_S)
    except RaopError as err:
        _LOGGER.debug("%s: %s", receiver.name, err)
        informed = receiver
    except BaseException:
        connection.close()
        raise
    ways = airplay2_attempts(
        informed, has_credentials=keys is not None, password=password
    )
    attempt = next(ways)
    while True:
        try:
            if connection.closed.done():
                connection = await Connection.connect(host, port, timeout_s=timeout_s)
            if attempt.secret is None:
                assert keys is not None
                private = secrets.token_bytes(_KEY_BYTES)
                secret = await connection.perform(home_kit_verify(keys, private))
            else:
                steps = transient_setup(srp_private(), attempt.secret)
                secret = await connection.perform(steps, timeout_s=timeout_s)
            connection.encrypt(ChannelKeys.control(secret))
            return await use(connection, secret, informed)
        except RaopError as err:
            connection.close()
            attempt = _next(ways, err, receiver)
        except BaseException:
            connection.close()
            raise


def _next[W](
    ways: Generator[W, RaopError, RaopError], err: RaopError, receiver: Receiver
) -> W:
    """Return the way to try after an error; raise what says most where none is left."""
    try:
        way = ways.send(err)
    except StopIteration as end:
        told: RaopError = end.value
        raise told from None
    _LOGGER.debug("%s, tried in another way: %s", receiver.name, err)
    return way


def srp_private() -> int:
    """Return a random private exponent for SRP."""
    private = 0
    while not srp.is_usable(private):
        private = int.from_bytes(os.urandom(srp.PRIVATE_BYTES))
    return private
