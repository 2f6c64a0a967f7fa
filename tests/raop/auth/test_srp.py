"""Proving a PIN, against published numbers and an independent verifier."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dh
import pytest

from custom_components.airplay.raop.auth import srp
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    ReceiverProtocolError,
)
from tests.raop.vectors import octets, word
from tests.virtual_receiver.pairing.srp import HOME_KIT, LEGACY, Verifier

PRIVATE = int.from_bytes(octets("srp_hap_3939", "a"))
SALT = bytes.fromhex("00112233445566778899aabbccddeeff")
# With PRIVATE, SALT and 3939 these give a B and an S that begin with zero bytes.
ZERO_B = "0080" * 16
ZERO_S = "0029" * 16


def prove_published() -> srp.Proof:
    salt, public = octets("srp_hap_3939", "salt"), octets("srp_hap_3939", "B")
    return srp.prove(word("srp_hap_3939", "pin"), PRIVATE, salt, public)


def test_proof_is_the_published_one() -> None:
    proof = prove_published()

    assert proof.public == octets("srp_hap_3939", "A")
    assert proof.key == octets("srp_hap_3939", "K")
    assert proof.proof == octets("srp_hap_3939", "M1")
    proof.check(octets("srp_hap_3939", "M2"))


def test_proof_of_the_older_kind_is_the_published_one() -> None:
    name = "legacy_pair_setup_pin"
    private = int.from_bytes(octets(name, "a"))

    proof = srp.prove(
        word(name, "pin"),
        private,
        octets(name, "salt"),
        octets(name, "B"),
        group=srp.LEGACY,
        user=word(name, "user"),
    )

    assert proof.public == octets(name, "A")
    assert proof.key == octets(name, "K")
    assert proof.proof == octets(name, "M1")
    proof.check(octets(name, "M2"))
    with pytest.raises(AuthenticationError):
        proof.check(bytes(20))


@pytest.mark.parametrize("private", [bytes((n,)) * 32 for n in range(1, 200, 20)])
def test_both_sides_agree_in_the_older_group(private: bytes) -> None:
    verifier = Verifier(LEGACY, "A1B2", "0427", SALT, private)

    proof = srp.prove(
        "0427", PRIVATE, SALT, verifier.public, group=srp.LEGACY, user="A1B2"
    )

    assert verifier.check(proof.public, proof.proof)
    assert proof.key == verifier.key
    proof.check(verifier.answer)


def test_receiver_that_does_not_know_the_pin_is_found_out() -> None:
    with pytest.raises(AuthenticationError):
        prove_published().check(bytes(64))


@pytest.mark.parametrize("private", [ZERO_B, ZERO_S, "21" * 32])
def test_leading_zeros_disturb_no_proof(private: str) -> None:
    verifier = Verifier(HOME_KIT, "Pair-Setup", "3939", SALT, bytes.fromhex(private))

    proof = srp.prove("3939", PRIVATE, verifier.salt, verifier.public)

    assert verifier.check(proof.public, proof.proof)
    assert proof.key == verifier.key
    proof.check(verifier.answer)
    assert (verifier.public[0] == 0) is (private == ZERO_B)
    assert (verifier.secret < 1 << 383 * 8) is (private == ZERO_S)


def test_a_private_number_that_gives_a_leading_zero_is_not_used() -> None:
    assert srp.is_usable(PRIVATE)
    assert not srp.is_usable(int.from_bytes(bytes.fromhex("00a6" * 16)))


def test_private_numbers_have_256_bits() -> None:
    assert srp.PRIVATE_BYTES * 8 == 256


def test_wrong_pin_is_no_proof() -> None:
    verifier = Verifier(HOME_KIT, "Pair-Setup", "1234", SALT, bytes.fromhex("21" * 32))

    proof = srp.prove("3939", PRIVATE, verifier.salt, verifier.public)

    assert not verifier.check(proof.public, proof.proof)


@pytest.mark.parametrize("public", [b"", bytes(384), b"\xff" * 384, b"\1" + bytes(384)])
def test_invalid_key_is_an_error(public: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        srp.prove("3939", PRIVATE, SALT, public)


@pytest.mark.filterwarnings("ignore:Diffie-Hellman")
@pytest.mark.parametrize(
    "base", [0, 1, 2, 5, srp.HOME_KIT.prime - 1, srp.HOME_KIT.prime // 3]
)
@pytest.mark.parametrize("exponent", [0, 1, 2, (1 << 1280) - 5])
@pytest.mark.parametrize("has_openssl", [True, False])
def test_powers_are_right_by_every_method(
    base: int, exponent: int, has_openssl: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_openssl:

        def gone(*_: object) -> None:
            raise UnsupportedAlgorithm("gone")

        monkeypatch.setattr(dh, "DHParameterNumbers", gone)

    assert srp.HOME_KIT.power(base, exponent) == pow(base, exponent, srp.HOME_KIT.prime)
