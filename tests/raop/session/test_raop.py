"""A session from OPTIONS to TEARDOWN, its receiver played by hand."""

import re

import pytest

from custom_components.airplay.raop.errors import WrongReceiverError
from custom_components.airplay.raop.messages import Tags
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.session.raop import RaopPorts
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.dmap import now_playing
from custom_components.airplay.raop.wire.rtsp import Response, ResponseParser
from tests.raop.vectors import word

from .raop_session import (
    KEY,
    OK,
    SETUP_OK,
    SYNTHETIC,
    TRANSPORT,
    make_session,
    methods,
    opened_session,
    prepare,
    receiver,
)
from .talk import answer, fail, header, talk


def test_opening_sends_requests_in_the_order_of_itunes() -> None:
    asked, ports = talk(prepare(make_session()), OK, OK, SETUP_OK)

    url = "rtsp://192.168.1.10/1234567890"
    assert methods(asked) == ["OPTIONS *", f"ANNOUNCE {url}", f"SETUP {url}"]
    assert ports == RaopPorts(audio=6000, control=6001)
    for request in asked:
        assert header(request, "User-Agent") == "iTunes/11.0.4 (Windows; N)"
        assert header(request, "Client-Instance") == "9FF35780A8BC8D2B"
        assert header(request, "DACP-ID") == "9FF35780A8BC8D2B"
        assert header(request, "Active-Remote") == "4294967"
        assert header(request, "Authorization") is None
        assert header(request, "Session") is None


def test_announce_describes_the_stream_in_182_bytes() -> None:
    asked, _ = talk(prepare(make_session()), OK, OK, SETUP_OK)

    announce = asked[1]
    assert announce.content_type == "application/sdp"
    assert len(announce.body) == 182
    assert b"\r\nc=IN IP4 192.168.1.50\r\n" in announce.body
    assert header(announce, "X-Apple-Client-Name") == "Home Assistant"
    assert header(announce, "Apple-Challenge") is None


def test_setup_offers_our_ports() -> None:
    asked, _ = talk(prepare(make_session()), OK, OK, SETUP_OK)

    assert header(asked[2], "Transport") == (
        "RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;"
        "control_port=6001;timing_port=6002"
    )


def test_an_encrypted_stream_announces_its_key_and_requests_a_proof() -> None:
    asked, _ = talk(
        prepare(make_session(shape=Format(Codec.ALAC, KEY))), OK, OK, SETUP_OK
    )

    assert header(asked[0], "Apple-Challenge") == word(SYNTHETIC, "challenge_b64")
    assert re.search(rb"\r\na=rsaaeskey:[A-Za-z0-9+/]{342}\r\n", asked[1].body)
    iv = word("sdp_iv", "aesiv").encode()
    assert asked[1].body.endswith(b"\r\na=aesiv:" + iv + b"\r\n")


def test_l16_is_announced_without_a_format_line() -> None:
    asked, _ = talk(prepare(make_session(shape=Format(Codec.L16))), OK, OK, SETUP_OK)

    assert b"a=rtpmap:96 L16/44100/2\r\n" in asked[1].body
    assert b"fmtp" not in asked[1].body


def test_addresses_of_ipv6_are_in_brackets_and_lose_their_scope() -> None:
    session = make_session(local="fe80::1%eth0", remote="fe80::2%eth0")

    asked, _ = talk(prepare(session), OK, OK, SETUP_OK)

    assert asked[1].uri == "rtsp://[fe80::1]/1234567890"
    assert b"o=iTunes 1234567890 0 IN IP6 fe80::1\r\n" in asked[1].body
    assert b"c=IN IP6 fe80::2\r\n" in asked[1].body


@pytest.mark.parametrize(
    "name", ["a\r\nCSeq: 9", "a\nb", "a\rb", "a\0b", "a\x1b[2Jb", "\ud800"]
)
def test_no_client_name_breaks_out_of_its_header(name: str) -> None:
    asked, _ = talk(prepare(make_session(client_name=name)), OK, OK, SETUP_OK)

    head = asked[1].encode(2).split(b"\r\n\r\n")[0].decode()
    names = [line.partition(":")[0] for line in head.split("\r\n")[1:]]
    assert names.count("CSeq") == 1
    assert "X-Apple-Client-Name" in names
    assert all(line.isprintable() for line in head.split("\r\n"))


