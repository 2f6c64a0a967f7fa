"""What stands between a receiver and us, as the forms say it."""

from contextlib import suppress

from homeassistant.const import CONF_PASSWORD

from ..raop.engine.net.probe import check_password, informed, probe, rehearse
from ..raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRefusedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
    TooManyTriesError,
)
from ..raop.receiver import Receiver

# What a form says of a failed question to the receiver; subclasses come first.
_PROBLEMS: dict[type[RaopError], str] = {
    PairingRequiredError: "pairing_required",
    CredentialsRejectedError: "credentials_rejected",
    PairingRefusedError: "pairing_refused",
    TooManyTriesError: "max_tries",
    ReceiverBusyError: "busy",
    PasswordRequiredError: "password_required",
    AuthenticationError: "invalid_auth",
    ReceiverUnreachableError: "cannot_connect",
    ReceiverRefusedError: "refused",
    RaopError: "not_understood",
}


# These are mended by a code, and by nothing else.
WANT_PAIRING = ("pairing_required", "credentials_rejected")


class PairingFailedError(Exception):
    """Pairing did not begin or end well; `problem` is what a form says."""

    def __init__(self, problem: str, seconds: int | None = None) -> None:
        """Take the name of the problem, and for how long the receiver wants a pause."""
        super().__init__(problem)
        self.problem = problem
        self.seconds = seconds


async def async_problem(
    receiver: Receiver, password: str | None = None, credentials: str | None = None
) -> str | None:
    """Ask the receiver whether it would play for us; return what is wrong, for a form.

    Without a secret one question does. With one, a session is opened and ended.
    """
    try:
        if not password and not credentials:
            await probe(receiver)
            return None
        with suppress(ReceiverBusyError):
            # Whoever is told so has shown a secret that is right.
            await rehearse(receiver, password=password, credentials=credentials)
        if password and not credentials and receiver.takes_airplay2:
            await check_password(receiver, password)
    except RaopError as error:
        return problem_of(error)
    return None


async def async_informed(receiver: Receiver) -> Receiver:
    """Return a receiver of which mDNS says nothing with what it says itself."""
    with suppress(RaopError):
        return await informed(receiver)
    return receiver


def problem_of(error: RaopError) -> str:
    """Name an error of the core as a form does."""
    return next(
        problem for kind, problem in _PROBLEMS.items() if isinstance(error, kind)
    )


def password_errors(problem: str) -> dict[str, str]:
    """Put an error where it belongs: to the password's field, or over the form."""
    if problem in ("invalid_auth", "password_required"):
        return {CONF_PASSWORD: "invalid_auth"}
    return {"base": problem}
