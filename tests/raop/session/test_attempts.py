"""The order of attempts to log in to a receiver."""

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
    TooManyTriesError,
)
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.attempts import (
    AirPlay2Attempt,
    RaopAttempt,
    airplay2_attempts,
    raop_attempts,
)

PLAIN = RaopAttempt()
MFI = RaopAttempt(uses_auth_setup=True)
KEYS = RaopAttempt(verifies=True)
BOTH = RaopAttempt(verifies=True, uses_auth_setup=True)


@pytest.mark.parametrize(
    ("txt", "has_credentials", "errors", "ways", "told"),
    [
        ({}, False, [ReceiverRefusedError("")], [PLAIN], 0),
        ({"et": "0,4"}, False, [ReceiverRefusedError("")] * 2, [MFI, PLAIN], 1),
        ({"et": "0,4"}, False, [AuthenticationError("")], [MFI], 0),
        ({"sf": "0x204"}, False, [PairingRequiredError("")], [PLAIN], 0),
        ({"sf": "0x204"}, True, [CredentialsRejectedError("")], [KEYS], 0),
        (
            {"sf": "0x204"},
            True,
            [ReceiverUnreachableError(""), ReceiverRefusedError("")],
            [KEYS, PLAIN],
            1,
        ),
        (
            {"sf": "0x204"},
            True,
            [ReceiverRefusedError(""), PairingRequiredError("")],
            [KEYS, PLAIN],
            0,
        ),
        ({}, True, [PairingRequiredError("")] * 2, [PLAIN, KEYS], 1),
        ({}, True, [ReceiverRefusedError("")], [PLAIN], 0),
        (
            {"sf": "0x204", "et": "4"},
            True,
            [ReceiverRefusedError("") for _ in range(3)],
            [BOTH, KEYS, PLAIN],
            2,
        ),
    ],
)
def test_attempts_follow_from_the_record_and_the_failures(
    txt: dict[str, str],
    has_credentials: bool,
    errors: list[RaopError],
    ways: list[RaopAttempt],
    told: int,
) -> None:
    receiver = merge(Service("Den", "127.0.0.1", 5000, txt), None)
    steps = raop_attempts(receiver, has_credentials=has_credentials)

    taken = [next(steps)]
    with pytest.raises(StopIteration) as end:  # noqa: PT012
        for error in errors:
            taken.append(steps.send(error))  # noqa: PERF401

    assert taken == ways
    assert end.value.value is errors[told]


WRONG = AuthenticationError("wrong")
FORGOTTEN = CredentialsRejectedError("forgotten")
PIN = PairingRequiredError("PIN")
STORED, OPEN, SECRET = (
    AirPlay2Attempt(),
    AirPlay2Attempt("3939"),
    AirPlay2Attempt("secret"),
)


@pytest.mark.parametrize(
    ("flags", "has_credentials", "password", "errors", "ways", "told"),
    [
        ("0x4", False, None, [WRONG], [OPEN], PasswordRequiredError),
        ("0x4", False, None, [PIN], [OPEN], PairingRequiredError),
        ("0x4", False, None, [ReceiverRefusedError("")], [OPEN], ReceiverRefusedError),
        ("0x84", False, "secret", [WRONG] * 2, [SECRET, OPEN], AuthenticationError),
        (
            "0x84",
            False,
            "secret",
            [WRONG, PasswordRequiredError("")],
            [SECRET, OPEN],
            PasswordRequiredError,
        ),
        ("0x84", False, "secret", [TooManyTriesError("")], [SECRET], TooManyTriesError),
        ("0x4", True, None, [PIN, FORGOTTEN], [OPEN, STORED], PairingRequiredError),
        ("0x204", False, None, [WRONG], [OPEN], PairingRequiredError),
        (
            "0x204",
            True,
            None,
            [FORGOTTEN, WRONG],
            [STORED, OPEN],
            CredentialsRejectedError,
        ),
        (
            "0x204",
            True,
            None,
            [ReceiverUnreachableError("mute"), ReceiverRefusedError("")],
            [STORED, OPEN],
            ReceiverRefusedError,
        ),
        ("0x204", True, None, [TooManyTriesError("")], [STORED], TooManyTriesError),
    ],
)
def test_airplay2_attempts_follow_from_the_secrets_and_the_failures(
    flags: str,
    has_credentials: bool,
    password: str | None,
    errors: list[RaopError],
    ways: list[AirPlay2Attempt],
    told: type[RaopError],
) -> None:
    receiver = merge(None, Service("Den", "10.0.0.7", 7000, {"flags": flags}))
    steps = airplay2_attempts(
        receiver, has_credentials=has_credentials, password=password
    )

    tried = [next(steps), *map(steps.send, errors[:-1])]
    with pytest.raises(StopIteration) as end:
        steps.send(errors[-1])

    assert tried == ways
    assert type(end.value.value) is told


def test_a_secret_is_not_logged() -> None:
    assert "secret" not in repr(SECRET)
