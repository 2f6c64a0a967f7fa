"""Errors of the forms: raised by steps, shown by forms."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD

from ..raop.api import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRefusedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    Receiver,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverUnlockedError,
    ReceiverUnreachableError,
    TooManyTriesError,
    UdpPortsTakenError,
    WrongReceiverError,
    check_password,
    informed,
    probe,
    rehearse,
)

# The form's error keys for the core's errors; subclasses come first.
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
    ReceiverUnlockedError: "unlocked",
    UdpPortsTakenError: "udp_ports_taken",
    WrongReceiverError: "wrong_receiver",
    RaopError: "not_understood",
}


class FormError(Exception):
    """Input cannot be used: the form shows why, and asks again.

    `problem` is a key of the form's errors, `field` the affected input, and `seconds`
    the pause that the receiver requires.
    """

    def __init__(
        self, problem: str, field: str = "base", *, seconds: int | None = None
    ) -> None:
        """Initialize with the problem and the affected input."""
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.seconds = seconds

    @property
    def wants_pairing(self) -> bool:
        """Whether only a code would help."""
        return self.problem in ("pairing_required", "credentials_rejected")

    @property
    def wants_nothing(self) -> bool:
        """Whether the receiver asks for none of the secrets that were given."""
        return self.problem == "unlocked"

    @property
    def wants_password(self) -> bool:
        """Whether the receiver requires a password that was not given."""
        return self.problem == "password_required"


async def async_ask(
    user_input: dict[str, Any] | None,
    *,
    form: Callable[[dict[str, str]], Awaitable[ConfigFlowResult]],
    answer: Callable[[dict[str, Any]], Awaitable[ConfigFlowResult]],
) -> ConfigFlowResult:
    """Show a form, or process its input; if that raises FormError, show it again."""
    if user_input is None:
        return await form({})
    try:
        return await answer(user_input)
    except FormError as error:
        return await form({error.field: error.problem})


async def async_check(
    receiver: Receiver, password: str | None = None, credentials: str | None = None
) -> None:
    """Check that the receiver would accept playback.

    Without a secret, probe it once. With one, open and end a session; also if its kind
    may ask for a password only then.
    Raises FormError: when it would not.
    """
    if receiver.obstacle:
        raise FormError(str(receiver.obstacle))
    try:
        if not (password or credentials) and receiver.asks_time:
            await probe(receiver)
            return
        with suppress(ReceiverBusyError):
            # The receiver responds like this only to a correct secret.
            await rehearse(receiver, password=password, credentials=credentials)
        if password and not credentials and receiver.takes_airplay2:
            await check_password(receiver, password)
    except RaopError as error:
        raise form_error(error) from error


async def async_informed(receiver: Receiver) -> Receiver:
    """Complete a receiver without mDNS records from its own response."""
    with suppress(RaopError):
        return await informed(receiver)
    return receiver


def form_error(error: RaopError) -> FormError:
    """Return the form's error for an error of the core."""
    return FormError(
        next(problem for kind, problem in _PROBLEMS.items() if isinstance(error, kind))
    )


def password_error(error: FormError) -> FormError:
    """Return the error at the password field if it is about the password."""
    if error.problem in ("invalid_auth", "password_required"):
        return FormError("invalid_auth", CONF_PASSWORD)
    return error
