"""Refusals in answers of a pairing, also those that no receiver sends."""

import pytest

from custom_components.airplay.raop.auth.pairing_messages import read_answer
from custom_components.airplay.raop.errors import (
    ReceiverRefusedError,
    TooManyTriesError,
)
from custom_components.airplay.raop.wire.rtsp import Response
from custom_components.airplay.raop.wire.tlv8 import Tag, encode

BACK_OFF = b"\3"


def refused(items: dict[Tag, bytes]) -> Response:
    return Response(200, "OK", {}, encode({Tag.STATE: b"\2", **items}))


@pytest.mark.parametrize(
    ("delay", "retry_s"),
    [
        (b"", None),
        (b"\0", None),
        (b"\x3c", 60),
        (b"\x3c" + bytes(2000), 60),
        (b"\xff\xff\xff\xff", 24 * 3600),
        (b"\xff" * 2000, None),
    ],
    ids=lambda each: f"{each!r:.12}",
)
def test_a_delay_of_any_length_is_a_delay_that_people_can_wait(
    delay: bytes, retry_s: int | None
) -> None:
    with pytest.raises(TooManyTriesError) as refusal:
        read_answer(refused({Tag.ERROR: BACK_OFF, Tag.RETRY_DELAY: delay}), 2)

    assert refusal.value.retry_s == retry_s


@pytest.mark.parametrize(
    ("code", "named"),
    [(b"", "error 0"), (b"\x09", "9"), (b"\xff" * 3000, "unknown")],
    ids=lambda each: f"{each!r:.12}",
)
def test_an_unknown_refusal_is_named(code: bytes, named: str) -> None:
    with pytest.raises(ReceiverRefusedError, match=named):
        read_answer(refused({Tag.ERROR: code}), 2)
