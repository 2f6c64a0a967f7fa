"""An AirPlay 2 session from SETUP to TEARDOWN, its receiver played by hand."""

import plistlib
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
)
from custom_components.airplay.raop.messages import Tags
from custom_components.airplay.raop.session.airplay2 import (
    BUFFERED,
    REALTIME,
    AirPlay2Session,
    AirPlay2Terms,
    Anchor,
    OpenedSession,
    SessionClock,
    StreamPorts,
    StreamSetup,
)
from custom_components.airplay.raop.session.control import Caller
from custom_components.airplay.raop.wire.rtsp import Request, Response
from tests.raop.vectors import number, word

from .talk import answer, fail, header, talk

OK = answer()
URL = "rtsp://192.168.1.10/1234567890"
CLOCK = int(word("plist_signed_clock", "clock"), 16)
SIGNED = number("plist_signed_clock", "signed")
KEY = bytes(range(32))
NONCE = word("digest_announce_lower_itunes", "nonce")
WANTED = answer(401, WWW_Authenticate=f'Digest realm="raop", nonce="{NONCE}"')
BY_PTP = SessionClock(id=CLOCK)


def session(
    clock: SessionClock = BY_PTP,
    *,
    password: str | None = None,
    local: str = "192.168.1.10",
) -> AirPlay2Session:
    return AirPlay2Session(
        AirPlay2Terms(
            caller=Caller(
                local=local,
                session_id=1234567890,
                dacp_id="A1B2C3D4E5F60718",
                active_remote=42,
                password=password,
            ),
            client_name="Home Assistant",
            clock=clock,
            session_uuid="SESSION",
            group_uuid="GROUP",
            peer_uuid="PEER",
        )
    )


def plist(**words: object) -> Response:
    return answer(body=plistlib.dumps(words, fmt=plistlib.FMT_BINARY))


def body(request: Request) -> dict[str, Any]:
    assert request.content_type == "application/x-apple-binary-plist"
    found: dict[str, Any] = plistlib.loads(request.body)
    return found


def stream(kind: int, control_port: int | None = 6001) -> StreamSetup:
    return StreamSetup(kind=kind, key=KEY, control_port=control_port, connection_id=7)


def test_a_session_names_our_clock_and_learns_ports_and_addresses() -> None:
    said = plist(
        eventPort=50_000,
        timingPort=0,
        timingPeerInfo={"Addresses": ["192.168.1.50", "fe80::1"], "ID": "x"},
    )

    asked, opened = talk(session().set_up(), said)

    assert opened == OpenedSession(50_000, ("192.168.1.50", "fe80::1"))
    (request,) = asked
    assert (request.method, request.uri) == ("SETUP", URL)
    assert header(request, "DACP-ID") == "A1B2C3D4E5F60718"
    assert header(request, "Active-Remote") == "42"
    told = body(request)
    assert told["deviceID"] == "A1:B2:C3:D4:E5:F6:07:18"
    assert told["timingProtocol"] == "PTP"
    assert told["timingPeerInfo"]["ClockID"] == SIGNED
    assert told["timingPeerInfo"]["Addresses"] == ["192.168.1.10"]
    assert told["timingPeerList"] == [told["timingPeerInfo"]]
    assert (told["sessionUUID"], told["groupUUID"]) == ("SESSION", "GROUP")
    assert "timingPort" not in told


def test_a_receiver_without_ptp_gets_our_timing_port() -> None:
    asked, opened = talk(session(SessionClock(timing_port=6002)).set_up(), OK)

    # shairport-sync answers so to a clock that it does not accept.
    assert opened == OpenedSession(None, ())
    told = body(asked[0])
    assert (told["timingProtocol"], told["timingPort"]) == ("NTP", 6002)
    assert "timingPeerInfo" not in told


def test_addresses_of_strangers_are_not_accepted() -> None:
    claimed: list[object] = ["8.8.8.8", "224.0.1.129", "0.0.0.0", "127.0.0.1", "x", 5]
    claimed += ["10.0.0.1", *(f"10.0.1.{number}" for number in range(20))]

    said = plist(timingPeerInfo={"Addresses": claimed})

    assert talk(session().set_up(), said)[1].addresses == ("10.0.0.1", "10.0.1.0")


def test_zones_of_a_receiver_are_not_ours() -> None:
    said = plist(timingPeerInfo={"Addresses": ["fe80::1%" + "9" * 5000, "fd00::1"]})

    assert talk(session().set_up(), said)[1].addresses == ("fe80::1", "fd00::1")


def test_our_zoned_address_is_sent_without_its_zone() -> None:
    asked, _ = talk(session(local="fe80::1%eth0").set_up(), OK)

    assert asked[0].uri == "rtsp://[fe80::1]/1234567890"
    assert body(asked[0])["timingPeerInfo"]["Addresses"] == ["fe80::1"]


