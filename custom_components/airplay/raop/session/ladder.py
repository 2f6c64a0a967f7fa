"""The ladder of a receiver: which way is tried next, and what is said if none works."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from ..errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    PtpUnavailableError,
    RaopError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnlockedError,
    ReceiverUnreachableError,
    TooManyTriesError,
)
from ..receiver import Receiver
from ..wire.addresses import plain_address
from .climbing.extras import AUTH_SETUP, Omissions
from .climbing.patience import Patience
from .climbing.way import Login, Way
from .ways import Access, Outcome, Rung, ways_of


class Stage(IntEnum):
    """How far an attempt came."""

    CONNECT = 0
    LOGIN = 1
    SETUP = 2
    SOUND = 3


@dataclass(slots=True)
class Attempt:
    """A way that is being tried, and how far it came.

    `way` may change while it is tried, by what the receiver answers; `chosen` is the
    rung of the ladder, which is tried once.
    """

    way: Way
    stage: Stage = Stage.CONNECT
    chosen: Way = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = self.way


@dataclass(frozen=True, slots=True)
class _Failure:
    way: Way
    chosen: Way
    stage: Stage
    outcome: Outcome
    error: RaopError


class Ladder:
    """The ways to one receiver, and those that have failed.

    Call `attempt` for the next way, and `fail` with its error; it is at an end when
    `attempt` raises: no way is left, or no patience.
    """

    def __init__(
        self, receiver: Receiver, access: Access, omissions: Omissions | None = None
    ) -> None:
        """Begin with the best way, and with what is known to be left out.

        Raises UnsupportedReceiverError: see `ways_of`.
        """
        self.receiver = receiver
        # The addresses that are not known to be those of another receiver.
        self.addresses = receiver.addresses
        self._place = _place(receiver)
        self._places = set(self._place)
        self._access = access
        self._rungs = ways_of(receiver, access)
        self._failures: list[_Failure] = []
        self.is_informed = False
        self.omissions = omissions or Omissions()
        self.patience = Patience()
        # Whether an attempt has failed, or is to be repeated without an extra.
        self.is_begun = False

    def inform(self, receiver: Receiver) -> None:
        """Adopt what the receiver said about itself in its `/info`."""
        self.is_informed = True
        if receiver != self.receiver:
            self.receiver = receiver
            self._rungs = ways_of(receiver, self._access) or self._rungs

    def follow(self, receiver: Receiver) -> bool:
        """Adopt where a receiver is announced now; return whether it is a new place.

        What failed because nobody answered may work there.
        """
        place = _place(receiver)
        if place == self._place:
            return False
        self._place = place
        self._rungs = ways_of(receiver, self._access)
        self._ask_again(receiver)
        if place <= self._places:
            return False
        self._places |= place
        self._failures = [
            each
            for each in self._failures
            if not isinstance(each.error, ReceiverUnreachableError)
        ]
        return True

    def leave_address(self, attempt: Attempt) -> bool:
        """Try all addresses again if the one that answered before does not any more.

        Return whether there are others.
        """
        is_lost = self.is_informed and attempt.stage is Stage.CONNECT
        if not is_lost or len(self.receiver.addresses) == len(self.addresses):
            return False
        self._ask_again(self.receiver)
        return True

    @property
    def has_next(self) -> bool:
        """Whether there is a way that is worth a try."""
        return self._next() is not None

    def has_beside(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Whether there would be another way if this one were silent like that."""
        way, chosen = attempt.way, attempt.chosen
        assumed = _Failure(way, chosen, Stage.SOUND, outcome, ReceiverSilentError())
        return self._next(assumed) is not None

    def attempt(self) -> Attempt:
        """Return the next way.

        Raises RaopError: all ways have failed; the most telling error.
        """
        if rung := self._next():
            return Attempt(rung.way)
        raise self.error

    def fail(
        self, attempt: Attempt, error: RaopError, *, is_clock: bool = False
    ) -> bool:
        """Record that a way does not work; return whether another is left.

        `is_clock` says that a silent receiver does not follow our clock.
        """
        outcome = Outcome.NO_CLOCK if is_clock else _outcome(attempt, error)
        failure = _Failure(attempt.way, attempt.chosen, attempt.stage, outcome, error)
        self._failures.append(failure)
        self.is_begun = True
        return self.has_next

    def check_secrets(self, attempt: Attempt, *, is_password_asked: bool) -> None:
        """Check that a session which was set up uses what is known of the secrets.

        Raises ReceiverUnlockedError: there are secrets, and it uses none.
        """
        login = attempt.way.login
        if self._access.is_left_out(login, is_password_asked=is_password_asked):
            raise ReceiverUnlockedError(
                "it asks for neither the known password nor the known keys"
            )

    @property
    def error(self) -> RaopError:
        """The most telling error.

        That of an attempt that was silent, else that the receiver has become open, else
        the demand for a secret, else which answers were too slow, else that of the
        attempt that came furthest.
        """
        is_clear = self._has_silent or any(map(self._wants_secret, self._failures))
        if self.patience.is_over and not is_clear:
            return self.patience.error
        if not self._failures:
            return ReceiverUnreachableError("there is no way to play to it")
        furthest = max(self._failures, key=self._weight)
        error = furthest.error
        if furthest.outcome is not Outcome.DENIED:
            return error
        if self._access.wanted and not self._wants_secret(furthest):
            # The lane that the user chose is closed to all, maybe with 403 or 470.
            return ReceiverRefusedError(str(error), status=error.status)
        if type(error) is not AuthenticationError:
            return error
        # The answers of a login say only that a secret is wrong.
        if self.receiver.needs_pairing:
            return PairingRequiredError("the receiver requires pairing by PIN")
        if self._access.has_password:
            return AuthenticationError("the receiver refused the password")
        return PasswordRequiredError("the receiver requires a password")

    def _weight(self, failure: _Failure) -> tuple[bool, bool, bool, bool, Stage]:
        outcome, stage = failure.outcome, failure.stage
        wants_secret = self._wants_secret(failure)
        vague = (
            Outcome.UNREACHABLE,
            Outcome.MUTE,
            Outcome.DENIED,
            Outcome.UNLOCKED,
        )
        is_clear = wants_secret or outcome not in vague
        is_open = outcome is Outcome.UNLOCKED and not self._is_half_open
        return stage is Stage.SOUND, is_open, wants_secret, is_clear, stage

    @property
    def _is_half_open(self) -> bool:
        """Whether it protects AirPlay 2 alone, as shairport-sync does."""
        return any(
            (each.outcome is Outcome.DENIED and each.way.login is Login.OPEN)
            or (each.way.login is Login.PASSWORD and each.stage > Stage.LOGIN)
            for each in self._failures
        )

    def _wants_secret(self, failure: _Failure) -> bool:
        """Whether a secret is missing; some refuse AirPlay 1 like that for ever."""
        if failure.outcome is not Outcome.DENIED:
            return failure.outcome is Outcome.PASSWORD
        if failure.way.login is not Login.KEYS and self._has_kept_keys:
            # The keys were accepted, so a demand for others says nothing new.
            return False
        of = self.receiver
        return of.needs_pairing or not (of.takes_airplay2 and failure.way.is_raop)

    @property
    def _has_silent(self) -> bool:
        return any(each.stage is Stage.SOUND for each in self._failures)

    @property
    def _has_kept_keys(self) -> bool:
        return any(
            each.way.login is Login.KEYS and each.stage > Stage.LOGIN
            for each in self._failures
        )

    def _next(self, assumed: _Failure | None = None) -> Rung | None:
        if self.patience.is_over:
            return None
        failures = [*self._failures, *([assumed] if assumed else [])]
        bans = [ban for each in failures if (ban := self._ban(each))]
        failed = {way for each in failures for way in (each.way, each.chosen)}
        for rung in self._rungs:
            if rung.way in failed or any(ban(rung.way) for ban in bans):
                continue
            if not rung.after or any(_opens(each, rung) for each in failures):
                return rung
        return None

    def _ban(self, failure: _Failure) -> Callable[[Way], bool] | None:
        """Return which other ways cannot work either."""
        tried, outcome = failure.way, failure.outcome
        is_early = failure.stage <= Stage.LOGIN
        if outcome is Outcome.NO_CLOCK:
            return lambda way: way.is_ptp
        if outcome is Outcome.PASSWORD or isinstance(failure.error, TooManyTriesError):
            return lambda way: way.is_raop is tried.is_raop
        if outcome is Outcome.UNLOCKED or (
            outcome is Outcome.DENIED and not tried.is_raop
        ):
            return lambda way: (way.is_raop, way.login) == (tried.is_raop, tried.login)
        if tried.login is Login.KEYS and outcome is Outcome.MUTE:
            # A receiver that forgot us may accept the keys and then stop answering.
            return lambda way: way.is_raop is tried.is_raop and way.login is Login.KEYS
        if outcome is Outcome.UNREACHABLE or (outcome is Outcome.MUTE and is_early):
            return lambda way: self._port(way) == self._port(tried)
        if outcome is Outcome.MUTE:
            return lambda way: (way.lane, way.clock) == (tried.lane, tried.clock)
        return None

    def _ask_again(self, receiver: Receiver) -> None:
        """Try all addresses, and find out who answers there."""
        self.receiver, self.addresses = receiver, receiver.addresses
        self.is_informed = False

    def _port(self, way: Way) -> int:
        receiver = self.receiver
        return receiver.port if way.is_raop else receiver.pairing_port


