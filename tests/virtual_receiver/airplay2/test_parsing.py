"""The parsing of a receiver of AirPlay 2, against the published vectors."""

from contextlib import suppress
import json
from pathlib import Path
import plistlib

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from tests.virtual_receiver.network.rtsp import RtspError
from tests.virtual_receiver.pairing import SecureChannel
from tests.virtual_receiver.raop.alac import AlacError
from tests.virtual_receiver.raop.packets import PacketError

from .bodies import (
    Anchor,
    BodyError,
    Flush,
    build,
    parse_anchor,
    parse_flush,
    parse_peers,
    parse_session,
    parse_stream,
    parse_table,
)
from .codecs import decode_alac_24
from .packets import Opener, TimeAnnounce, parse_time_announce
from .ptp import (
    Kind,
    PtpError,
    build_announce,
    build_delay_req,
    parse,
    parse_dataset,
    parse_stamp_ns,
)
from .txt import told, words

_VECTORS = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())
CLOCK_ID = 0xFFFF001122334455
# a busy machine draws slowly
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def vector(name: str, key: str = "hex") -> bytes:
    """Return a published message."""
    return bytes.fromhex(_VECTORS[name][key])


def test_time_announce_of_a_frozen_line() -> None:
    announce = parse_time_announce(vector("ap2_time_announce_frozen_line"))

    known = _VECTORS["ap2_time_announce_frozen_line"]
    assert announce == TimeAnnounce(
        True, 6, known["frame_1"], known["wall_ns"], known["frame_2"], CLOCK_ID
    )
    assert announce.heard_rtptime == known["play_pos"]


def test_time_announce_of_a_phone() -> None:
    announce = parse_time_announce(vector("captured_sync_owntone_spotify_ap2ptp"))

    assert announce.rtptime - announce.rtptime_less_latency == 77175
    assert announce.clock_id == 0xB7F84288888F4F0008 & (1 << 64) - 1


@pytest.mark.parametrize(
    "name", ["ap2_audio_packet_nonce_seq_le", "ap2_audio_packet_nonce_counter0"]
)
def test_audio_packet_is_opened(name: str) -> None:
    opener = Opener(vector("ap2_audio_packet_nonce_seq_le", "shk"))
    packet = vector(name, "packet")

    assert opener.open(packet[4:12], packet[12:]) == bytes(range(48))


def test_buffered_packet_is_opened() -> None:
    framed = vector("ap2_buffered_packet", "framed")
    opener = Opener(vector("ap2_buffered_packet", "shk"))

    packet = opener.open_buffered(framed[2:])

    assert int.from_bytes(framed[:2]) == len(framed)
    assert (packet.sequence, packet.ssrc) == (1000, 0x16000000)
    assert packet.payload == bytes(range(48))


@pytest.mark.parametrize("size", [0, 11, 12, 36, 60])
def test_packet_that_cannot_be_opened_is_refused(size: int) -> None:
    with pytest.raises(PacketError):
        Opener(bytes(32)).open_buffered(bytes(size))


def test_ptp_messages_of_a_sender() -> None:
    announce = parse(vector("ptp_announce"))
    dataset = parse_dataset(announce)
    sync, follow_up = parse(vector("ptp_sync")), parse(vector("ptp_follow_up"))

    assert (announce.kind, announce.clock_id) == (Kind.ANNOUNCE, CLOCK_ID)
    assert (dataset.priority_1, dataset.clock_class) == (128, 6)
    assert dataset.grandmaster == CLOCK_ID
    assert (sync.kind, sync.is_two_step, sync.sequence) == (Kind.SYNC, True, 7)
    assert (follow_up.kind, follow_up.sequence) == (Kind.FOLLOW_UP, 7)
    assert parse_stamp_ns(follow_up) == 12345_678_900_000
    assert parse(vector("ptp_signaling")).kind == Kind.SIGNALING


def test_own_ptp_messages() -> None:
    name = bytes.fromhex("0a0b0cfffe0d0e01")
    announce, ask = parse(build_announce(name, 3, 127)), build_delay_req(name, 65537)

    assert parse_dataset(announce).priority_1 == 127
    assert parse_dataset(announce).grandmaster == int.from_bytes(name)
    assert (len(ask), parse(ask).sequence) == (44, 1)


def test_ptp_of_another_profile_is_refused() -> None:
    plain_1588 = bytearray(vector("ptp_sync"))
    plain_1588[0] = 0

    with pytest.raises(PtpError):
        parse(bytes(plain_1588))