def test_a_name_in_any_script_is_sent_as_it_is() -> None:
    asked, _ = talk(prepare(make_session(client_name="Küche 🎵")), OK, OK, SETUP_OK)

    assert "X-Apple-Client-Name: Küche 🎵\r\n".encode() in asked[1].encode(2)


def test_a_receiver_that_answers_no_challenge_may_be_genuine() -> None:
    session = make_session()

    talk(session.greet(), answer(Public="ANNOUNCE, SETUP,,TEARDOWN "))

    assert session.is_genuine is None


@pytest.mark.parametrize("status", [404, 455, 500, 501, 503, 520])
def test_a_receiver_that_knows_no_options_may_still_play(status: int) -> None:
    _, ports = talk(prepare(make_session()), answer(status), OK, SETUP_OK)

    assert ports.audio == 6000


def test_a_genuine_answer_is_known() -> None:
    session = make_session(shape=Format(Codec.ALAC, KEY))

    talk(session.greet(), answer(Apple_Response=word(SYNTHETIC, "apple_response_b64")))

    assert session.is_genuine is True


@pytest.mark.parametrize(
    "text",
    [
        word(SYNTHETIC, "apple_response_b64").replace("N", "M", 1),
        "AAAA",
        "!!not base64!!",
        "A" * 10_000,
        "é",
    ],
)
def test_a_forged_or_absurd_answer_is_not_genuine_and_does_no_harm(text: str) -> None:
    session = make_session(shape=Format(Codec.ALAC, KEY))

    talk(prepare(session), answer(Apple_Response=text), OK, SETUP_OK)

    assert session.is_genuine is False


def test_an_answer_of_another_receiver_ends_the_session() -> None:
    answered = answer(Apple_Response=word(SYNTHETIC, "apple_response_b64"))
    session = make_session(of=receiver("0011223344FE"))

    fail(WrongReceiverError, session.greet(), answered, match="answers at the address")


def test_an_answer_from_elsewhere_is_not_genuine() -> None:
    answered = answer(Apple_Response=word(SYNTHETIC, "apple_response_b64"))
    from_elsewhere = make_session(remote="192.168.1.51")
    without_id = make_session(of=merge(Service("Kitchen", "192.168.1.50", 5000), None))

    for session in (from_elsewhere, without_id):
        talk(session.greet(), answered)
        assert session.is_genuine is False


def test_an_answer_over_ipv6_is_checked_without_the_scope() -> None:
    session = make_session(remote="fe80::2%eth0")

    talk(session.greet(), answer(Apple_Response=word(SYNTHETIC, "apple_response_b64")))

    assert session.is_genuine is False


@pytest.mark.parametrize("named", ["DEADBEEF", "1", "a b;timeout=60", "é" * 1000])
def test_the_session_is_named_as_the_receiver_called_it(named: str) -> None:
    session = make_session()
    talk(prepare(session), OK, OK, answer(Transport=TRANSPORT, Session=named))

    for steps in (
        session.flush(1, 2),
        session.teardown(),
        session.volume(50, is_muted=False),
    ):
        (asked,), _ = talk(steps, OK)
        assert header(asked, "Session") == named
    (alive,), _ = talk(session.keep_alive(), OK)
    assert header(alive, "Session") is None


def test_no_session_is_named_if_the_receiver_names_none() -> None:
    session = make_session()
    talk(prepare(session), OK, OK, answer(Transport=TRANSPORT))

    (asked,), _ = talk(session.teardown(), OK)

    assert header(asked, "Session") is None


def test_a_session_name_from_the_wire_always_fits_into_a_request() -> None:
    raw = b"RTSP/1.0 200 OK\r\nSession: \xff\xfe\x0b\x85\r\nTransport: "
    (response,) = ResponseParser().feed(raw + TRANSPORT.encode() + b"\r\n\r\n")
    assert isinstance(response, Response)
    session = make_session()
    talk(prepare(session), OK, OK, response)

    (asked,), _ = talk(session.teardown(), OK)

    assert asked.encode(1).count(b"\r\n") == len(asked.headers) + 3


