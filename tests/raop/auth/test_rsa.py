"""The AirPort's RSA key, against keys that the tests make and known captures."""

import base64
import ipaddress

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa as rsa_keys
from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth import rsa
from tests.raop.vectors import number, octets, word

NAME = "apple_challenge_synthetic"
RESPONSE = word(NAME, "apple_response_b64")
CHALLENGE = octets(NAME, "challenge")
ADDRESS = ipaddress.ip_address(word(NAME, "receiver_ip")).packed
RECEIVER_ID = octets(NAME, "receiver_id")
PRIVATE_KEY = rsa_keys.generate_private_key(65537, 2048)


@pytest.fixture
def own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the AirPort's key with one whose private half is known."""
    public = PRIVATE_KEY.public_key()
    monkeypatch.setattr(rsa, "_public_key", lambda: public)
    monkeypatch.setattr(rsa, "_MODULUS", public.public_numbers().n)


def sign(message: bytes) -> str:
    """Answer as a receiver does: PKCS#1 type 1 padding without a hash's name."""
    numbers = PRIVATE_KEY.private_numbers()
    block = b"\0\1" + b"\xff" * (253 - len(message)) + b"\0" + message
    signed = pow(int.from_bytes(block), numbers.d, numbers.public_numbers.n)
    return base64.b64encode(signed.to_bytes(256)).decode().rstrip("=")


def test_the_key_is_the_airports() -> None:
    numbers = rsa._public_key().public_numbers()

    assert numbers.n == int(word("rsa_public_key", "modulus"), 16)
    assert numbers.e == number("rsa_public_key", "exponent")


def test_base64_has_no_padding() -> None:
    iv = octets("aes_cbc_packet", "iv")

    assert rsa.encode_unpadded(iv) == word("sdp_iv", "aesiv")


@pytest.mark.usefixtures("own_key")
def test_an_encrypted_key_is_read_with_the_private_key() -> None:
    key = bytes(range(16))

    encrypted = base64.b64decode(rsa.encrypt_key(key) + "==")

    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    assert PRIVATE_KEY.decrypt(encrypted, oaep) == key


def test_an_encrypted_key_has_no_padding() -> None:
    assert len(rsa.encrypt_key(bytes(16))) == 342


def test_the_known_answer_is_accepted() -> None:
    assert rsa.is_answer_to(RESPONSE, CHALLENGE, ADDRESS, RECEIVER_ID)


def test_the_known_answer_is_accepted_with_padding() -> None:
    assert rsa.is_answer_to(RESPONSE + "==", CHALLENGE, ADDRESS, RECEIVER_ID)


@pytest.mark.usefixtures("own_key")
def test_an_answer_over_ipv6_has_no_zeros_behind_it() -> None:
    address = bytes(range(16))

    response = sign(CHALLENGE + address + RECEIVER_ID)

    assert rsa.is_answer_to(response, CHALLENGE, address, RECEIVER_ID)


@pytest.mark.usefixtures("own_key")
def test_the_captured_message_of_2004_is_a_valid_answer() -> None:
    block = octets("apple_challenge_2004_dump", "response_plain")

    response = sign(block.partition(b"\xff\0")[2])

    challenge = octets("apple_challenge_2004_dump", "challenge")
    address, receiver_id = bytes((10, 0, 1, 103)), bytes.fromhex("001124004491")
    assert rsa.is_answer_to(response, challenge, address, receiver_id)


@pytest.mark.parametrize(
    ("challenge", "address", "receiver_id"),
    [
        (bytes(16), ADDRESS, RECEIVER_ID),
        (CHALLENGE, bytes(4), RECEIVER_ID),
        (CHALLENGE, ADDRESS, bytes(6)),
        (bytes(1000), ADDRESS, RECEIVER_ID),
    ],
)
def test_an_answer_to_something_else_is_refused(
    challenge: bytes, address: bytes, receiver_id: bytes
) -> None:
    assert not rsa.is_answer_to(RESPONSE, challenge, address, receiver_id)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "A",
        "not base64!",
        "ü" * 342,
        RESPONSE[:-4],
        RESPONSE + "AAAA",
        "A" * 342,
        "/" * 341 + "w",
    ],
)
def test_anything_but_a_signature_is_refused(response: str) -> None:
    assert not rsa.is_answer_to(response, CHALLENGE, ADDRESS, RECEIVER_ID)


@given(st.text() | st.binary().map(rsa.encode_unpadded), st.binary(), st.binary())
def test_checking_an_answer_never_raises(
    response: str, challenge: bytes, receiver_id: bytes
) -> None:
    assert not rsa.is_answer_to(response, challenge, ADDRESS, receiver_id)


def test_an_answer_names_its_receiver_whatever_its_address_is() -> None:
    assert rsa.signed_id(RESPONSE, CHALLENGE) == RECEIVER_ID


@pytest.mark.usefixtures("own_key")
def test_an_answer_over_ipv6_names_its_receiver() -> None:
    response = sign(CHALLENGE + bytes(range(16)) + RECEIVER_ID)

    assert rsa.signed_id(response, CHALLENGE) == RECEIVER_ID


@pytest.mark.usefixtures("own_key")
def test_an_answer_that_is_too_long_or_too_short_names_no_receiver() -> None:
    short = sign(CHALLENGE + bytes(4) + RECEIVER_ID[:5])
    message = CHALLENGE + bytes(17)

    assert rsa.signed_id(short, CHALLENGE) is None
    assert rsa.signed_id(sign(message), CHALLENGE) is None


@pytest.mark.parametrize("response", ["", "A" * 342, "not base64!", RESPONSE[:-4]])
def test_what_is_no_answer_names_no_receiver(response: str) -> None:
    assert rsa.signed_id(response, CHALLENGE) is None
    assert rsa.signed_id(RESPONSE, bytes(16)) is None
