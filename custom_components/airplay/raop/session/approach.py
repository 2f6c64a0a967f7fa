"""The ways into a receiver, one after another, each on a connection of its own."""

from collections.abc import Generator
from dataclasses import dataclass

from ..errors import (
    PairingRequiredError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
)
from ..receiver import Receiver

# What a receiver does that was asked in the wrong way: it refuses, hangs up or is mute.
_WRONG_WAY = (ReceiverRefusedError, ReceiverUnreachableError, ReceiverProtocolError)


@dataclass(frozen=True, slots=True)
class Approach:
    """What comes before the first request of a session."""

    verifies: bool = False
    uses_auth_setup: bool = False


def approaches(
    receiver: Receiver, *, has_credentials: bool
) -> Generator[Approach, RaopError, RaopError]:
    """Yield a way, take the error that it ended with, and so on while there are more.

    Return the error that says most.

    Keys are shown only where pairing is asked for: kept after it was switched off, they
    lead to a session that looks well and plays nothing. Of `/auth-setup` one box needs
    it, another plays nothing after it.
    """
    verifies = has_credentials and receiver.needs_pairing
    error = yield Approach(verifies, receiver.needs_auth_setup)
    if receiver.needs_auth_setup and isinstance(error, _WRONG_WAY):
        error = yield Approach(verifies)
    if verifies and isinstance(error, _WRONG_WAY):
        without = yield Approach()
        # The keys were taken, so that it is no news that it wants some.
        return error if isinstance(without, PairingRequiredError) else without
    if has_credentials and not verifies and isinstance(error, PairingRequiredError):
        error = yield Approach(verifies=True)
    return error
