"""RTP packets: audio, sync, timing and resending."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire import ntp
from custom_components.airplay.raop.wire.rtp import (
    BYTES_PER_FRAME,
    FRAMES_PER_PACKET,
    PACKET_BYTES,
    SAMPLE_RATE,
    PacketKind,
    ResendRequest,
    SyncPacket,
    TimingRequest,
    audio_header,
    payload_type,
    resend_reply,
    with_marker,
)
from tests.raop.vectors import number, octets

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, 0xFFFFFFFFFFFFFFFF)
PARSERS: list[Callable[[bytes], object]] = [
    SyncPacket.parse,
    TimingRequest.parse,
    ResendRequest.parse,
]


def test_a_packet_holds_352_frames_of_cd_sound() -> None:
    assert (FRAMES_PER_PACKET, SAMPLE_RATE, BYTES_PER_FRAME) == (352, 44100, 4)
    assert PACKET_BYTES == 1408


def test_first_audio_packet_has_the_marker() -> None:
    header = with_marker(audio_header(0x1234, 0x10000000, 0xDEADBEEF))

    assert header == octets("rtp_audio_header_first")


def test_next_audio_packet_has_no_marker() -> None:
    header = audio_header(0x1235, 0x10000160, 0xDEADBEEF)

    assert header == octets("rtp_audio_header_next")


def test_numbers_of_an_audio_packet_wrap() -> None:
    header = audio_header(0x1FFFF, (1 << 40) + 5, (1 << 32) + 7)

    assert header == audio_header(0xFFFF, 5, 7)


def test_a_packet_can_be_marked_later() -> None:
    packet = octets("rtp_audio_header_next") + b"sound"

    assert with_marker(packet) == bytes.fromhex("80e0") + packet[2:]


def test_marking_twice_is_marking_once() -> None:
    packet = octets("rtp_audio_header_first") + b"sound"

    assert with_marker(packet) == packet


def test_first_sync_packet_has_the_extension_bit() -> None:
    packet = SyncPacket(
        0x10000000, 0x10000000 - 77175, 0xE8FE6F8040000000, is_first=True
    )

    assert packet.build() == octets("sync_first")


def test_next_sync_packet_has_no_extension_bit() -> None:
    rtptime = 0x10000000 + SAMPLE_RATE
    packet = SyncPacket(rtptime, rtptime - 77175, 0xE8FE6F8140000000)

    assert packet.build() == octets("sync_next")


@pytest.mark.parametrize(
    ("name", "is_first"),
    [
        ("captured_sync_spec_ios_airplay1", False),
        ("captured_sync_owntone_applemusic_ap1", True),
    ],
)
def test_captured_sync_packets_carry_their_latency(name: str, is_first: bool) -> None:
    packet = SyncPacket.parse(octets(name))

    latency = (packet.rtptime - packet.rtptime_less_latency) & 0xFFFFFFFF
    assert (latency, packet.is_first) == (number(name, "latency_frames"), is_first)


def test_rtp_times_of_a_sync_packet_wrap() -> None:
    assert SyncPacket(1 << 32, -1, 0).build() == SyncPacket(0, 0xFFFFFFFF, 0).build()


@given(st.builds(SyncPacket, U32, U32, U64, st.booleans()))
def test_sync_packets_come_out_as_they_went_in(packet: SyncPacket) -> None:
    assert SyncPacket.parse(packet.build()) == packet


def test_timing_request_is_answered_with_its_own_stamp_and_our_times() -> None:
    received_ns = 1_700_000_000_250_000_000
    request = TimingRequest.parse(octets("timing_request"))

    reply = request.reply(
        ntp.from_unix_ns(received_ns), ntp.from_unix_ns(received_ns + 120_000)
    )

    assert reply == octets("timing_reply")


@given(U64, st.binary(min_size=22, max_size=22), U64, U64)
def test_every_stamp_of_a_timing_request_comes_back(
    stamp: int, filler: bytes, received: int, sent: int
) -> None:
    request = TimingRequest.parse(b"\x80\xd2" + filler + stamp.to_bytes(8))

    reply = request.reply(received, sent)

    assert reply[8:] == b"".join(each.to_bytes(8) for each in (stamp, received, sent))
    assert payload_type(reply) == PacketKind.TIMING_REPLY


def test_resend_request_names_the_lost_packets() -> None:
    request = ResendRequest.parse(octets("retransmit_request"))

    assert request.sequence_numbers() == [0x1234, 0x1235, 0x1236]


def test_resend_request_wraps_at_the_last_sequence_number() -> None:
    request = ResendRequest.parse(bytes.fromhex("80d50001ffff0003"))

    assert request.sequence_numbers() == [0xFFFF, 0, 1]


def test_resend_request_may_ask_for_nothing() -> None:
    assert (
        ResendRequest.parse(bytes.fromhex("80d5000112340000")).sequence_numbers() == []
    )


@given(U16, U16, U16)
def test_resend_requests_come_out_as_they_went_in(
    sequence: int, first: int, count: int
) -> None:
    packet = b"\x80\xd5" + b"".join(
        each.to_bytes(2) for each in (sequence, first, count)
    )

    assert ResendRequest.parse(packet) == ResendRequest(first, count)


def test_resent_packet_is_wrapped_whole() -> None:
    packet = octets("rtp_audio_header_first") + b"sound"

    assert resend_reply(packet) == bytes.fromhex("80d60001") + packet


@pytest.mark.parametrize(
    ("datagram", "kind"),
    [
        (octets("timing_request"), PacketKind.TIMING_REQUEST),
        (octets("timing_reply"), PacketKind.TIMING_REPLY),
        (octets("sync_first"), PacketKind.SYNC),
        (octets("sync_next"), PacketKind.SYNC),
        (octets("retransmit_request"), PacketKind.RESEND_REQUEST),
        (resend_reply(octets("rtp_audio_header_first")), PacketKind.RESEND_REPLY),
        (octets("rtp_audio_header_first"), PacketKind.AUDIO),
        (octets("rtp_audio_header_next"), PacketKind.AUDIO),
        (b"\x80\x60", PacketKind.AUDIO),
    ],
)
def test_payload_type_determines_the_kind(datagram: bytes, kind: PacketKind) -> None:
    assert payload_type(datagram) == kind


@pytest.mark.parametrize("datagram", [b"", b"\x80", b"\x00\x60", b"\xc0\x60"])
def test_anything_but_rtp_has_no_payload_type(datagram: bytes) -> None:
    assert payload_type(datagram) is None


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("name", ["sync_first", "timing_request", "retransmit_request"])
def test_packets_that_are_cut_off_are_refused(
    parse: Callable[[bytes], object], name: str
) -> None:
    with pytest.raises(ReceiverProtocolError):
        parse(octets(name)[:-1])


@pytest.mark.parametrize("parse", PARSERS)
def test_packets_of_another_kind_are_refused(parse: Callable[[bytes], object]) -> None:
    with pytest.raises(ReceiverProtocolError, match="packet is not"):
        parse(octets("timing_reply"))


@given(
    st.sampled_from(PARSERS),
    st.sampled_from([b"", b"\x80\xd2", b"\x80\xd4", b"\x80\xd5"]),
    st.binary(max_size=64),
)
def test_arbitrary_packets_raise_nothing_but_protocol_errors(
    parse: Callable[[bytes], object], head: bytes, rest: bytes
) -> None:
    with suppress(ReceiverProtocolError):
        parse(head + rest)
