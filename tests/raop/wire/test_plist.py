"""Property lists from the network."""

import plistlib

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.plist import build_plist, parse_plist, signed
from tests.raop.vectors import number, word


def test_dictionary_is_read() -> None:
    body = plistlib.dumps({"features": 1 << 48, "pk": b"\1"}, fmt=plistlib.FMT_BINARY)

    assert parse_plist(body) == {"features": 1 << 48, "pk": b"\1"}


def test_written_values_read_back() -> None:
    said: dict[str, object] = {"rate": 1, "streams": [{"shk": b"\1"}], "is": True}

    assert parse_plist(build_plist(said)) == said
    assert plistlib.loads(build_plist(("10.0.0.1", "10.0.0.2"))) == [
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_numbers_of_64_bits_have_a_sign() -> None:
    clock = int(word("plist_signed_clock", "clock"), 16)

    assert signed(clock) == number("plist_signed_clock", "signed")
    assert signed(5) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"bplist00",
        plistlib.dumps({"is": "XML"}),
        plistlib.dumps(["a list"], fmt=plistlib.FMT_BINARY),
    ],
)
def test_invalid_input_is_an_error(body: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        parse_plist(body)


@given(st.binary(max_size=300), st.integers(0, 60), st.integers(0, 255))
def test_any_bytes_are_a_dictionary_or_an_error(
    noise: bytes, at: int, byte: int
) -> None:
    whole = plistlib.dumps(
        {"features": 1, "list": [{"a": b"b"}], "text": "x"}, fmt=plistlib.FMT_BINARY
    )
    at %= len(whole)
    for body in (b"bplist00" + noise, whole[:at] + bytes((byte,)) + whole[at + 1 :]):
        try:
            parse_plist(body)
        except ReceiverProtocolError:
            continue