def test_a_setup_that_asks_for_the_password_is_answered_by_digest() -> None:
    open_session = session(password="secret")

    asked, opened = talk(open_session.set_up(), WANTED, plist(eventPort=1))

    assert opened.event_port == 1
    assert header(asked[0], "Authorization") is None
    assert 'nonce="' in (header(asked[1], "Authorization") or "")
    assert asked[1].body == asked[0].body


def test_a_missing_or_wrong_password_is_reported() -> None:
    fail(PasswordRequiredError, session().set_up(), WANTED)
    fail(AuthenticationError, session(password="wrong").set_up(), *[WANTED] * 5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (453, ReceiverBusyError),
        (470, PairingRequiredError),
        (500, ReceiverRefusedError),
    ],
)
def test_refusals_name_the_requirement(status: int, kind: type[RaopError]) -> None:
    fail(kind, session().set_up(), answer(status))
    fail(kind, session().record(), answer(status))
    fail(kind, session().set_peers(()), answer(status))
    fail(kind, session().set_up_stream(stream(REALTIME)), answer(status))
    fail(kind, session().feedback(), answer(status))
    fail(kind, session().anchor(Anchor(0, 0, 0)), answer(status))


def test_a_realtime_stream_is_described_and_its_ports_are_read_by_name() -> None:
    said = plist(streams=[{"controlPort": 7001, "type": 96, "dataPort": 7000}])

    asked, ports = talk(session().set_up_stream(stream(REALTIME)), said)

    assert ports == StreamPorts(audio=7000, control=7001)
    (described,) = body(asked[0])["streams"]
    assert described == {
        "type": 96,
        "ct": 2,
        "audioFormat": 0x40000,
        "spf": 352,
        "sr": 44100,
        "shk": KEY,
        "controlPort": 6001,
        "latencyMin": 11025,
        "latencyMax": 88200,
        "audioMode": "default",
        "isMedia": True,
        "supportsDynamicStreamID": False,
        "streamConnectionID": 7,
    }


def test_a_buffered_stream_has_no_latency_and_no_control_port() -> None:
    said = plist(streams=[{"type": 103, "dataPort": 7000, "audioBufferSize": 8388608}])

    asked, ports = talk(session().set_up_stream(stream(BUFFERED, None)), said)

    assert ports == StreamPorts(audio=7000, control=None)
    (described,) = body(asked[0])["streams"]
    assert described["type"] == 103
    assert not {"latencyMin", "latencyMax", "controlPort"} & described.keys()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (OK, ReceiverRefusedError),
        (plist(streams=[]), ReceiverRefusedError),
        (plist(streams=[7]), ReceiverRefusedError),
        (plist(streams={"dataPort": 1}), ReceiverRefusedError),
        (plist(streams=[{"dataPort": 7000}]), ReceiverProtocolError),
        (plist(streams=[{"controlPort": 7000}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": 0, "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": 65536, "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": "x", "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": "-7", "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": "", "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": 7.0, "controlPort": 1}]), ReceiverProtocolError),
        (plist(streams=[{"type": 103, "dataPort": 7}]), ReceiverRefusedError),
        (plist(streams=[{"dataPort": 7, "controlPort": "0"}]), ReceiverProtocolError),
        (plist(streams=[{"dataPort": True, "controlPort": 1}]), ReceiverProtocolError),
        (answer(body=b"nonsense"), ReceiverProtocolError),
    ],
)
def test_a_stream_without_ports_is_an_error(
    said: Response, kind: type[RaopError]
) -> None:
    fail(kind, session().set_up_stream(stream(REALTIME)), said)


@pytest.mark.parametrize(
    "streams",
    [
        [{"type": 103, "dataPort": 1}, {"type": 96, "dataPort": 2, "controlPort": 3}],
        [{"type": 130}, "x", {"dataPort": 2, "controlPort": 3}],
        [{"dataPort": 1}, {"type": "96", "dataPort": "2", "controlPort": " 3 "}],
        [{"type": 96, "dataPort": 2, "controlPort": 3}, {"type": 96, "dataPort": 9}],
    ],
)
def test_our_stream_is_found_among_others(streams: list[object]) -> None:
    said = plist(streams=streams)

    _, ports = talk(session().set_up_stream(stream(REALTIME)), said)

    assert ports == StreamPorts(audio=2, control=3)


def test_a_stream_may_be_described_in_xml() -> None:
    told = {"streams": [{"type": 96, "dataPort": 7000, "controlPort": 7001}]}
    said = answer(body=plistlib.dumps(told))

    _, ports = talk(session().set_up_stream(stream(REALTIME)), said)

    assert ports == StreamPorts(audio=7000, control=7001)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"type": 96, "dataPort": 7000}, "no controlPort, only dataPort, type"),
        ({"controlPort": 7000}, "no dataPort, only controlPort"),
        ({}, "no dataPort, only nothing"),
        ({"dataPort": 70_000}, "dataPort is not a port: 70000"),
        ({"dataPort": "70000"}, "dataPort is not a port: '70000'"),
    ],
)
def test_a_port_that_is_missing_or_wrong_is_named(
    told: dict[str, object], named: str
) -> None:
    steps = session().set_up_stream(stream(REALTIME))

    fail(ReceiverProtocolError, steps, plist(streams=[told]), match=named)