def _place(receiver: Receiver) -> frozenset[tuple[str, int, int]]:
    """Return where a receiver listens: each address with both ports."""
    ports = receiver.port, receiver.pairing_port
    return frozenset((plain_address(each), *ports) for each in receiver.addresses)


def _opens(failure: _Failure, rung: Rung) -> bool:
    tried, way = failure.way, rung.way
    if failure.outcome not in rung.after:
        return False
    if not rung.shares_clock:
        # The lanes of AirPlay 2 have one PTP clock between them.
        is_about_clock = failure.outcome is Outcome.NO_CLOCK and not tried.is_raop
        return is_about_clock or tried.lane is way.lane
    return (tried.lane, tried.clock) == (way.lane, way.clock)


def _outcome(attempt: Attempt, error: RaopError) -> Outcome:
    if isinstance(error, PtpUnavailableError):
        return Outcome.NO_CLOCK
    if isinstance(error, ReceiverSilentError):
        return Outcome.SILENT
    if isinstance(error, ReceiverUnlockedError):
        return Outcome.UNLOCKED
    if isinstance(error, AuthenticationError):
        is_secret = type(error) in (AuthenticationError, PasswordRequiredError)
        is_digest = attempt.way.is_raop or attempt.stage > Stage.LOGIN
        return Outcome.PASSWORD if is_secret and is_digest else Outcome.DENIED
    if not isinstance(error, ReceiverUnreachableError):
        return Outcome.REFUSED
    if attempt.stage is Stage.CONNECT:
        return Outcome.UNREACHABLE
    return Outcome.REFUSED if error.step in (None, AUTH_SETUP) else Outcome.MUTE
