"""The line, and the sync packets drawn from it."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.timeline import (
    MAX_LATENCY_FRAMES,
    SECOND_NS,
    Line,
    delay_frames,
    frames_of_ms,
    ms_of_frames,
    sync_packet,
    time_announce,
)
from custom_components.airplay.raop.wire.ntp import from_unix_ns, to_unix_ns
from custom_components.airplay.raop.wire.rtp import (
    SAMPLE_RATE,
    SyncPacket,
    TimeAnnounce,
)
from tests.raop.vectors import number, octets

ANCHOR = number("rtp_math", "anchor_rtptime")
ANCHOR_NS = number("rtp_math", "anchor_unix_ns")
HEARD_NS = number("rtp_math", "frame_play_unix_ns_of_first")
LATENCY = 77_175
# shairport-sync, rtp.c: it adds this for flag word 7 and ignores more than the other.
RECEIVERS_OWN = 11_025
RECEIVERS_MOST = 259_311

YEAR_2090_NS = 3_786_912_000 * SECOND_NS
DAY_FRAMES = 24 * 3600 * SAMPLE_RATE
LINES = st.builds(Line, st.integers(0, 1 << 33), st.integers(SECOND_NS, YEAR_2090_NS))
DISTANCES = st.integers(-30 * DAY_FRAMES, 30 * DAY_FRAMES)


def heard_ns(packet: SyncPacket, frame: int) -> int:
    """Return when shairport-sync plays a frame after a sync packet."""
    latency = packet.rtptime - packet.rtptime_less_latency + RECEIVERS_OWN
    frames = frame - (packet.rtptime - latency)
    return to_unix_ns(packet.ntp) + frames * SECOND_NS // SAMPLE_RATE


def test_the_line_of_the_known_packets_is_the_known_one() -> None:
    line = Line(ANCHOR, HEARD_NS)

    first = sync_packet(line, ANCHOR_NS, LATENCY, delay_frames=0, is_first=True)
    second = sync_packet(
        line, ANCHOR_NS + SECOND_NS, LATENCY, delay_frames=0, is_first=False
    )

    assert first.build() == octets("sync_first")
    assert second.build() == octets("sync_next")


def test_ten_seconds_are_441000_frames() -> None:
    line = Line(ANCHOR, ANCHOR_NS)

    assert line.frame_at(ANCHOR_NS + 10 * SECOND_NS) == number(
        "rtp_math", "rtptime_after_10s"
    )
    assert line.time_of(ANCHOR + 441_000) == ANCHOR_NS + 10 * SECOND_NS


@given(LINES, DISTANCES)
def test_at_the_time_of_a_frame_that_frame_plays(line: Line, distance: int) -> None:
    frame = line.frame + distance

    assert line.frame_at(line.time_of(frame)) == frame
    assert line.frame_at(line.time_of(frame) - 1) == frame - 1


@given(LINES, DISTANCES)
def test_times_of_frames_never_add_up_errors(line: Line, distance: int) -> None:
    off_by = (line.time_of(line.frame + distance) - line.at_ns) * SAMPLE_RATE

    assert abs(off_by - distance * SECOND_NS) < SAMPLE_RATE


@given(LINES, st.integers(-SECOND_NS, 3600 * SECOND_NS), st.integers(0, 88_200))
def test_every_sync_packet_is_on_the_line(line: Line, after: int, latency: int) -> None:
    now_ns = line.at_ns + after

    packet = sync_packet(line, now_ns, latency, delay_frames=0, is_first=False)

    for frame in (line.frame, line.frame_at(now_ns), line.frame + SAMPLE_RATE * 7200):
        assert abs(heard_ns(packet, frame) - line.time_of(frame)) <= 2


def test_a_sync_packet_describes_the_present() -> None:
    line = Line(ANCHOR, ANCHOR_NS)

    packet = sync_packet(line, ANCHOR_NS + 999, 0, delay_frames=0, is_first=False)

    assert packet.ntp == from_unix_ns(ANCHOR_NS)


def test_a_delay_makes_packets_play_later() -> None:
    line = Line(ANCHOR, HEARD_NS)

    packet = sync_packet(line, ANCHOR_NS, LATENCY, delay_frames=441, is_first=False)

    assert heard_ns(packet, ANCHOR) == HEARD_NS + 10_000_000
    assert packet.rtptime - packet.rtptime_less_latency == LATENCY


@pytest.mark.parametrize("wanted", [5 * SAMPLE_RATE, 6 * SAMPLE_RATE, 1 << 31])
def test_no_receiver_is_asked_for_more_latency_than_it_accepts(wanted: int) -> None:
    line = Line(ANCHOR, HEARD_NS)

    packet = sync_packet(line, ANCHOR_NS, wanted, delay_frames=0, is_first=False)

    total = packet.rtptime - packet.rtptime_less_latency + RECEIVERS_OWN
    assert total == min(wanted + RECEIVERS_OWN, MAX_LATENCY_FRAMES)
    assert total < RECEIVERS_MOST
    assert heard_ns(packet, ANCHOR) == HEARD_NS


def test_frames_beyond_32_bits_are_cut_on_the_wire() -> None:
    line = Line((1 << 32) - 1000, ANCHOR_NS)

    packet = sync_packet(
        line, ANCHOR_NS + SECOND_NS, 22_050, delay_frames=0, is_first=True
    )
    sent = SyncPacket.parse(packet.build())

    assert sent.rtptime_less_latency == SAMPLE_RATE - 1000 + RECEIVERS_OWN
    assert sent.rtptime == SAMPLE_RATE - 1000 + RECEIVERS_OWN + 22_050
    assert sent.is_first


def test_milliseconds_become_frames_and_back() -> None:
    assert frames_of_ms(1000) == SAMPLE_RATE
    assert ms_of_frames(SAMPLE_RATE // 2) == 500
    assert ms_of_frames(frames_of_ms(250)) == 250


@pytest.mark.parametrize(
    ("delay_ms", "frames"),
    [(0, 0), (1, 44), (-1, -44), (1000, 44_100), (-2000, -88_200), (2000, 88_200)],
)
def test_a_delay_in_frames(delay_ms: int, frames: int) -> None:
    assert delay_frames(delay_ms) == frames


@given(st.integers())
def test_no_delay_is_longer_than_two_seconds(delay_ms: int) -> None:
    assert abs(delay_frames(delay_ms)) <= 2 * SAMPLE_RATE


FROZEN = "ap2_time_announce_frozen_line"
CLOCK = 0xFFFF001122334455


def test_the_announce_of_the_known_line_is_the_known_one() -> None:
    line = Line(number(FROZEN, "pos0"), number(FROZEN, "T_audible_ns"))
    now_ns = number(FROZEN, "wall_ns")

    announce = time_announce(
        line, now_ns, CLOCK, lambda at_ns: at_ns, delay_frames=0, is_first=True
    )

    assert announce.build() == octets(FROZEN)
    assert TimeAnnounce.parse(octets(FROZEN)) == announce
    captured = TimeAnnounce.parse(octets("captured_sync_owntone_spotify_ap2ptp"))
    assert captured.end_frame - captured.frame == LATENCY
    assert captured.is_first


def test_an_announce_names_the_used_clock_and_the_delay() -> None:
    line = Line(ANCHOR, ANCHOR_NS)

    announce = time_announce(
        line, ANCHOR_NS, 7, lambda at_ns: at_ns - 5, delay_frames=441, is_first=False
    )

    assert (announce.clock_id, announce.time_ns) == (7, ANCHOR_NS - 5)
    # The frame that is 11035 before the named one plays at the time.
    assert announce.frame - 11_035 == ANCHOR - 441
    assert announce.build()[0] == 0x80


@given(LINES, st.integers(0, DAY_FRAMES))
def test_every_announce_is_on_the_line(line: Line, after: int) -> None:
    now_ns = line.at_ns + after * 20_000

    announce = time_announce(
        line, now_ns, CLOCK, lambda at_ns: at_ns, delay_frames=0, is_first=False
    )

    assert line.time_of(announce.frame - 11_035) == announce.time_ns
    assert 0 <= now_ns - announce.time_ns < SECOND_NS // SAMPLE_RATE + 1
