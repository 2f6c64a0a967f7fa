"""Which way into a receiver comes after which."""

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    RaopError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.receiver import Service, merge
from custom_components.airplay.raop.session.approach import Approach, approaches

PLAIN = Approach()
MFI = Approach(uses_auth_setup=True)
KEYS = Approach(verifies=True)
BOTH = Approach(verifies=True, uses_auth_setup=True)


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
def test_ways_follow_from_the_record_and_from_what_went_wrong(
    txt: dict[str, str],
    has_credentials: bool,
    errors: list[RaopError],
    ways: list[Approach],
    told: int,
) -> None:
    receiver = merge(Service("Den", "127.0.0.1", 5000, txt), None)
    steps = approaches(receiver, has_credentials=has_credentials)

    taken = [next(steps)]
    with pytest.raises(StopIteration) as end:  # noqa: PT012
        for error in errors:
            taken.append(steps.send(error))  # noqa: PERF401

    assert taken == ways
    assert end.value.value is errors[told]
