"""Showing stored keys, against the published bytes and an independent receiver."""

import pytest

from custom_components.airplay.raop.auth.channel import ChannelKeys
from custom_components.airplay.raop.auth.credentials import parse_credentials
from custom_components.airplay.raop.auth.pair_verify import (
    home_kit_verify,
    legacy_verify,
    verify,
)
from custom_components.airplay.raop.errors import (
    CredentialsRejectedError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    TooManyTriesError,
)
from custom_components.airplay.raop.wire.rtsp import Response
from tests.raop.session.talk import answer, fail, header, talk
from tests.raop.vectors import octets, word
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

from .test_pair_setup import converse

PRIVATE = octets("hap_pair_verify", "client_x25519_priv")
HOME_KIT = parse_credentials(word("credentials", "pyatv_hap"))
LEGACY = parse_credentials(word("credentials", "pyatv_legacy"))
FIRST = answer(body=octets("hap_pair_verify", "m2"))
LAST = answer(body=octets("hap_pair_verify", "m4"))
OFFER = answer(body=octets("legacy_pair_verify", "atv_reply"))


def test_published_home_kit_messages() -> None:
    asked, keys = talk(verify(HOME_KIT, PRIVATE), FIRST, LAST)

    assert [request.uri for request in asked] == ["/pair-verify"] * 2
    assert [header(request, "X-Apple-HKP") for request in asked] == ["3", "3"]
    assert {header(request, "X-Apple-Client-ID") for request in asked} == {
        word("hap_m5", "client_id")
    }
    assert asked[0].body == octets("hap_pair_verify", "m1")
    assert asked[1].body == octets("hap_pair_verify", "m3")
    assert keys == ChannelKeys(
        write=octets("hap_pair_verify", "control_write"),
        read=octets("hap_pair_verify", "control_read"),
    )
    _, secret = talk(home_kit_verify(HOME_KIT, PRIVATE), FIRST, LAST)  # type: ignore[arg-type]
    assert secret == octets("hap_pair_verify", "shared_secret")


def test_published_legacy_messages() -> None:
    asked, keys = talk(verify(LEGACY, PRIVATE), OFFER, answer())

    assert [request.uri for request in asked] == ["/pair-verify"] * 2
    assert asked[0].body == octets("legacy_pair_verify", "req1")
    assert asked[1].body == octets("legacy_pair_verify", "req2")
    assert keys is None


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
def test_receiver_admits_paired_senders(kind: Kind) -> None:
    gate = Gate(kind, "1234")
    known = parse_credentials(gate.acquaint())
    receiver = gate.visit(Quirks())

    keys = converse(verify(known, PRIVATE), receiver)

    assert receiver.may_play
    assert bool(keys) is (kind == "home_kit")


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
def test_receiver_without_our_pairing_is_distinguished_from_one_that_refuses(
    kind: Kind,
) -> None:
    gate = Gate(kind, "1234")
    known = parse_credentials(gate.acquaint())
    gate.senders.clear()

    with pytest.raises(CredentialsRejectedError):
        converse(verify(known, PRIVATE), gate.visit(Quirks()))


def test_receiver_that_was_reset_is_another_one() -> None:
    gate = Gate("home_kit", "1234")
    known = parse_credentials(gate.acquaint())
    gate.reset()

    with pytest.raises(CredentialsRejectedError, match="not the paired"):
        converse(verify(known, PRIVATE), gate.visit(Quirks()))


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(body=bytes.fromhex("060102070102")), CredentialsRejectedError),
        (answer(body=bytes.fromhex("060102070105")), TooManyTriesError),
        (answer(body=bytes.fromhex("060102070101")), ReceiverRefusedError),
        (answer(body=bytes.fromhex("060102")), ReceiverProtocolError),
        (answer(body=bytes.fromhex("060102030101050101")), ReceiverProtocolError),
        (
            answer(body=bytes.fromhex("0601020320" + "00" * 32 + "050101")),
            ReceiverProtocolError,
        ),
        (
            answer(body=octets("hap_pair_verify", "m2")[:-1] + b"\0"),
            ReceiverProtocolError,
        ),
        (answer(470), CredentialsRejectedError),
        (answer(500), ReceiverRefusedError),
    ],
)
def test_refusals_of_home_kit(response: Response, error: type[RaopError]) -> None:
    fail(error, verify(HOME_KIT, PRIVATE), response)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(403), CredentialsRejectedError),
        (answer(470), CredentialsRejectedError),
        (answer(404), ReceiverRefusedError),
        (answer(body=bytes(95)), ReceiverProtocolError),
        (answer(body=bytes(96)), ReceiverProtocolError),
    ],
)
def test_refusals_of_legacy(response: Response, error: type[RaopError]) -> None:
    fail(error, verify(LEGACY, PRIVATE), response)


def test_last_message_is_a_refusal_too() -> None:
    wrong = answer(body=bytes.fromhex("060104070102"))
    fail(CredentialsRejectedError, verify(HOME_KIT, PRIVATE), FIRST, wrong)
    fail(CredentialsRejectedError, legacy_verify(LEGACY, PRIVATE), OFFER, answer(403))  # type: ignore[arg-type]
