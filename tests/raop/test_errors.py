"""The error tree and the codes that travel between processes."""

from collections.abc import Iterator

import pytest

from custom_components.airplay.raop import errors, messages
from custom_components.airplay.raop.errors import RaopError, error_for


def tree(base: type[RaopError]) -> Iterator[type[RaopError]]:
    yield base
    for child in base.__subclasses__():
        yield from tree(child)


CLASSES = list(tree(RaopError))


@pytest.mark.parametrize("kind", CLASSES)
def test_a_code_maps_to_its_error(kind: type[RaopError]) -> None:
    error = error_for(kind.code, "why")

    assert type(error) is kind
    assert str(error) == "why"


def test_a_status_travels_with_its_code() -> None:
    assert error_for("refused", "no", 453).status == 453
    assert error_for("refused", "no").status is None


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in CLASSES}) == len(CLASSES)


def test_an_unknown_code_is_the_base_error() -> None:
    assert type(error_for("from the future", "why")) is RaopError


def test_errors_of_other_modules_travel_too() -> None:
    assert isinstance(error_for("bad_message", "why"), messages.MessageError)


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (errors.PasswordRequiredError, errors.AuthenticationError),
        (errors.PairingRequiredError, errors.AuthenticationError),
        (errors.MediaNotFoundError, errors.MediaError),
        (errors.MediaForbiddenError, errors.MediaError),
        (errors.MediaUnreachableError, errors.MediaError),
        (errors.MediaNotAudioError, errors.MediaError),
        (errors.MediaEmptyError, errors.MediaError),
    ],
)
def test_callers_may_catch_the_broader_error(
    kind: type[RaopError], base: type[RaopError]
) -> None:
    with pytest.raises(base):
        raise error_for(kind.code, "why")
