"""A session from OPTIONS to TEARDOWN, its receiver played by hand."""

from collections.abc import Callable
import re

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    UnsupportedReceiverError,
)
from custom_components.airplay.raop.messages import Tags
from custom_components.airplay.raop.receiver import Codec, Receiver, Service, merge
from custom_components.airplay.raop.session.backlog import AudioKey, Format
from custom_components.airplay.raop.session.handshake import Handshake
from custom_components.airplay.raop.session.raop import Ports, RaopSession, Terms
from custom_components.airplay.raop.wire.dmap import now_playing
from custom_components.airplay.raop.wire.rtsp import Request, ResponseParser

from ..vectors import octets, word
from .talk import answer, fail, header, talk

OK = answer()
TRANSPORT = "RTP/AVP/UDP;unicast;mode=record;control_port=6001;server_port=6000"
SETUP_OK = answer(Transport=TRANSPORT, Session="DEADBEEF")
NONCE = word("digest_announce_lower_itunes", "nonce")
LOWER = word("digest_announce_lower_itunes", "response")
UPPER = word("digest_announce_upper_itunes", "response")
EMPTY_USER = word("digest_announce_lower_empty_user", "response")
WANTED = answer(401, WWW_Authenticate=f'Digest realm="raop", nonce="{NONCE}"')
KEY = AudioKey(octets("aes_cbc_packet", "key"), octets("aes_cbc_packet", "iv"))
PLAIN = Format()
SYNTHETIC = "apple_challenge_synthetic"


def receiver(receiver_id: str = "0011223344FF") -> Receiver:
    return merge(Service(f"{receiver_id}@Kitchen", "192.168.1.50", 5000), None)


def session(
    *,
    password: str | None = None,
    shape: Format = PLAIN,
    uses_auth_setup: bool = False,
    local: str = "192.168.1.10",
    remote: str = "192.168.1.50",
    client_name: str = "Home Assistant",
    of: Receiver | None = None,
) -> RaopSession:
    return RaopSession(
        Terms(
            receiver=of or receiver(),
            local=local,
            remote=remote,
            session_id=1234567890,
            dacp_id="9FF35780A8BC8D2B",
            active_remote=4294967,
            client_name=client_name,
            shape=shape,
            control_port=6001,
            timing_port=6002,
            challenge=octets(SYNTHETIC, "challenge"),
            password=password,
            uses_auth_setup=uses_auth_setup,
        )
    )


def opened(**terms: str) -> RaopSession:
    """Return a session whose SETUP is done."""
    it = session(local=terms.get("local", "192.168.1.10"))
    talk(it.open(), OK, OK, SETUP_OK)
    return it


def methods(asked: list[Request]) -> list[str]:
    return [f"{request.method} {request.uri}" for request in asked]


def test_opening_asks_in_the_order_of_itunes() -> None:
    asked, ports = talk(session().open(), OK, OK, SETUP_OK)

    url = "rtsp://192.168.1.10/1234567890"
    assert methods(asked) == ["OPTIONS *", f"ANNOUNCE {url}", f"SETUP {url}"]
    assert ports == Ports(audio=6000, control=6001)
    for request in asked:
        assert header(request, "User-Agent") == "iTunes/11.0.4 (Windows; N)"
        assert header(request, "Client-Instance") == "9FF35780A8BC8D2B"
        assert header(request, "DACP-ID") == "9FF35780A8BC8D2B"
        assert header(request, "Active-Remote") == "4294967"
        assert header(request, "Authorization") is None
        assert header(request, "Session") is None


def test_announce_describes_the_stream_in_182_bytes() -> None:
    asked, _ = talk(session().open(), OK, OK, SETUP_OK)

    announce = asked[1]
    assert announce.content_type == "application/sdp"
    assert len(announce.body) == 182
    assert b"\r\nc=IN IP4 192.168.1.50\r\n" in announce.body
    assert header(announce, "X-Apple-Client-Name") == "Home Assistant"
    assert header(announce, "Apple-Challenge") is None


def test_setup_offers_our_ports() -> None:
    asked, _ = talk(session().open(), OK, OK, SETUP_OK)

    assert header(asked[2], "Transport") == (
        "RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;"
        "control_port=6001;timing_port=6002"
    )


