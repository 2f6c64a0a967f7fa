"""The answer of a receiver to GET /info."""

import plistlib

from hypothesis import given, strategies as st
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
from tests.virtual_receiver.airplay2.txt import told

from .talk import answer, fail, header, talk

RECEIVER = merge(Service("Den", "10.0.0.7", 7000), None)
ANNOUNCED = {
    "deviceid": "0A:0B:0C:0D:0E:01",
    "features": "0x4A7FCA00,0x3C354BD0",
    "flags": "0x98404",
    "model": "AudioAccessory5,1",
    "osvers": "27.0",
    "igl": "1",
}
LISTENED = {"am": "AudioAccessory5,1", "et": "0,3,5", "cn": "0,1,2,3"}


def plist(**words: object) -> Response:
    return answer(body=plistlib.dumps(words, fmt=plistlib.FMT_BINARY))


def test_info_of_a_receiver_equals_its_record() -> None:
    said = plist(features=0x58340405C4A00, statusFlags=0x284, model="ShairportSync")

    asked, receiver = talk(ask_info(RECEIVER), said)

    assert (asked[0].method, asked[0].uri) == ("GET", "/info")
    assert receiver.features == 0x58340405C4A00
    assert receiver.takes_airplay2
    assert receiver.needs_pairing
    assert receiver.needs_password
    assert receiver.model == "ShairportSync"
    assert (receiver.id, receiver.name) == (RECEIVER.id, RECEIVER.name)
    assert receiver.pairing_port == 7000


def test_receiver_without_records_is_asked_for_them() -> None:
    said = plist(
        features=0x3C354BD04A7FCA00,
        statusFlags=0x1A0C04,
        model="AudioAccessory5,1",
        sourceVersion="980.77.2",
        txtAirPlay=told(ANNOUNCED),
        txtRAOP=told(LISTENED),
    )

    asked, receiver = talk(ask_info(RECEIVER), said)

    assert plistlib.loads(asked[0].body) == {"qualifier": ["txtAirPlay", "txtRAOP"]}
    assert asked[0].content_type == "application/x-apple-binary-plist"
    assert (header(asked[0], "User-Agent") or "").startswith("AirPlay/")
    assert receiver.airplay
    assert receiver.airplay.txt["osvers"] == "27.0"
    assert receiver.raop
    assert receiver.raop.txt == LISTENED
    assert (receiver.raop.instance, receiver.raop.port) == ("Den", 7000)
    assert receiver.keeps_clock
    # The answer's own word is newer than the record.
    assert receiver.flags == 0x1A0C04


def test_record_alone_is_an_answer() -> None:
    _, receiver = talk(ask_info(RECEIVER), plist(txtAirPlay=told(ANNOUNCED)))

    assert receiver.airplay
    assert receiver.airplay.txt == ANNOUNCED
    assert receiver.raop == RECEIVER.raop


@pytest.mark.parametrize(
    "response",
    [
        answer(400),
        answer(404),
        answer(body=b"nothing"),
        plist(error="no"),
        plist(txtAirPlay=b"\xff"),
        plist(txtAirPlay=told({"features": "0x1"})),
        plist(txtAirPlay="text"),
    ],
)
def test_receiver_that_knows_only_the_plain_request_gets_it(response: Response) -> None:
    asked, receiver = talk(
        ask_info(RECEIVER), response, plist(features=1, statusFlags=4)
    )

    assert [request.body == b"" for request in asked] == [False, True]
    assert {request.uri for request in asked} == {"/info"}
    assert (receiver.features, receiver.flags) == (1, 4)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(199), ReceiverRefusedError),
        (answer(300), ReceiverRefusedError),
        (answer(404), ReceiverRefusedError),
        (answer(body=b"nothing"), ReceiverProtocolError),
        (plist(error="no"), ReceiverProtocolError),
        (plist(features="1", statusFlags=1), ReceiverProtocolError),
    ],
)
def test_other_answers_are_errors(response: Response, error: type[RaopError]) -> None:
    fail(error, ask_info(RECEIVER), response, response)


def test_another_receiver_is_noticed() -> None:
    known = merge(Service("0A0B0C0D0E01@Den", "10.0.0.7", 7000), None)
    facts = {"features": 1, "statusFlags": 4}

    talk(ask_info(known), plist(deviceID="0a:0b:0c:0d:0e:01", **facts))
    talk(ask_info(known), plist(deviceID=7, **facts))
    fail(WrongReceiverError, ask_info(known), plist(deviceID="0A:0B:0C:0D:0E:02"))


def test_fields_missing_from_the_answer_are_kept_from_the_record() -> None:
    record = Service("Den", "10.0.0.7", 7001, {"osvers": "27.0", "FLAGS": "0x4"})
    known = merge(Service("Den", "10.0.0.7", 7000), record)

    asked, receiver = talk(ask_info(known), plist(features=1, statusFlags=0x80))

    assert asked[0].body == b""
    assert (receiver.firmware, receiver.flags) == ("27.0", 0x80)
    assert (receiver.port, receiver.airplay and receiver.airplay.port) == (7000, 7001)


def test_record_made_of_a_plain_answer_is_no_record() -> None:
    """Entries that were added by their address have such ones."""
    _, plain = talk(
        ask_info(RECEIVER), answer(404), plist(features=1, statusFlags=4, model="x")
    )

    asked, receiver = talk(ask_info(plain), plist(txtAirPlay=told(ANNOUNCED)))

    assert asked[0].body
    assert receiver.keeps_clock
    assert receiver.model == "AudioAccessory5,1"


def test_announced_raop_record_is_not_replaced() -> None:
    known = merge(Service("Den", "10.0.0.7", 7000, {"am": "x"}), None)

    _, receiver = talk(
        ask_info(known), plist(txtAirPlay=told(ANNOUNCED), txtRAOP=told(LISTENED))
    )

    assert receiver.raop == known.raop


def test_receiver_of_one_record_gets_no_other() -> None:
    record = Service("Den", "10.0.0.7", 7000)
    known = merge(None, record)

    _, receiver = talk(
        ask_info(known), plist(txtAirPlay=told(ANNOUNCED), txtRAOP=told(LISTENED))
    )

    assert receiver.raop is None


def test_words_that_are_too_long_are_absent() -> None:
    said = plist(features=1, statusFlags=4, model="x" * 256, manufacturer="y" * 255)

    _, receiver = talk(ask_info(RECEIVER), said)

    assert receiver.model is None
    assert receiver.manufacturer == "y" * 255


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_record_breaks_anything(airplay: bytes, raop: bytes) -> None:
    said = plist(features=1, statusFlags=4, txtAirPlay=airplay, txtRAOP=raop)

    _, receiver = talk(ask_info(RECEIVER), said)

    assert (receiver.features, receiver.flags) == (1, 4)