def test_record_and_flush_carry_wrapped_numbers() -> None:
    session = opened_session()

    (record,), latency = talk(
        session.record(0x1_0001, (1 << 32) + 7), answer(Audio_Latency="11025")
    )
    (flush,), _ = talk(session.flush(0x2_FFFF, (5 << 32) - 1), OK)

    assert latency == 11_025
    assert record.method == "RECORD"
    assert header(record, "Range") == "npt=0-"
    assert header(record, "RTP-Info") == "seq=1;rtptime=7"
    assert flush.method == "FLUSH"
    assert header(flush, "RTP-Info") == "seq=65535;rtptime=4294967295"


@pytest.mark.parametrize(
    "latency", ["", "-1", "abc", "1e9", "9" * 9, "9" * 5000, "1.5", "0x10", " ", "²"]
)
def test_a_hostile_latency_counts_as_none(latency: str) -> None:
    _, found = talk(opened_session().record(1, 2), answer(Audio_Latency=latency))

    assert found == 0


def test_a_missing_latency_counts_as_none() -> None:
    _, found = talk(opened_session().record(1, 2), OK)

    assert found == 0


@pytest.mark.parametrize(
    ("percent", "is_muted", "body"),
    [
        (50, False, b"volume: -15.000000\r\n"),
        (100, False, b"volume: 0.000000\r\n"),
        (0, False, b"volume: -144.000000\r\n"),
        (80, True, b"volume: -144.000000\r\n"),
        (1e9, False, b"volume: 0.000000\r\n"),
        (-3, False, b"volume: -144.000000\r\n"),
    ],
)
def test_volume_is_sent_in_decibels(
    percent: float, is_muted: bool, body: bytes
) -> None:
    (asked,), _ = talk(opened_session().volume(percent, is_muted=is_muted), OK)

    assert asked.method == "SET_PARAMETER"
    assert asked.content_type == "text/parameters"
    assert asked.body == body


@pytest.mark.parametrize(
    ("body", "percent"),
    [
        (b"\r\nvolume: -15.000000\r\n", 50.0),
        (b"volume: -144.000000\r\n\r\n", 0.0),
        (b"", None),
        (b"volume: loud\r\n", None),
    ],
)
def test_the_volume_is_read_if_the_receiver_reports_it(
    body: bytes, percent: float | None
) -> None:
    (asked,), found = talk(opened_session().read_volume(), answer(body=body))

    assert (asked.method, asked.body) == ("GET_PARAMETER", b"volume\r\n")
    assert found == percent


def test_metadata_is_bound_to_its_frame() -> None:
    session = opened_session()
    tags = Tags(title="Song", artist="Artist", album="Album", track=3)

    (text,), _ = talk(session.text(tags, 60_000, (1 << 32) + 5), OK)
    (picture,), _ = talk(session.artwork("image/png", b"\x89PNG", (1 << 32) + 5), OK)
    (cleared,), _ = talk(session.artwork("image/none", b"", 6), OK)
    (progress,), _ = talk(session.progress((1 << 32) - 1, 1 << 32, (1 << 32) + 9), OK)

    assert text.content_type == "application/x-dmap-tagged"
    assert text.body == now_playing(
        "Song", "Artist", "Album", track=3, duration_ms=60_000
    )
    assert header(text, "RTP-Info") == header(picture, "RTP-Info") == "rtptime=5"
    assert (picture.content_type, picture.body) == ("image/png", b"\x89PNG")
    assert (cleared.content_type, cleared.body) == ("image/none", b"")
    assert progress.body == b"progress: 4294967295/0/9\r\n"


def test_clearing_a_picture_is_sent_on_the_wire() -> None:
    (cleared,), _ = talk(opened_session().artwork("image/none", b"", 6), OK)

    assert b"\r\nContent-Type: image/none\r\n" in cleared.encode(1)


def test_a_receiver_that_answers_the_challenge_may_get_an_encrypted_stream() -> None:
    session = make_session()
    session.encrypt(Format(key=KEY))

    asked, _ = talk(session.announce(), OK, SETUP_OK)

    assert b"a=rsaaeskey:" in asked[0].body
