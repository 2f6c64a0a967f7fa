"""The name and the id that a receiver gets, and the request that shows its PIN."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth.pairing_client import (
    PairingClient,
    id_headers,
    safe_name,
    show_pin,
)
from custom_components.airplay.raop.errors import (
    PairingRefusedError,
    RaopError,
    ReceiverRefusedError,
)
from tests.raop.session.talk import answer, fail, header, talk

CLIENT = PairingClient.named("Home", "A1B2")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Zuhause", "Zuhause"),
        ("Ägyptische Straße 5", "Ägyptische Straße 5"),
        ("我的家", "我的家"),
        ("  a\t b ", "a b"),
        ("Home\r\nX-Apple-HKP: 4", "Home X-Apple-HKP: 4"),
        ("\x85Home\u2028\u202e\x00", "Home"),
        ("\ud800Home", "Home"),
        ("", "Home Assistant"),
        ("\r\n", "Home Assistant"),
        ("x" * 100, "x" * 63),
        ("ä" * 40, "ä" * 31),
        ("家" * 30, "家" * 21),
    ],
)
def test_name_fits_into_a_header(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text())
def test_every_name_is_written_as_one_header(name: str) -> None:
    asked, _ = talk(show_pin(PairingClient.named(name, "A1B2")), answer())

    written = asked[0].encode(1)
    assert 0 < len(safe_name(name).encode()) <= 63
    assert written.count(b"\r\n") == len(asked[0].headers) + 3
    assert f"X-Apple-Client-Name: {safe_name(name)}\r\n".encode() in written


def test_request_for_a_pin_names_us() -> None:
    asked, result = talk(show_pin(CLIENT, (("X-Apple-HKP", "3"),)), answer())

    assert result is None
    assert (asked[0].method, asked[0].uri) == ("POST", "/pair-pin-start")
    assert asked[0].body == b""
    assert header(asked[0], "X-Apple-Client-Name") == "Home"
    assert header(asked[0], "X-Apple-Client-ID") == "A1B2"
    assert header(asked[0], "X-Apple-SupportedPINLengths") == "4"
    assert header(asked[0], "X-Apple-HKP") == "3"
    assert (header(asked[0], "User-Agent") or "").startswith("AirPlay/")


@pytest.mark.parametrize("status", [200, 204, 299, 453])
def test_answers_of_receivers_that_show_a_pin(status: int) -> None:
    talk(show_pin(CLIENT), answer(status))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, PairingRefusedError),
        (470, PairingRefusedError),
        (199, ReceiverRefusedError),
        (300, ReceiverRefusedError),
        (404, ReceiverRefusedError),
        (454, ReceiverRefusedError),
        (503, ReceiverRefusedError),
    ],
)
def test_answers_of_receivers_that_show_none(
    status: int, error: type[RaopError]
) -> None:
    steps = show_pin(CLIENT)
    next(steps)

    with pytest.raises(error, match=str(status)) as caught:
        steps.send(answer(status))

    assert type(caught.value) is error
    assert caught.value.status == status


@pytest.mark.parametrize("client_id", [b"", b"\x00\x01", b"a b", b"a\r\n", b"x" * 65])
def test_id_that_is_not_text_is_no_header(client_id: bytes) -> None:
    assert id_headers(client_id) == ()


def test_refusal_of_a_pin_is_an_error() -> None:
    fail(ReceiverRefusedError, show_pin(CLIENT), answer(500), match="pair-pin-start")
