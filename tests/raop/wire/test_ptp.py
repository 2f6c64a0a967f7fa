"""PTP messages: those that clocks send without a request."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.ptp import (
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from tests.raop.vectors import octets

OURS = PortIdentity(0xFFFF001122334455)
CLOCK_IDS = st.integers(0, 2**64 - 1)
SOURCES = st.builds(PortIdentity, CLOCK_IDS, st.integers(0, 0xFFFF))
SEQUENCES = st.integers(0, 0xFFFF)
TIMES = st.integers(0, 2**48 * 1_000_000_000 - 1)
CORRECTIONS = st.integers(-(2**47), 2**47 - 1)
BYTES = st.integers(0, 0xFF)


def test_announce_is_built_as_senders_send_it() -> None:
    announce = PtpAnnounce(OURS, 1, OURS.clock_id)

    assert announce.build() == octets("ptp_announce")


def test_sync_is_built_as_senders_send_it() -> None:
    assert PtpSync(OURS, 7).build() == octets("ptp_sync")


def test_follow_up_is_built_as_senders_send_it() -> None:
    follow_up = PtpFollowUp(OURS, 7, 12_345_678_900_000)

    assert follow_up.build() == octets("ptp_follow_up")


def test_sequence_numbers_wrap() -> None:
    assert PtpSync.parse(PtpSync(OURS, 0x10007).build()).sequence == 7


@given(SOURCES, SEQUENCES, CLOCK_IDS, BYTES, BYTES, BYTES)
def test_announces_come_back(
    source: PortIdentity,
    sequence: int,
    clock_id: int,
    first: int,
    second: int,
    level: int,
) -> None:
    announce = PtpAnnounce(
        source,
        sequence,
        clock_id,
        priority1=first,
        priority2=second,
        clock_class=level,
        accuracy=0xFE,
        variance=0xFFFF,
        steps_removed=1,
    )

    assert PtpAnnounce.parse(announce.build()) == announce


@given(SOURCES, SEQUENCES, TIMES, CORRECTIONS, st.booleans(), st.integers(-128, 127))
def test_syncs_and_follow_ups_come_back(
    source: PortIdentity,
    sequence: int,
    time_ns: int,
    correction_ns: int,
    is_two_step: bool,
    period: int,
) -> None:
    sync = PtpSync(source, sequence, time_ns, correction_ns, is_two_step, period)
    follow_up = PtpFollowUp(source, sequence, time_ns, correction_ns, period)

    assert PtpSync.parse(sync.build()) == sync
    assert PtpFollowUp.parse(follow_up.build()) == follow_up


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        pytest.param(0, "16", id="of an unknown kind"),
        pytest.param(1, "01", id="of another version"),
        pytest.param(2, "0021", id="shorter than its header"),
        pytest.param(2, "002d", id="longer than what came"),
        pytest.param(40, "3b9aca00", id="with a second of ns"),
    ],
)
def test_a_malformed_message_is_refused(at: int, wrong: str) -> None:
    message = bytearray(octets("ptp_sync"))
    message[at : at + len(wrong) // 2] = bytes.fromhex(wrong)

    with pytest.raises(ReceiverProtocolError):
        PtpSync.parse(bytes(message))


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(ReceiverProtocolError, match="ANNOUNCE"):
        PtpSync.parse(octets("ptp_announce"))


def test_bytes_beyond_the_length_are_not_read() -> None:
    message = bytearray(octets("ptp_announce"))
    message[2:4] = (Header.SIZE + 10).to_bytes(2)

    with pytest.raises(ReceiverProtocolError, match="too short"):
        PtpAnnounce.parse(bytes(message))


def test_a_newer_minor_version_and_a_trailer_do_no_harm() -> None:
    message = bytearray(octets("ptp_sync") + bytes(2))
    message[1] |= 0x10

    assert Header.parse(bytes(message)).kind is MessageKind.SYNC


@given(st.binary(max_size=700), st.sampled_from(MessageKind))
def test_arbitrary_bytes_raise_nothing_else(noise: bytes, kind: MessageKind) -> None:
    for tail in (noise, bytes((0x10 | kind, 2)) + len(noise).to_bytes(2) + noise):
        for parse in (PtpAnnounce.parse, PtpSync.parse, PtpFollowUp.parse):
            try:
                parse(tail)
            except ReceiverProtocolError:
                continue
