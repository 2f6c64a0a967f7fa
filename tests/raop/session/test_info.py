"""The answer of a receiver to GET /info."""

import plistlib

import pytest

from custom_components.airplay.raop.errors import (
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    WrongReceiverError,
)
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.info import ask_info
from custom_components.airplay.raop.wire.rtsp import Response

from .talk import answer, fail, talk

RECEIVER = merge(Service("Den", "10.0.0.7", 7000), None)


def plist(**words: object) -> Response:
    return answer(body=plistlib.dumps(words, fmt=plistlib.FMT_BINARY))


def test_info_of_a_receiver_equals_its_record() -> None:
    told = plist(features=0x58340405C4A00, statusFlags=0x284, model="ShairportSync")

    asked, receiver = talk(ask_info(RECEIVER), told)

    assert (asked[0].method, asked[0].uri) == ("GET", "/info")
    assert receiver.features == 0x58340405C4A00
    assert receiver.takes_airplay2
    assert receiver.needs_pairing
    assert receiver.needs_password
    assert receiver.model == "ShairportSync"
    assert (receiver.id, receiver.name) == (RECEIVER.id, RECEIVER.name)
    assert receiver.pairing_port == 7000


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(404), ReceiverRefusedError),
        (answer(body=b"nothing"), ReceiverProtocolError),
        (plist(error="no"), ReceiverProtocolError),
        (plist(features="1", statusFlags=1), ReceiverProtocolError),
    ],
)
def test_other_answers_are_errors(response: Response, error: type[RaopError]) -> None:
    fail(error, ask_info(RECEIVER), response)


def test_another_receiver_is_noticed() -> None:
    known = merge(Service("0A0B0C0D0E01@Den", "10.0.0.7", 7000), None)
    facts = {"features": 1, "statusFlags": 4}

    talk(ask_info(known), plist(deviceID="0a:0b:0c:0d:0e:01", **facts))
    talk(ask_info(known), plist(deviceID=7, **facts))
    fail(WrongReceiverError, ask_info(known), plist(deviceID="0A:0B:0C:0D:0E:02"))


def test_fields_missing_from_the_answer_are_kept_from_the_record() -> None:
    record = Service("Den", "10.0.0.7", 7001, {"osvers": "27.0", "FLAGS": "0x4"})
    known = merge(Service("Den", "10.0.0.7", 7000), record)

    _, receiver = talk(ask_info(known), plist(features=1, statusFlags=0x80))

    assert (receiver.firmware, receiver.flags) == ("27.0", 0x80)
    assert (receiver.port, receiver.airplay and receiver.airplay.port) == (7000, 7001)