def test_an_encrypted_stream_says_its_key_and_asks_for_a_proof() -> None:
    asked, _ = talk(session(shape=Format(Codec.ALAC, KEY)).open(), OK, OK, SETUP_OK)

    assert header(asked[0], "Apple-Challenge") == word(SYNTHETIC, "challenge_b64")
    assert re.search(rb"\r\na=rsaaeskey:[A-Za-z0-9+/]{342}\r\n", asked[1].body)
    iv = word("sdp_iv", "aesiv").encode()
    assert asked[1].body.endswith(b"\r\na=aesiv:" + iv + b"\r\n")


def test_l16_is_announced_without_a_format_line() -> None:
    asked, _ = talk(session(shape=Format(Codec.L16)).open(), OK, OK, SETUP_OK)

    assert b"a=rtpmap:96 L16/44100/2\r\n" in asked[1].body
    assert b"fmtp" not in asked[1].body


def test_addresses_of_ipv6_are_in_brackets_and_lose_their_scope() -> None:
    it = session(local="fe80::1%eth0", remote="fe80::2%eth0")

    asked, _ = talk(it.open(), OK, OK, SETUP_OK)

    assert asked[1].uri == "rtsp://[fe80::1]/1234567890"
    assert b"o=iTunes 1234567890 0 IN IP6 fe80::1\r\n" in asked[1].body
    assert b"c=IN IP6 fe80::2\r\n" in asked[1].body


@pytest.mark.parametrize(
    "name", ["a\r\nCSeq: 9", "a\nb", "a\rb", "a\0b", "a\x1b[2Jb", "\ud800"]
)
def test_no_client_name_breaks_out_of_its_header(name: str) -> None:
    asked, _ = talk(session(client_name=name).open(), OK, OK, SETUP_OK)

    head = asked[1].encode(2).split(b"\r\n\r\n")[0].decode()
    names = [line.partition(":")[0] for line in head.split("\r\n")[1:]]
    assert names.count("CSeq") == 1
    assert "X-Apple-Client-Name" in names
    assert all(line.isprintable() for line in head.split("\r\n"))


def test_a_name_in_any_script_is_sent_as_it_is() -> None:
    asked, _ = talk(session(client_name="Küche 🎵").open(), OK, OK, SETUP_OK)

    assert "X-Apple-Client-Name: Küche 🎵\r\n".encode() in asked[1].encode(2)


# What a receiver says of itself


def test_greeting_reads_methods_and_server() -> None:
    it = session()

    _, public = talk(
        it.greet(), answer(Public="ANNOUNCE, SETUP,,TEARDOWN ", Server="AirTunes/105.1")
    )

    assert public == ("ANNOUNCE", "SETUP", "TEARDOWN")
    assert it.server == "AirTunes/105.1"
    assert it.is_genuine is None


@pytest.mark.parametrize("status", [404, 455, 500, 501, 503, 520])
def test_a_receiver_that_knows_no_options_may_still_play(status: int) -> None:
    _, ports = talk(session().open(), answer(status), OK, SETUP_OK)

    assert ports.audio == 6000


def test_a_genuine_answer_is_known() -> None:
    it = session(shape=Format(Codec.ALAC, KEY))

    talk(it.greet(), answer(Apple_Response=word(SYNTHETIC, "apple_response_b64")))

    assert it.is_genuine is True


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
    it = session(shape=Format(Codec.ALAC, KEY))

    talk(it.open(), answer(Apple_Response=text), OK, SETUP_OK)

    assert it.is_genuine is False


def test_an_answer_of_another_receiver_is_not_genuine() -> None:
    answered = answer(Apple_Response=word(SYNTHETIC, "apple_response_b64"))
    of_another = session(of=receiver("0011223344FE"))
    from_elsewhere = session(remote="192.168.1.51")
    without_id = session(of=merge(Service("Kitchen", "192.168.1.50", 5000), None))

    for it in (of_another, from_elsewhere, without_id):
        talk(it.greet(), answered)
        assert it.is_genuine is False


def test_an_answer_over_ipv6_is_checked_without_the_scope() -> None:
    it = session(remote="fe80::2%eth0")

    talk(it.greet(), answer(Apple_Response=word(SYNTHETIC, "apple_response_b64")))

    assert it.is_genuine is False


# Refusals

