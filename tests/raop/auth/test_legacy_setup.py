"""The older pairing by PIN, against published numbers and independent receivers."""

import plistlib

from pyatv.auth.hap_pairing import parse_credentials as parse_by_pyatv
import pytest

from custom_components.airplay.raop.auth import srp
from custom_components.airplay.raop.auth.credentials import (
    LegacyCredentials,
    format_credentials,
)
from custom_components.airplay.raop.auth.legacy_setup import LegacySetup
from custom_components.airplay.raop.auth.pair_verify import verify
from custom_components.airplay.raop.auth.pairing_client import PairingClient
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRefusedError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
)
from custom_components.airplay.raop.wire.rtsp import Response
from tests.raop.session.talk import answer, fail, header, talk
from tests.raop.vectors import octets, word
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.pairing import Gate

from .pyatv_receiver import PyatvLegacy, public_of
from .test_pair_setup import converse, hold

PIN = word("legacy_pair_setup_pin", "pin")
PRIVATE = int.from_bytes(octets("legacy_pair_setup_pin", "a"))
SEED = b"\x11" * 32
SETUP = LegacySetup(PairingClient.named("Home", word("legacy_pair_setup_pin", "user")))


def plist(**items: object) -> Response:
    return answer(body=plistlib.dumps(items, fmt=plistlib.FMT_BINARY))


OFFER = plist(
    pk=octets("legacy_pair_setup_pin", "B"),
    salt=octets("legacy_pair_setup_pin", "salt"),
)
AGREED = plist(proof=octets("legacy_pair_setup_pin", "M2"))


def test_published_messages() -> None:
    asked, kept = talk(
        SETUP.finish(PIN, PRIVATE, SEED), OFFER, AGREED, plist(epk=b"", authTag=b"")
    )

    assert [request.uri for request in asked] == ["/pair-setup-pin"] * 3
    bodies = [plistlib.loads(request.body) for request in asked]
    assert bodies == [
        {"method": "pin", "user": word("legacy_pair_setup_pin", "user")},
        {
            "pk": octets("legacy_pair_setup_pin", "A"),
            "proof": octets("legacy_pair_setup_pin", "M1"),
        },
        {
            "epk": octets("legacy_pair_setup_pin", "epk"),
            "authTag": octets("legacy_pair_setup_pin", "authTag"),
        },
    ]
    assert kept == LegacyCredentials(bytes.fromhex("A1B2C3D4E5F60718"), SEED)


def test_each_request_names_us() -> None:
    shown, _ = talk(SETUP.begin(), answer())
    asked, _ = talk(SETUP.finish(PIN, PRIVATE, SEED), OFFER, AGREED, answer())

    assert shown[0].uri == "/pair-pin-start"
    assert header(shown[0], "X-Apple-SupportedPINLengths") == "4"
    assert header(shown[0], "X-Apple-HKP") is None
    for request in (*shown, *asked):
        assert header(request, "X-Apple-Client-Name") == "Home"
        assert header(request, "X-Apple-Client-ID") == "A1B2C3D4E5F60718"
        assert (header(request, "User-Agent") or "").startswith("AirPlay/")


def test_receiver_keeps_the_key_that_we_verify_by() -> None:
    gate = Gate("legacy", PIN)
    receiver = gate.visit(Quirks())

    converse(SETUP.begin(), receiver)
    kept = converse(SETUP.finish(PIN, PRIVATE, SEED), receiver)

    assert gate.shown == 1
    assert gate.senders == {b"A1B2C3D4E5F60718": public_of(SEED)}
    again = gate.visit(Quirks())
    converse(verify(kept, b"\x33" * 32), again)
    assert again.may_play


@pytest.mark.parametrize("seed", [bytes((number,)) * 32 for number in range(1, 9)])
def test_receiver_of_pyatv_accepts_us(seed: bytes) -> None:
    receiver = PyatvLegacy(PIN)

    hold(SETUP.begin(), receiver.answer)
    kept = hold(SETUP.finish(PIN, PRIVATE, seed), receiver.answer)

    assert receiver.sender == public_of(seed)
    read = parse_by_pyatv(format_credentials(kept))
    assert (read.ltsk, read.client_id.hex()) == (seed, "a1b2c3d4e5f60718")
    assert (read.ltpk, read.atv_id) == (b"", b"")


@pytest.mark.parametrize("pin", ["1235", "", "01234"])
def test_wrong_pin_is_reported(pin: str) -> None:
    gate, judge = Gate("legacy", PIN), PyatvLegacy(PIN)
    receiver = gate.visit(Quirks())

    with pytest.raises(AuthenticationError) as caught:
        converse(SETUP.finish(pin, PRIVATE, SEED), receiver)
    assert type(caught.value) is AuthenticationError
    with pytest.raises(AuthenticationError):
        hold(SETUP.finish(pin, PRIVATE, SEED), judge.answer)
    assert gate.wrong == 1
    assert not gate.senders
    assert judge.sender is None


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([answer(401)], PairingRefusedError),
        ([answer(403)], PairingRefusedError),
        ([answer(199)], ReceiverRefusedError),
        ([answer(300)], ReceiverRefusedError),
        ([answer(470)], PairingRefusedError),
        ([answer(404)], ReceiverRefusedError),
        ([answer(body=b"<html>")], ReceiverProtocolError),
        ([plist(pk=b"\x01")], ReceiverProtocolError),
        ([plist(pk=b"\x01", salt="text")], ReceiverProtocolError),
        ([plist(pk=b"", salt=b"\x01")], ReceiverProtocolError),
        ([plist(pk=bytes(256), salt=b"\x01")], ReceiverProtocolError),
        ([plist(pk=b"\xff" * 300, salt=b"\x01")], ReceiverProtocolError),
        ([OFFER, answer(470)], AuthenticationError),
        ([OFFER, answer(500)], ReceiverRefusedError),
        ([OFFER, plist(other=1)], AuthenticationError),
        ([OFFER, plist(proof=7)], ReceiverProtocolError),
        ([OFFER, plist(proof=bytes(20))], AuthenticationError),
        ([OFFER, AGREED, answer(470)], AuthenticationError),
        ([OFFER, AGREED, answer(503)], ReceiverRefusedError),
    ],
)
def test_refusals(answers: list[Response], error: type[RaopError]) -> None:
    fail(error, SETUP.finish(PIN, PRIVATE, SEED), *answers)


def test_private_number_is_usable_in_this_group_too() -> None:
    assert srp.is_usable(PRIVATE, srp.LEGACY)
