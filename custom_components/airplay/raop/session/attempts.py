"""The ways into a receiver, one after another, each on a connection of its own."""

from collections.abc import Generator
from dataclasses import dataclass, field

from ..auth.pair_setup import OPEN_SECRET
from ..errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
)
from ..receiver import Receiver

# What a receiver does that was asked in the wrong way: it refuses, hangs up or is mute.
_WRONG_WAY = (ReceiverRefusedError, ReceiverUnreachableError, ReceiverProtocolError)


@dataclass(frozen=True, slots=True)
class RaopAttempt:
    """What comes before the first request of a session."""

    verifies: bool = False
    uses_auth_setup: bool = False


def raop_attempts(
    receiver: Receiver, *, has_credentials: bool
) -> Generator[RaopAttempt, RaopError, RaopError]:
    """Yield a way, take the error that it ended with, and so on while there are more.

    Return the error that says most.

    Keys are shown only where pairing is asked for: kept after it was switched off, they
    lead to a session that looks well and plays nothing. Of `/auth-setup` one box needs
    it, another plays nothing after it.
    """
    verifies = has_credentials and receiver.needs_pairing
    error = yield RaopAttempt(verifies, receiver.needs_auth_setup)
    if receiver.needs_auth_setup and isinstance(error, _WRONG_WAY):
        error = yield RaopAttempt(verifies)
    if verifies and isinstance(error, _WRONG_WAY):
        without = yield RaopAttempt()
        # The keys were taken, so that it is no news that it wants some.
        return error if isinstance(without, PairingRequiredError) else without
    if has_credentials and not verifies and isinstance(error, PairingRequiredError):
        error = yield RaopAttempt(verifies=True)
    return error


@dataclass(frozen=True, slots=True)
class AirPlay2Attempt:
    """How to be let in by AirPlay 2: with a secret, or without one by stored keys."""

    secret: str | None = field(default=None, repr=False)


_STORED_KEYS = AirPlay2Attempt()


def airplay2_attempts(
    receiver: Receiver, *, has_credentials: bool, password: str | None
) -> Generator[AirPlay2Attempt, RaopError, RaopError]:
    """Yield a way into AirPlay 2, take the error that it ended with, and so on.

    Return the error that says most. A password is the secret of pairing on most
    receivers; on HomePods the secret is the open one, and SETUP asks for the password.
    """
    ways = [AirPlay2Attempt(password)] if password else []
    ways.append(AirPlay2Attempt(OPEN_SECRET))
    if has_credentials:
        ways.insert(0 if receiver.needs_pairing else len(ways), _STORED_KEYS)
    errors: list[RaopError] = []
    for way in ways:
        error = yield way
        errors.append(error)
        is_denied = type(error) in (
            AuthenticationError,
            CredentialsRejectedError,
            PairingRequiredError,
        )
        # What forgot us may take the keys, and then say nothing more.
        is_mute = way is _STORED_KEYS and isinstance(error, _WRONG_WAY)
        if not (is_denied or is_mute):
            return error
    return _meaning(errors, receiver, knows_password=bool(password))


def _meaning(
    errors: list[RaopError], receiver: Receiver, *, knows_password: bool
) -> RaopError:
    """Return what the receiver wants that has refused everything.

    It says no more than that a secret is wrong.
    """
    first = errors[0]
    if type(first) is not AuthenticationError:
        return first
    if receiver.needs_pairing:
        return PairingRequiredError("the receiver wants to be paired with its PIN")
    if knows_password:
        return AuthenticationError("the receiver refused the password")
    return PasswordRequiredError("the receiver wants a password")
