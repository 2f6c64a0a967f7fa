"""The ladder of a receiver: what is tried after which failure, and what is said."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    PasswordRequiredError,
    PtpPortsTakenError,
    RaopError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnlockedError,
    ReceiverUnreachableError,
    SlowReceiverError,
    TooManyTriesError,
)
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_lanes import LaneKind
from custom_components.airplay.raop.session.climbing.patience import CLIMB_S
from custom_components.airplay.raop.session.climbing.way import Login, Way
from custom_components.airplay.raop.session.ladder import Attempt, Ladder, Stage
from custom_components.airplay.raop.session.ways import Access, Outcome

from .test_ways import SDK, TELEVISION, receiver

LICENSED = receiver("et=0,4", f"manufacturer=Denon;features={SDK};srcvers=366.0")
TV = receiver(None, f"features={TELEVISION};srcvers=377.1;flags=0x204")
# Without RAOP on the port of AirPlay 2.
MODERN = "0x045F8A00,0x1C340"
SPEAKER = receiver(None, f"features={MODERN};flags=0x4;srcvers=366.0;fv=p20")
LOCKED = receiver(None, f"features={MODERN};flags=0x84;srcvers=366.0;fv=p20")
# As shairport-sync, which plays by AirPlay 1 too.
HALF_OPEN = receiver("et=0,1", f"features={MODERN};flags=0x84;srcvers=366.0")

type Step = tuple[Stage, RaopError]

REFUSED = (Stage.SETUP, ReceiverRefusedError("refused"))
SILENT = (Stage.SOUND, ReceiverSilentError("silent"))
GONE = (Stage.CONNECT, ReceiverUnreachableError("gone"))
HUNG_UP = (Stage.SETUP, ReceiverUnreachableError("hung up"))
MUTE = (Stage.SETUP, ReceiverUnreachableError("mute", step="SETUP rtsp://x"))
MUTE_AT_ONCE = (Stage.LOGIN, ReceiverUnreachableError("mute", step="OPTIONS *"))
MUTE_AT_AUTH = (Stage.SETUP, ReceiverUnreachableError("mute", step="POST /auth-setup"))
PIN = (Stage.SETUP, PairingRequiredError("PIN"))
WRONG = (Stage.LOGIN, AuthenticationError("wrong"))
FORGOTTEN = (Stage.LOGIN, CredentialsRejectedError("forgotten"))
UNLOCKED = (Stage.SETUP, ReceiverUnlockedError("open"))
NO_PTP = (Stage.SETUP, PtpPortsTakenError("taken"))


def climb(ladder: Ladder, *steps: Step) -> list[str]:
    """Fail one way after the other; return all that were tried, in short."""
    tried = []
    for stage, error in steps:
        attempt = ladder.attempt()
        attempt.stage = stage
        tried.append(str(attempt.way))
        ladder.fail(attempt, error)
    if ladder.has_next:
        tried.append(str(ladder.attempt().way))
    return tried


MFI, PLAIN, RSA = "raop ntp none auth-setup", "raop ntp none", "raop ntp none rsa"
BUFFERED = "airplay2-buffered ptp-lead open"
REALTIME = "airplay2-realtime ptp-lead open"
BY_NTP = "airplay2-realtime ntp open"


@pytest.mark.parametrize(
    ("of", "steps", "ways"),
    [
        # `/auth-setup` is left out after silence and after a refusal.
        (LICENSED, [SILENT], [MFI, PLAIN]),
        (LICENSED, [REFUSED, REFUSED], [MFI, PLAIN, BUFFERED]),
        (LICENSED, [HUNG_UP], [MFI, PLAIN]),
        (LICENSED, [MUTE_AT_AUTH], [MFI, PLAIN]),
        # It helps against no other step without an answer.
        (LICENSED, [MUTE], [MFI, BUFFERED]),
        (receiver("et=0"), [PIN], [PLAIN, MFI]),
        (receiver("et=0"), [REFUSED], [PLAIN]),
        (receiver(""), [HUNG_UP], [PLAIN, RSA]),
        (receiver(""), [SILENT], [PLAIN]),
        # A port that does not answer is not asked again.
        (LICENSED, [GONE], [MFI, BUFFERED]),
        (LICENSED, [MUTE_AT_ONCE], [MFI, BUFFERED]),
        (LICENSED, [GONE, GONE], [MFI, BUFFERED]),
        (SPEAKER, [MUTE_AT_ONCE], [BUFFERED]),
        # What is no denial says nothing about the login of the other lane.
        (SPEAKER, [REFUSED], [BUFFERED, REALTIME]),
        (SPEAKER, [SILENT], [BUFFERED, REALTIME]),
        # The clock decides about all ways that share it.
        (LICENSED, [SILENT, SILENT, NO_PTP], [MFI, PLAIN, BUFFERED, BY_NTP]),
    ],
)
def test_the_next_way_follows_from_the_failure(
    of: Receiver, steps: list[Step], ways: list[str]
) -> None:
    assert climb(Ladder(of, Access()), *steps) == ways


def test_without_ptp_realtime_goes_on_by_ntp() -> None:
    assert climb(Ladder(SPEAKER, Access()), NO_PTP) == [BUFFERED, BY_NTP]
    assert climb(Ladder(TV, Access()), NO_PTP) == [REALTIME, BY_NTP]


@pytest.mark.parametrize("step", [SILENT, REFUSED, MUTE])
def test_realtime_alone_goes_on_by_ntp(step: Step) -> None:
    ladder = Ladder(SPEAKER, Access(wanted="airplay2-realtime"))

    assert climb(ladder, step) == [REALTIME, BY_NTP]


def test_a_clock_that_is_never_asked_for_is_replaced() -> None:
    ladder = Ladder(TV, Access(has_home_keys=True))
    attempt = ladder.attempt()
    attempt.stage = Stage.SOUND

    assert ladder.fail(attempt, ReceiverSilentError("silent"), is_clock=True)
    assert str(ladder.attempt().way) == "airplay2-realtime ntp keys"


def test_apples_receivers_get_no_ntp_after_silence() -> None:
    features = "0x0A7FCA00,0x3C354BD0"
    of = receiver(None, f"model=AppleTV5,3;srcvers=900.1;features={features}")

    assert climb(Ladder(of, Access()), SILENT) == [REALTIME]


@pytest.mark.parametrize(
    ("of", "access", "steps", "logins", "said"),
    [
        (SPEAKER, Access(), [WRONG], ["open"], PasswordRequiredError),
        (TV, Access(), [WRONG], ["open"], PairingRequiredError),
        (
            LOCKED,
            Access(has_password=True),
            [WRONG, WRONG],
            ["password", "open"],
            AuthenticationError,
        ),
        (
            LOCKED,
            Access(has_password=True),
            [WRONG, (Stage.SETUP, PasswordRequiredError("SETUP"))],
            ["password", "open"],
            PasswordRequiredError,
        ),
        (
            TV,
            Access(has_home_keys=True),
            [FORGOTTEN, WRONG],
            ["keys", "open"],
            CredentialsRejectedError,
        ),
        (
            TV,
            Access(has_home_keys=True),
            [
                (
                    Stage.LOGIN,
                    ReceiverUnreachableError("mute", step="POST /pair-verify"),
                ),
                WRONG,
            ],
            ["keys", "open"],
            PairingRequiredError,
        ),
        (
            SPEAKER,
            Access(has_home_keys=True),
            [FORGOTTEN, (Stage.LOGIN, PairingRequiredError("PIN"))],
            ["keys", "open"],
            CredentialsRejectedError,
        ),
        (
            TV,
            Access(has_home_keys=True),
            [(Stage.LOGIN, TooManyTriesError("later"))],
            ["keys"],
            TooManyTriesError,
        ),
    ],
)
def test_the_next_login_follows_from_the_denial(
    of: Receiver,
    access: Access,
    steps: list[Step],
    logins: list[str],
    said: type[RaopError],
) -> None:
    ladder = Ladder(of, access)

    assert [each.split()[2] for each in climb(ladder, *steps)] == logins
    assert type(ladder.error) is said
    with pytest.raises(said):
        ladder.attempt()


def test_a_receiver_that_keeps_the_keys_and_refuses_needs_no_new_ones() -> None:
    ladder = Ladder(receiver("et=0;sf=0x204"), Access(has_keys=True))

    tried = climb(ladder, REFUSED, (Stage.LOGIN, PairingRequiredError("PIN")))

    assert tried[:2] == ["raop ntp keys", PLAIN]
    assert type(ladder.error) is ReceiverRefusedError


def test_a_wrong_password_is_said_even_if_a_record_wants_pairing() -> None:
    ladder = Ladder(receiver("et=0;sf=0x204"), Access(has_password=True))

    climb(ladder, WRONG)

    assert type(ladder.error) is AuthenticationError


def test_a_password_is_asked_for_once_by_each_protocol() -> None:
    ladder = Ladder(LICENSED, Access())

    wanted = (Stage.LOGIN, PasswordRequiredError("password"))
    tried = climb(ladder, wanted, WRONG)

    assert tried == [MFI, BUFFERED]
    assert isinstance(ladder.error, PasswordRequiredError)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([PIN, SILENT], ReceiverSilentError),
        ([SILENT, SILENT, GONE], ReceiverSilentError),
        ([GONE, REFUSED], ReceiverRefusedError),
        ([MUTE, REFUSED], ReceiverRefusedError),
        # AirPlay 1 is refused whatever the password; AirPlay 2 refuses the password.
        ([REFUSED, REFUSED, WRONG], PasswordRequiredError),
        # A code would not help: AirPlay 2 asks for none.
        ([PIN, REFUSED], ReceiverRefusedError),
        ([PIN, GONE], PairingRequiredError),
    ],
)
def test_the_most_telling_attempt_is_the_diagnosis(
    steps: list[Step], said: type[RaopError]
) -> None:
    ladder = Ladder(LICENSED, Access())

    climb(ladder, *steps)

    assert type(ladder.error) is said


def test_what_a_receiver_says_about_itself_changes_the_ladder() -> None:
    ladder = Ladder(receiver(None, "features=0x405C4A00,0x1C340"), Access())
    said = receiver(None, f"features={SDK};manufacturer=Denon;srcvers=366.0")

    ladder.inform(said)

    assert ladder.is_informed
    assert ladder.receiver is said
    assert str(ladder.attempt().way) == PLAIN


def test_another_way_is_foreseen_without_a_failure() -> None:
    ladder = Ladder(LICENSED, Access())
    attempt = ladder.attempt()

    assert ladder.has_beside(attempt, Outcome.SILENT)
    assert not ladder.is_begun
    alone = Ladder(receiver("et=0,1"), Access())
    assert not alone.has_beside(alone.attempt(), Outcome.SILENT)


def test_a_way_that_changed_while_it_was_tried_is_not_tried_again() -> None:
    """The receiver had the key, so it got an encrypted stream, and refused that too."""
    ladder = Ladder(receiver(""), Access())
    attempt = ladder.attempt()
    attempt.way = replace(attempt.way, encrypts=True)
    attempt.stage = Stage.SETUP

    assert not ladder.has_beside(attempt, Outcome.SILENT)
    assert not ladder.fail(attempt, ReceiverRefusedError("refused"))


def at(*hosts: str, port: int = 7000) -> Receiver:
    """Return the speaker at other addresses."""
    assert SPEAKER.airplay
    host = hosts[0]
    airplay = replace(SPEAKER.airplay, host=host, addresses=hosts, port=port)
    return replace(SPEAKER, host=host, airplay=airplay)


def test_a_new_place_forgives_what_failed_because_nobody_answered() -> None:
    ladder = Ladder(at("10.0.0.2"), Access())
    first = ladder.attempt().way
    climb(ladder, GONE)
    assert not ladder.has_next

    assert ladder.follow(at("10.0.0.3"))

    assert ladder.attempt().way == first
    assert ladder.addresses == ("10.0.0.3",)
    assert not ladder.is_informed


def test_a_new_place_forgives_no_refusal() -> None:
    ladder = Ladder(LICENSED, Access())
    climb(ladder, REFUSED)
    refused = ladder.attempt().way

    assert ladder.follow(replace(LICENSED, host="10.0.0.9"))

    assert ladder.attempt().way == refused


def test_places_that_alternate_are_new_only_once() -> None:
    ladder = Ladder(at("10.0.0.2", "fd00::2"), Access())
    ladder.inform(ladder.receiver)

    assert not ladder.follow(at("fd00::2", "10.0.0.2"))
    assert ladder.is_informed
    assert not ladder.follow(at("10.0.0.2"))
    assert ladder.addresses == ("10.0.0.2",)
    assert ladder.follow(at("10.0.0.2", port=7001))
    assert not ladder.follow(at("10.0.0.2"))


def test_an_address_that_answers_no_more_makes_room_for_the_others() -> None:
    ladder = Ladder(at("10.0.0.2", "10.0.0.3"), Access())
    attempt = ladder.attempt()
    assert not ladder.leave_address(attempt)
    ladder.inform(ladder.receiver)
    ladder.addresses = ladder.receiver.addresses[1:]
    attempt.stage = Stage.SETUP
    assert not ladder.leave_address(attempt)

    attempt.stage = Stage.CONNECT
    assert ladder.leave_address(attempt)

    assert ladder.addresses == ladder.receiver.addresses
    assert not ladder.leave_address(attempt)


def test_a_chosen_lane_that_is_closed_to_all_asks_for_no_secret() -> None:
    ladder = Ladder(LICENSED, Access(wanted="raop"))

    climb(ladder, PIN)

    assert type(ladder.error) is ReceiverRefusedError


def test_a_chosen_lane_asks_for_a_secret_that_the_receiver_wants() -> None:
    ladder = Ladder(LOCKED, Access(wanted="airplay2"))

    climb(ladder, WRONG)

    assert type(ladder.error) is PasswordRequiredError


def test_a_ladder_without_a_failure_says_so() -> None:
    assert isinstance(Ladder(LICENSED, Access()).error, ReceiverUnreachableError)


def test_an_attempt_begins_with_the_connection() -> None:
    way = Way.parse("raop")
    assert way is not None

    assert Attempt(way).stage is Stage.CONNECT


def test_a_ladder_is_at_its_end_when_its_answers_took_too_long() -> None:
    ladder = Ladder(LICENSED, Access())
    tried = climb(ladder, REFUSED)

    ladder.patience.spend("SETUP", CLIMB_S)

    assert len(tried) == 2
    assert not ladder.has_next
    with pytest.raises(SlowReceiverError, match=r"SETUP 10\.0 s"):
        ladder.attempt()


@pytest.mark.parametrize(
    ("of", "step", "error"),
    [
        (LICENSED, SILENT, ReceiverSilentError),
        (receiver("et=0"), PIN, PairingRequiredError),
    ],
)
def test_what_a_slow_receiver_has_said_already_is_told(
    of: Receiver, step: Step, error: type[RaopError]
) -> None:
    ladder = Ladder(of, Access())
    climb(ladder, step)

    ladder.patience.spend("SETUP", CLIMB_S)

    assert isinstance(ladder.error, error)


@pytest.mark.parametrize(
    ("of", "access", "steps", "logins", "error"),
    [
        # Nothing that is known is asked for: the receiver has become open, or is another.
        (
            SPEAKER,
            Access(has_password=True),
            [WRONG, UNLOCKED],
            ["password", "open"],
            ReceiverUnlockedError,
        ),
        (
            TV,
            Access(has_home_keys=True, has_keys=True),
            [FORGOTTEN, UNLOCKED],
            ["keys", "open"],
            ReceiverUnlockedError,
        ),
        # AirPlay 1 is open, AirPlay 2 demands another password (shairport-sync).
        (
            HALF_OPEN,
            Access(has_password=True),
            [UNLOCKED, WRONG, WRONG],
            ["none", "password", "open"],
            AuthenticationError,
        ),
        # It proves that it knows the password, and then refuses AirPlay 2.
        (
            HALF_OPEN,
            Access(has_password=True),
            [UNLOCKED, REFUSED, REFUSED, REFUSED],
            ["none", "password", "password", "password"],
            ReceiverRefusedError,
        ),
        # Keys for AirPlay 1 are not tried where they lead to silence.
        (
            receiver("et=0,1"),
            Access(has_keys=True),
            [UNLOCKED],
            ["none"],
            ReceiverUnlockedError,
        ),
    ],
)
def test_an_open_receiver_is_named_if_it_is_open_on_all_lanes(
    of: Receiver,
    access: Access,
    steps: list[Step],
    logins: list[str],
    error: type[RaopError],
) -> None:
    ladder = Ladder(of, access)

    assert [each.split()[2] for each in climb(ladder, *steps)] == logins
    assert not ladder.has_next
    assert type(ladder.error) is error


@pytest.mark.parametrize(
    ("access", "login", "is_asked", "is_refused"),
    [
        (Access(), Login.NONE, False, False),
        (Access(has_password=True), Login.NONE, False, True),
        (Access(has_password=True), Login.NONE, True, False),
        (Access(has_password=True), Login.PASSWORD, False, False),
        (Access(has_password=True), Login.OPEN, False, True),
        (Access(has_password=True), Login.OPEN, True, False),
        (Access(has_keys=True), Login.OPEN, False, True),
        (Access(has_keys=True), Login.NONE, False, True),
        (Access(has_keys=True), Login.KEYS, False, False),
        (Access(has_keys=True, has_password=True), Login.NONE, True, False),
    ],
)
def test_a_session_must_use_a_secret_if_one_is_known(
    access: Access, login: Login, *, is_asked: bool, is_refused: bool
) -> None:
    way = Way(lane=LaneKind.RAOP, login=login)
    ladder = Ladder(LICENSED, access)

    if is_refused:
        with pytest.raises(ReceiverUnlockedError):
            ladder.check_secrets(Attempt(way), is_password_asked=is_asked)
    else:
        ladder.check_secrets(Attempt(way), is_password_asked=is_asked)