STATUSES: list[tuple[int, type[RaopError]]] = [
    (300, ReceiverRefusedError),
    (400, ReceiverRefusedError),
    (403, PairingRequiredError),
    (404, ReceiverRefusedError),
    (406, UnsupportedReceiverError),
    (415, UnsupportedReceiverError),
    (451, ReceiverRefusedError),
    (453, ReceiverBusyError),
    (455, ReceiverRefusedError),
    (456, ReceiverRefusedError),
    (470, PairingRequiredError),
    (500, ReceiverRefusedError),
    (501, ReceiverRefusedError),
    (503, ReceiverBusyError),
    (520, ReceiverRefusedError),
    (999, ReceiverRefusedError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_setup_is_refused_with_what_the_receiver_wants(
    status: int, kind: type[RaopError]
) -> None:
    fail(kind, session().open(), OK, OK, answer(status))


@pytest.mark.parametrize(
    ("status", "kind"), [pair for pair in STATUSES if pair[0] != 403]
)
def test_announce_is_refused_with_what_the_receiver_wants(
    status: int, kind: type[RaopError]
) -> None:
    fail(kind, session().open(), OK, answer(status))


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize(
    "step",
    [
        lambda it: it.record(1, 2),
        lambda it: it.flush(1, 2),
        lambda it: it.volume(50, is_muted=False),
        lambda it: it.text(Tags(title="Song"), None, 0),
        lambda it: it.artwork("image/png", b"\x89PNG", 0),
        lambda it: it.progress(0, 0, 1),
    ],
    ids=["record", "flush", "volume", "text", "artwork", "progress"],
)
def test_every_later_request_may_be_refused(
    step: Callable[[RaopSession], Handshake[object]],
    status: int,
    kind: type[RaopError],
) -> None:
    fail(kind, step(opened()), answer(status))


@pytest.mark.parametrize("status", [403, 470])
def test_options_refused_means_a_pin(status: int) -> None:
    fail(PairingRequiredError, session().greet(), answer(status))


def test_the_refusal_names_the_step_and_the_status() -> None:
    fail(
        ReceiverRefusedError,
        session().open(),
        OK,
        answer(500),
        match="ANNOUNCE: the receiver answered 500",
    )


@pytest.mark.parametrize("status", [200, 404, 501])
def test_nobody_minds_how_keep_alive_and_teardown_are_answered(status: int) -> None:
    it = opened()

    alive, _ = talk(it.keep_alive(), answer(status))
    ended, _ = talk(it.teardown(), answer(status))

    assert methods(alive) == ["OPTIONS *"]
    assert methods(ended) == ["TEARDOWN rtsp://192.168.1.10/1234567890"]


def test_a_setup_without_transport_is_a_polite_busy() -> None:
    fail(ReceiverBusyError, session().open(), OK, OK, OK)


@pytest.mark.parametrize(
    "transport",
    [
        "",
        "RTP/AVP/UDP;unicast;mode=record",
        "RTP/AVP/UDP;server_port=6000",
        "RTP/AVP/UDP;control_port=6001",
        "RTP/AVP/UDP;server_port=0;control_port=6001",
        "RTP/AVP/UDP;server_port=6000;control_port=0",
        "RTP/AVP/UDP;server_port=65536;control_port=6001",
        "RTP/AVP/UDP;server_port=-1;control_port=6001",
        "RTP/AVP/UDP;server_port=6000 ;control_port=٦٠٠١",
        "RTP/AVP/UDP;server_port=1e3;control_port=6001",
        ";;;=;==",
        "server_port=" + "9" * 5000,
    ],
)
def test_a_hostile_transport_is_a_breach_of_the_protocol(transport: str) -> None:
    fail(ReceiverProtocolError, session().open(), OK, OK, answer(Transport=transport))


@pytest.mark.parametrize(
    "transport",
    [
        "server_port=6000;control_port=6001;timing_port=0;RTP/AVP/UDP",
        " rtp/avp/udp ; SERVER_PORT = 6000 ; Control_Port=6001 ; timing_port=x",
    ],
)
def test_fields_of_the_transport_come_in_any_order_and_case(transport: str) -> None:
    _, ports = talk(session().open(), OK, OK, answer(Transport=transport))

    assert ports == Ports(6000, 6001)


# auth-setup


def test_auth_setup_comes_before_announce_where_it_is_wanted() -> None:
    asked, _ = talk(session(uses_auth_setup=True).open(), OK, OK, OK, SETUP_OK)

    assert [request.method for request in asked] == [
        "OPTIONS",
        "POST",
        "ANNOUNCE",
        "SETUP",
    ]
    assert asked[1].uri == "/auth-setup"
    assert len(asked[1].body) == 33
    assert asked[1].content_type == "application/octet-stream"


@pytest.mark.parametrize("status", [400, 404, 500, 501])
def test_nobody_minds_how_auth_setup_is_answered(status: int) -> None:
    talk(session(uses_auth_setup=True).open(), OK, answer(status), OK, SETUP_OK)


def test_a_receiver_that_wants_auth_setup_after_all_gets_it() -> None:
    asked, ports = talk(session().open(), OK, answer(403), OK, OK, SETUP_OK)

    assert [request.method for request in asked] == [
        "OPTIONS",
        "ANNOUNCE",
        "POST",
        "ANNOUNCE",
        "SETUP",
    ]
    assert asked[1].body == asked[3].body
    assert ports.audio == 6000


def test_announce_refused_in_spite_of_auth_setup_means_a_pin() -> None:
    fail(PairingRequiredError, session().open(), OK, answer(403), OK, answer(403))
    fail(
        PairingRequiredError,
        session(uses_auth_setup=True).open(),
        OK,
        OK,
        answer(403),
    )


# Passwords


def proof(request: Request) -> str | None:
    text = header(request, "Authorization") or ""
    found = re.search(r'response="([0-9A-Fa-f]{32})"', text)
    return found[1] if found else None


def test_a_password_that_is_asked_for_and_not_known() -> None:
    fail(PasswordRequiredError, session().open(), WANTED)
    fail(PasswordRequiredError, session(password="").open(), OK, WANTED)
    fail(PasswordRequiredError, session().open(), OK, OK, WANTED)


def test_announce_is_proved_with_the_known_digest() -> None:
    asked, _ = talk(session(password="secret").open(), OK, WANTED, OK, SETUP_OK)

    assert [request.method for request in asked] == [
        "OPTIONS",
        "ANNOUNCE",
        "ANNOUNCE",
        "SETUP",
    ]
    assert [proof(request) for request in asked[:3]] == [None, None, LOWER]
    assert asked[1].body == asked[2].body


def test_each_request_after_a_challenge_has_its_own_proof() -> None:
    it = session(password="secret")
    asked, _ = talk(it.open(), WANTED, OK, OK, SETUP_OK)

    more, _ = talk(it.record(1, 2), answer())
    more += talk(it.flush(1, 2), answer())[0]
    more += talk(it.keep_alive(), answer())[0]
    more += talk(it.teardown(), answer())[0]

    proofs = [proof(request) for request in asked + more]
    assert proofs[0] is None
    assert None not in proofs[1:]
    # The two OPTIONS are alike; all others are told apart by method.
    assert len(set(proofs[1:])) == len(proofs[1:]) - 1


def test_every_form_of_digest_has_its_turn() -> None:
    asked = fail(
        AuthenticationError,
        session(password="secret").open(),
        OK,
        *[WANTED] * 5,
        match="refused the password",
    )

    proofs = [proof(request) for request in asked if request.method == "ANNOUNCE"]
    assert proofs == [None, LOWER, LOWER, UPPER, EMPTY_USER]


def test_the_last_form_of_digest_may_be_the_right_one() -> None:
    asked, _ = talk(session(password="secret").open(), OK, *[WANTED] * 4, OK, SETUP_OK)

    assert [proof(request) for request in asked[-2:-1]] == [EMPTY_USER]


def test_the_form_that_worked_comes_first_from_then_on() -> None:
    it = session(password="secret")
    asked, _ = talk(it.open(), OK, *[WANTED] * 3, OK, SETUP_OK)
    assert proof(asked[4]) == UPPER

    more, _ = talk(it.teardown(), OK)

    assert (proof(more[0]) or "").isupper()
    assert 'username="iTunes"' in (header(more[0], "Authorization") or "")


def test_a_nonce_that_grew_stale_is_replaced_in_mid_session() -> None:
    it = session(password="secret")
    talk(it.open(), OK, *[WANTED] * 3, OK, SETUP_OK)
    stale = answer(
        401, WWW_Authenticate='Digest realm="raop", nonce="fresh", stale=true'
    )

    asked, _ = talk(it.record(1, 2), stale, answer(Audio_Latency="11025"))

    first, second = (header(request, "Authorization") or "" for request in asked)
    assert f'nonce="{NONCE}"' in first
    assert 'nonce="fresh"' in second
    assert (proof(asked[1]) or "").isupper()


def test_a_receiver_that_wants_something_else_than_a_digest_is_not_understood() -> None:
    for challenge in (
        answer(401),
        answer(401, WWW_Authenticate='Basic realm="raop"'),
        answer(401, WWW_Authenticate='Digest realm="raop"'),
    ):
        fail(ReceiverProtocolError, session(password="secret").greet(), challenge)


# A session that stands


@pytest.mark.parametrize("named", ["DEADBEEF", "1", "a b;timeout=60", "é" * 1000])
def test_the_session_is_named_as_the_receiver_called_it(named: str) -> None:
    it = session()
    talk(it.open(), OK, OK, answer(Transport=TRANSPORT, Session=named))

    for steps in (it.flush(1, 2), it.teardown(), it.volume(50, is_muted=False)):
        (asked,), _ = talk(steps, OK)
        assert header(asked, "Session") == named
    (alive,), _ = talk(it.keep_alive(), OK)
    assert header(alive, "Session") is None


def test_no_session_is_named_where_the_receiver_names_none() -> None:
    it = session()
    talk(it.open(), OK, OK, answer(Transport=TRANSPORT))

    (asked,), _ = talk(it.teardown(), OK)

    assert header(asked, "Session") is None


def test_a_session_name_from_the_wire_always_fits_into_a_request() -> None:
    raw = b"RTSP/1.0 200 OK\r\nSession: \xff\xfe\x0b\x85\r\nTransport: "
    (response,) = ResponseParser().feed(raw + TRANSPORT.encode() + b"\r\n\r\n")
    it = session()
    talk(it.open(), OK, OK, response)

    (asked,), _ = talk(it.teardown(), OK)

    assert asked.encode(1).count(b"\r\n") == len(asked.headers) + 3


def test_record_and_flush_say_where_they_are_with_wrapped_numbers() -> None:
    it = opened()

    (record,), latency = talk(
        it.record(0x1_0001, (1 << 32) + 7), answer(Audio_Latency="11025")
    )
    (flush,), _ = talk(it.flush(0x2_FFFF, (5 << 32) - 1), OK)

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
    _, found = talk(opened().record(1, 2), answer(Audio_Latency=latency))

    assert found == 0


def test_a_latency_that_is_not_said_counts_as_none() -> None:
    _, found = talk(opened().record(1, 2), OK)

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
    (asked,), _ = talk(opened().volume(percent, is_muted=is_muted), OK)

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
def test_the_level_is_read_where_the_receiver_tells_it(
    body: bytes, percent: float | None
) -> None:
    (asked,), found = talk(opened().read_volume(), answer(body=body))

    assert (asked.method, asked.body) == ("GET_PARAMETER", b"volume\r\n")
    assert found == percent


def test_metadata_is_bound_to_its_frame() -> None:
    it = opened()
    tags = Tags(title="Song", artist="Artist", album="Album", track=3)

    (text,), _ = talk(it.text(tags, 60_000, (1 << 32) + 5), OK)
    (picture,), _ = talk(it.artwork("image/png", b"\x89PNG", (1 << 32) + 5), OK)
    (cleared,), _ = talk(it.artwork("image/none", b"", 6), OK)
    (progress,), _ = talk(it.progress((1 << 32) - 1, 1 << 32, (1 << 32) + 9), OK)

    assert text.content_type == "application/x-dmap-tagged"
    assert text.body == now_playing(
        "Song", "Artist", "Album", track=3, duration_ms=60_000
    )
    assert header(text, "RTP-Info") == header(picture, "RTP-Info") == "rtptime=5"
    assert (picture.content_type, picture.body) == ("image/png", b"\x89PNG")
    assert (cleared.content_type, cleared.body) == ("image/none", b"")
    assert progress.body == b"progress: 4294967295/0/9\r\n"


def test_clearing_a_picture_says_so_on_the_wire() -> None:
    (cleared,), _ = talk(opened().artwork("image/none", b"", 6), OK)

    assert b"\r\nContent-Type: image/none\r\n" in cleared.encode(1)


def test_a_password_shows_in_no_printed_terms() -> None:
    it = session(password="sesame")

    assert "sesame" not in repr(it._terms)