@UNHURRIED
@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_ptp_or_refused(received: bytes, is_gptp: bool) -> None:
    if is_gptp:
        received = b"\x1b\x02" + len(received).to_bytes(2) + b"\0" + received
    with suppress(PtpError):
        message = parse(received)
        parse_dataset(message)
        parse_stamp_ns(message)


@UNHURRIED
@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_refused(received: bytes) -> None:
    for read in (parse_time_announce, Opener(bytes(32)).open_buffered):
        with pytest.raises(PacketError):
            read(received)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=40)
)
_KEYS = st.sampled_from(
    [
        "timingProtocol",
        "timingPeerInfo",
        "timingPort",
        "streams",
        "type",
        "shk",
        "ct",
        "sr",
        "spf",
        "rate",
        "rtpTime",
        "networkTimeSecs",
        "networkTimeFrac",
        "networkTimeTimelineID",
        "flushUntilSeq",
        "flushUntilTS",
        "flushFromSeq",
        "Addresses",
        "ClockID",
        "controlPort",
    ]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=8)
    ),
)


@UNHURRIED
@given(st.dictionaries(_KEYS, _VALUES, max_size=10))
def test_any_table_is_a_body_or_refused(table: dict[str, object]) -> None:
    for read in (parse_session, parse_stream, parse_anchor, parse_flush):
        with suppress(BodyError):
            read(table)


@UNHURRIED
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_list_or_refused(received: bytes, is_marked: bool) -> None:
    for read in (parse_table, parse_peers):
        with suppress(BodyError):
            read(b"bplist00" + received if is_marked else received)


def test_peers_are_sent_in_two_forms() -> None:
    plain = plistlib.dumps(["10.0.0.1", "fe80::1%eth0"], fmt=plistlib.FMT_BINARY)
    tables = plistlib.dumps(
        [{"Addresses": ["10.0.0.1"]}, {"Addresses": ["10.0.0.2"]}],
        fmt=plistlib.FMT_BINARY,
    )

    assert parse_peers(plain) == ("10.0.0.1", "fe80::1")
    assert parse_peers(tables) == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize("sign", [0, 1 << 64])
def test_anchor_may_have_a_negative_fraction(sign: int) -> None:
    half = 3 << 62
    table = {
        "rate": 1.0,
        "rtpTime": 7,
        "networkTimeSecs": 5,
        "networkTimeFrac": half - sign,
        "networkTimeTimelineID": CLOCK_ID - (1 << 64),
    }

    assert parse_anchor(table) == Anchor(True, 7, 5_750_000_000, CLOCK_ID)


def test_anchor_of_the_vector() -> None:
    known = _VECTORS["setrate_frac"]
    table = {
        "rate": 1,
        "rtpTime": 0,
        "networkTimeSecs": known["networkTimeSecs"],
        "networkTimeFrac": known["networkTimeFrac"],
        "networkTimeTimelineID": known["clock_id_signed"],
    }

    assert abs(parse_anchor(table).network_ns - known["ns"]) <= 1


def test_rate_may_come_without_an_instant() -> None:
    assert parse_anchor({"rate": 0}) == Anchor(False)


def test_flush_has_sequence_numbers_of_23_bits() -> None:
    table = {"flushUntilSeq": 0x80000005, "flushUntilTS": 9, "flushFromSeq": 0x800001}

    assert parse_flush(table) == Flush(5, 9, 1)


def test_alac_of_24_bits_loses_the_lowest_8() -> None:
    frame = (1 << 20 | 1) << 96 | 0x112233_445566_778899_AABBCC
    sealed = ((frame << 3 | 7) << 6).to_bytes(16)

    assert decode_alac_24(sealed, 2).hex() == "2211554488 77bbaa".replace(" ", "")
    with pytest.raises(AlacError):
        decode_alac_24(sealed, 3)


def test_keys_of_the_event_channel_have_the_names_of_the_other_side() -> None:
    secret = vector("srp_hap_3939", "K")
    keys = _VECTORS["hkdf_from_srp_K"]
    control, events = SecureChannel(secret), SecureChannel(secret, is_event=True)

    assert control.open(vector("hap_frame_counter0", "frame")).startswith(b"GET /info")
    assert keys["events_write"] != keys["events_read"]
    with pytest.raises(RtspError):
        events.open(vector("hap_frame_counter0", "frame"))
    assert events.seal(b"x") != SecureChannel(secret).seal(b"x")


def test_records_are_written_as_mdns_does() -> None:
    assert told({"a": "1", "bc": "2"}) == b"\x03a=1\x04bc=2"
    assert words(int(_VECTORS["features"]["value"], 16)) == "0x445F8A00,0x1C340"


def test_table_is_written_so_that_it_can_be_read() -> None:
    assert parse_table(build({"a": 1})) == {"a": 1}
