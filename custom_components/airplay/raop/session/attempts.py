"""The login methods of a receiver, tried in order, each on its own connection."""

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

# Reactions of a receiver to the wrong method: it refuses, hangs up, or is silent.
_WRONG_WAY = (ReceiverRefusedError, ReceiverUnreachableError, ReceiverProtocolError)


@dataclass(frozen=True, slots=True)
class RaopAttempt:
    """The steps before the first request of a session."""

    verifies: bool = False
    uses_auth_setup: bool = False


def raop_attempts(
    receiver: Receiver, *, has_credentials: bool
) -> Generator[RaopAttempt, RaopError, RaopError]:
    """Yield methods in order; the caller sends back the error of each.

    Return the most informative error.

    Keys are used only if pairing is required: used after pairing was switched off, they
    lead to a session that looks healthy and plays nothing. Some receivers require
    `/auth-setup`, others play nothing after it.
    """
    verifies = has_credentials and receiver.needs_pairing
    error = yield RaopAttempt(verifies, receiver.needs_auth_setup)
    if receiver.needs_auth_setup and isinstance(error, _WRONG_WAY):
        error = yield RaopAttempt(verifies)
    if verifies and isinstance(error, _WRONG_WAY):
        without = yield RaopAttempt()
        # The keys were accepted, so the request for pairing says nothing new.
        return error if isinstance(without, PairingRequiredError) else without
    if has_credentials and not verifies and isinstance(error, PairingRequiredError):
        error = yield RaopAttempt(verifies=True)
    return error


@dataclass(frozen=True, slots=True)
class AirPlay2Attempt:
    """A login method of AirPlay 2: by a secret, or without one by stored keys."""

    secret: str | None = field(default=None, repr=False)


_STORED_KEYS = AirPlay2Attempt()


def airplay2_attempts(
    receiver: Receiver, *, has_credentials: bool, password: str | None
) -> Generator[AirPlay2Attempt, RaopError, RaopError]:
    """Yield methods of AirPlay 2 in order; the caller sends back the error of each.

    Return the most informative error. A password is the secret of pairing on most
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
        # A receiver that forgot us may accept the keys and then stop answering.
        is_mute = way is _STORED_KEYS and isinstance(error, _WRONG_WAY)
        if not (is_denied or is_mute):
            return error
    return _meaning(errors, receiver, knows_password=bool(password))


def _meaning(
    errors: list[RaopError], receiver: Receiver, *, knows_password: bool
) -> RaopError:
    """Return the requirement of a receiver that refused every method.

    Its answers say only that a secret is wrong.
    """
    first = errors[0]
    if type(first) is not AuthenticationError:
        return first
    if receiver.needs_pairing:
        return PairingRequiredError("the receiver requires pairing by PIN")
    if knows_password:
        return AuthenticationError("the receiver refused the password")
    return PasswordRequiredError("the receiver requires a password")