@pytest.mark.parametrize("port", [-1, 65_536, "x", True, b"1", [1]])
def test_an_event_port_that_cannot_be_is_none(port: object) -> None:
    assert talk(session().set_up(), plist(eventPort=port))[1].event_port is None


def test_an_event_port_may_be_text() -> None:
    assert talk(session().set_up(), plist(eventPort="50000"))[1].event_port == 50_000


def test_small_steps_send_their_requests() -> None:
    open_session = session()

    (record,) = talk(open_session.record(), OK)[0]
    (peers,) = talk(open_session.set_peers(["192.168.1.50", "192.168.1.10"]), OK)[0]
    (flush,) = talk(open_session.flush(0x10005, 0x100000007), OK)[0]
    (halt,) = talk(open_session.halt(), OK)[0]
    (run,) = talk(open_session.run(), OK)[0]
    (alive,) = talk(open_session.keep_alive(), OK)[0]
    (end,) = talk(open_session.teardown(), answer(500))[0]

    assert (record.method, record.uri, record.body) == ("RECORD", URL, b"")
    assert peers.method == "SETPEERS"
    assert plistlib.loads(peers.body) == ["192.168.1.50", "192.168.1.10"]
    assert flush.method == "FLUSH"
    assert header(flush, "RTP-Info") == "seq=5;rtptime=7"
    assert (halt.method, body(halt)) == ("SETRATEANCHORTIME", {"rate": 0})
    assert (run.method, body(run)) == ("SETRATEANCHORTIME", {"rate": 1})
    assert (alive.method, alive.uri) == ("POST", "/feedback")
    assert (end.method, body(end)) == ("TEARDOWN", {})


def test_an_anchor_is_a_frame_at_a_time_of_a_clock() -> None:
    anchor = Anchor(0x1_0000_0005, number("setrate_frac", "ns"), CLOCK)

    (request,) = talk(session().anchor(anchor), OK)[0]

    assert request.method == "SETRATEANCHORTIME"
    assert body(request) == {
        "rate": 1,
        "rtpTime": 5,
        "networkTimeSecs": number("setrate_frac", "networkTimeSecs"),
        "networkTimeFrac": number("setrate_frac", "networkTimeFrac"),
        "networkTimeTimelineID": SIGNED,
        "networkTimeFlags": 0,
    }


def test_the_second_half_of_a_second_is_negative() -> None:
    (request,) = talk(session().anchor(Anchor(0, 1_500_000_000, 1)), OK)[0]

    told = body(request)
    assert told["networkTimeSecs"] == 1
    assert told["networkTimeFrac"] == -(1 << 63)


def test_flush_of_a_buffer_names_a_packet_of_23_bits() -> None:
    steps = session().flush_buffered(0x1800005, 0x100000009)

    (request,) = talk(steps, OK)[0]

    assert request.method == "FLUSHBUFFERED"
    assert body(request) == {"flushUntilSeq": 5, "flushUntilTS": 9}


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        (OK, None),
        (plist(), None),
        (plist(streams=[{"type": 103, "sr": 44100.0}]), 44100.0),
        (plist(streams=[{"type": 103, "sr": 0.0}]), 0.0),
        (plist(streams=[{"type": 103}, "x", {"sr": 48000}]), 48000.0),
        (plist(streams="x"), None),
        (plist(streams=[{"sr": "44100"}]), None),
    ],
)
def test_feedback_reports_the_rate(said: Response, rate: float | None) -> None:
    assert talk(session().feedback(), said)[1] == rate


def test_metadata_names_its_place_on_the_timeline() -> None:
    open_session = session()

    (text,) = talk(open_session.text(Tags(title="Song"), None, 5), OK)[0]
    (progress,) = talk(open_session.progress(1, 2, 3), OK)[0]
    (volume,) = talk(open_session.volume(100, is_muted=False), OK)[0]

    assert header(text, "RTP-Info") == "rtptime=5"
    assert header(progress, "RTP-Info") == "rtptime=2"
    assert progress.body == b"progress: 1/2/3\r\n"
    assert (volume.method, volume.body) == ("SET_PARAMETER", b"volume: 0.000000\r\n")


PLISTS = st.recursive(
    st.one_of(
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.booleans(),
        st.text(max_size=8),
        st.binary(max_size=8),
        st.floats(allow_nan=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["streams", "dataPort", "controlPort", "eventPort", "Addresses", "sr"]
            ),
            inner,
        ),
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["streams", "eventPort", "timingPeerInfo"]), PLISTS)
)
def test_any_answer_is_understood_or_an_error(said: dict[str, object]) -> None:
    for steps in (
        session().set_up(),
        session().set_up_stream(stream(REALTIME)),
        session().feedback(),
    ):
        next(steps)
        with pytest.raises(
            (StopIteration, ReceiverProtocolError, ReceiverRefusedError)
        ):
            steps.send(plist(**said))
