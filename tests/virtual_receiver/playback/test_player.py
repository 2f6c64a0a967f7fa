"""The virtual receiver's clock, buffer and memory, without sockets."""

from dataclasses import dataclass, field
import random

import pytest

from tests.virtual_receiver.clock import OffsetEstimator, ReceiverClock
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.packets import SyncPacket
from tests.virtual_receiver.raop.sdp import Announcement
from tests.virtual_receiver.stats import Stats

from .find_sound import find
from .gaps import in_ranges
from .player import Player
from .recording import PlayedPacket, Recording, runs, segments, with_pauses

MS = 1_000_000
S = 1_000_000_000
FRAMES = 352
PACKET_NS = FRAMES * S // 44100
FIRST = 0x1000


def sound(number: int) -> bytes:
    """Return the frames of a packet, different for each."""
    return random.Random(number).randbytes(FRAMES * 4)


@dataclass
class Bench:
    """A player whose sender's clock is 5 s ahead of its own."""

    quirks: Quirks = field(default_factory=Quirks)
    announcement: Announcement = field(default_factory=lambda: Announcement("alac"))
    version: int = 0
    sequence: int = 65530
    rtptime: int = FIRST

    def __post_init__(self) -> None:
        self.recording = Recording()
        self.stats = Stats()
        self.player = Player(
            1,
            self.announcement,
            ReceiverClock(),
            self.recording,
            self.stats,
            self.quirks,
            self.version,
        )

    def answer_time(self, now: int) -> None:
        self.player.offsets.add(now, now + 5 * S, now + 5 * S, now)
        self.player.measured(now)

    def line(self, at: int, rtptime: int | None = None, now: int = 0) -> bool:
        """Announce that a frame plays at a time of the receiver's clock."""
        first = self.rtptime if rtptime is None else rtptime
        less = first + 11025 & 0xFFFFFFFF
        return self.player.sync(
            SyncPacket(True, 7, less, at + 5 * S, less + 77175 & 0xFFFFFFFF), now
        )

    def ready(self, at: int) -> None:
        self.answer_time(0)
        assert self.line(at)

    def packet(self, number: int, now: int) -> None:
        self.player.put(
            self.sequence + number & 0xFFFF,
            self.rtptime + number * FRAMES & 0xFFFFFFFF,
            FRAMES,
            sound(number),
            now,
        )

    def packets(self, numbers: range, now: int) -> None:
        for number in numbers:
            self.packet(number, now)

    def instants(self) -> list[int]:
        return [packet.local_ns for packet in self.recording.packets]


def test_frames_are_played_on_the_line_across_the_wrap() -> None:
    bench = Bench(rtptime=0xFFFFFFFF - FRAMES)
    bench.ready(S)
    bench.packets(range(20), 0)

    bench.player.advance(S + 9 * PACKET_NS + MS)
    assert bench.recording.frames == 10 * FRAMES
    bench.player.advance(2 * S)

    assert bench.instants() == [S + n * FRAMES * S // 44100 for n in range(20)]
    assert bench.recording.pcm == b"".join(sound(n) for n in range(20))
    assert bench.stats.missing == 0
    assert bench.player.next_due_ns is None


def test_sync_before_the_first_timing_answer_is_thrown_away() -> None:
    bench = Bench()

    assert not bench.line(S)
    bench.packets(range(3), 0)
    bench.player.advance(5 * S)
    assert bench.recording.frames == 0

    bench.answer_time(5 * S)
    assert bench.line(6 * S, now=5 * S)
    bench.player.advance(7 * S)
    assert bench.instants()[0] == 6 * S


@pytest.mark.parametrize(
    ("flag", "version", "earlier_frames"), [(7, 0, 0), (4, 0, 11025), (4, 353, 0)]
)
def test_flag_4_plays_11025_frames_earlier(
    flag: int, version: int, earlier_frames: int
) -> None:
    bench = Bench(version=version)
    bench.answer_time(0)
    less = FIRST + 11025

    bench.player.sync(SyncPacket(True, flag, less, 8 * S, less + 77175), 0)

    assert bench.player.due(FIRST) == 3 * S - earlier_frames * S // 44100


def test_latency_limits() -> None:
    bench = Bench(announcement=Announcement("alac", max_latency_frames=22050))
    bench.answer_time(0)

    bench.player.sync(SyncPacket(True, 7, 0, 6 * S, 77175), 0)
    assert bench.player.due(77175) == S + S // 2

    unlimited = Bench()
    unlimited.answer_time(0)
    assert not unlimited.player.sync(SyncPacket(True, 7, 0, 6 * S, 352_800), 0)


def test_lost_packets_are_asked_for_until_they_are_due() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(3), 0)
    bench.packets(range(5, 8), 0)

    assert bench.player.gaps.next_ask_ns == 100 * MS
    assert bench.player.resends(99 * MS) == []
    assert bench.player.resends(100 * MS) == [(65533, 2)]
    bench.packet(3, 150 * MS)
    assert bench.player.resends(349 * MS) == []
    assert bench.player.resends(350 * MS) == [(65534, 1)]
    assert bench.player.resends(600 * MS) == [(65534, 1)]
    assert bench.player.resends(S) == []
    bench.player.advance(2 * S)
    bench.packet(4, 2 * S)

    assert bench.stats.missing == 1
    assert bench.stats.late == 1
    assert [packet.is_missing for packet in bench.recording.packets] == [
        number == 4 for number in range(8)
    ]
    assert bench.recording.pcm[4 * FRAMES * 4 : 5 * FRAMES * 4] == bytes(FRAMES * 4)


def test_out_of_order_and_duplicates() -> None:
    bench = Bench()
    bench.ready(S)
    for number in (1, 0, 3, 2, 2):
        bench.packet(number, 0)
    bench.player.advance(2 * S)
    bench.packet(1, 2 * S)

    assert bench.recording.pcm == b"".join(sound(n) for n in range(4))
    assert bench.stats.duplicates == 2
    assert bench.stats.late == 0


def test_packets_that_arrive_late_never_play() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(4), S + 10 * PACKET_NS)
    bench.player.advance(3 * S)

    assert bench.stats.late == 4
    assert bench.recording.first_frame_ns is None


def test_stall_and_catching_up_loses_exactly_the_difference() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(10), 0)
    bench.packets(range(10, 200), 2 * S)
    bench.player.advance(10 * S)

    due = [S + number * FRAMES * S // 44100 for number in range(200)]
    lost = sum(1 for at in due[10:] if at < 2 * S)
    assert bench.stats.missing == bench.stats.late == lost
    assert bench.instants() == due


def test_flush_up_to_the_next_packet_drops_the_queue() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(50), 0)

    assert bench.player.flush(FIRST + 50 * FRAMES, S)
    bench.player.advance(2 * S)
    assert bench.recording.frames == FRAMES
    assert bench.stats.flushed == 49
    bench.packet(49, 2 * S)
    assert bench.stats.flushed == 50

    bench.line(3 * S, FIRST + 50 * FRAMES, 2 * S)
    bench.packets(range(50, 60), 2 * S)
    bench.player.advance(4 * S)
    assert bench.instants()[1] == 3 * S
    assert bench.stats.missing == 0


@pytest.mark.parametrize("rtptime", [0, None])
def test_flush_without_a_frame_drops_the_queue(rtptime: int | None) -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(5), 0)

    assert bench.player.flush(rtptime, 0)
    assert bench.player.queued == 0


def test_flush_of_an_older_frame_flushes_nothing() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(5), 0)

    assert not bench.player.flush(FIRST + FRAMES, 0)
    assert bench.player.queued == 5


def test_rtptime_may_go_back_only_if_the_flush_point_is_forgotten() -> None:
    for forgets in (False, True):
        bench = Bench(Quirks(forgets_flush_point=forgets))
        bench.ready(S)
        bench.packets(range(5), 0)
        bench.player.flush(FIRST + 5 * FRAMES, 0)
        bench.sequence += 5
        bench.packets(range(5), 0)

        assert bench.player.queued == (5 if forgets else 0)


def test_muted_first_packets_are_silent_in_place() -> None:
    bench = Bench(Quirks(mutes_first_packets=9))
    bench.ready(S)
    bench.packets(range(12), 0)
    bench.player.advance(2 * S)

    assert bench.recording.pcm == bytes(9 * FRAMES * 4) + b"".join(
        sound(number) for number in range(9, 12)
    )


def test_audio_before_sync_is_dropped_by_quirk() -> None:
    bench = Bench(Quirks(drops_audio_before_sync=True))
    bench.packets(range(3), 0)
    assert bench.player.queued == 0

    bench.ready(S)
    bench.packets(range(3, 6), 0)
    assert bench.player.queued == 3


def test_moved_line_moves_the_queue() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(4), 0)
    bench.player.advance(S)

    bench.line(S + 500 * MS, FIRST, S)
    bench.player.advance(3 * S)

    assert bench.instants()[0] == S
    assert bench.instants()[1] == S + 500 * MS + FRAMES * S // 44100
    assert len(segments(bench.recording.packets, 5 * MS)) == 2


def test_teardown_silences_the_queue() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(4), 0)

    bench.player.stop(S)
    bench.player.advance(2 * S)

    assert bench.recording.frames == FRAMES


def test_jump_beyond_the_buffer_starts_anew() -> None:
    bench = Bench()
    bench.ready(S)
    bench.packets(range(2), 0)
    bench.packet(2000, 0)

    assert bench.player.queued == 1
    assert bench.stats.flushed == 2


def test_clock_converts_both_ways() -> None:
    clock = ReceiverClock(offset_ns=123 * S, drift_ppm=100.0, epoch_ns=7 * S)

    assert clock.from_monotonic(7 * S) == 130 * S
    assert clock.from_monotonic(17 * S) == 140 * S + MS
    for at in (0, 7 * S, 17 * S + 1, 3600 * S):
        assert abs(clock.to_monotonic(clock.from_monotonic(at)) - at) <= 1


@pytest.mark.parametrize("drift_ppm", [-100.0, 0.0, 100.0])
def test_estimate_follows_drift_through_noise(drift_ppm: float) -> None:
    clock = ReceiverClock(-50 * S, drift_ppm)
    estimator = OffsetEstimator()
    chance = random.Random(1)
    errors = []
    for number in range(100):
        asked = 3 * S * number
        there, back = chance.expovariate(1 / 30_000), chance.expovariate(1 / 30_000)
        received = asked + 20_000 + int(there)
        answered = received + 40_000 + int(back)
        assert estimator.add(
            clock.from_monotonic(asked),
            received,
            received + 20_000,
            clock.from_monotonic(answered),
        )
        later = asked + 2 * S
        local = clock.from_monotonic(later)
        errors.append(abs(local + estimator.offset_at(local) - later))
    assert max(errors[10:]) < 60_000


def test_estimate_refuses_slow_answers() -> None:
    estimator = OffsetEstimator()

    assert not estimator.add(0, 100 * MS, 100 * MS, 201 * MS)
    assert not estimator.add(10, 0, 0, 5)
    assert not estimator.is_known


def test_ranges() -> None:
    assert in_ranges([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 1), (9, 2)]


def _played(
    number: int, play_ns: int, *, is_missing: bool = False, session: int = 1
) -> PlayedPacket:
    pcm = b"" if is_missing else sound(number)
    rtptime = 0xFFFFFF00 + number * FRAMES & 0xFFFFFFFF
    return PlayedPacket(
        session, play_ns, play_ns, rtptime, FRAMES, 44100, pcm, is_missing
    )


def _song(first: int, count: int, start_ns: int) -> list[PlayedPacket]:
    return [
        _played(first + n, start_ns + n * FRAMES * S // 44100) for n in range(count)
    ]


def test_heard_finds_a_source_inside_of_a_packet() -> None:
    packets = _song(0, 20, S)
    whole = b"".join(sound(number) for number in range(20))

    heard = find(whole[100 * 4 : 6000 * 4], packets)

    assert heard.is_complete
    assert heard.first_frame_ns == S + 100 * S // 44100
    assert heard.last_frame_ns is not None
    assert abs(heard.last_frame_ns - (S + 6000 * S // 44100)) <= 2
    assert (heard.frames, heard.missing, heard.wrong) == (5900, 0, 0)


def test_heard_counts_missing_and_wrong_frames() -> None:
    packets = _song(0, 20, S)
    packets[5] = _played(5, packets[5].play_ns, is_missing=True)
    del packets[9]
    source = b"".join(sound(number) for number in range(20))
    wrong = source[:8] + b"\0\0\0\0" + source[12:] + bytes(10 * 4)

    heard = find(wrong, packets)

    assert heard.missing == 2 * FRAMES + 10
    assert heard.wrong == 1
    assert not heard.is_complete


def test_heard_extrapolates_to_a_first_frame_that_was_cut_off() -> None:
    source = b"".join(sound(number) for number in range(20))

    heard = find(source, _song(4, 16, S))

    assert heard.missing == 4 * FRAMES
    assert heard.first_frame_ns == S + -4 * FRAMES * S // 44100


def test_heard_sees_a_break_in_time() -> None:
    source = b"".join(sound(number) for number in range(20))

    heard = find(source, _song(0, 10, S) + _song(10, 10, 9 * S))

    assert heard.frames == 20 * FRAMES
    assert not heard.contiguous
    assert heard.worst_step_ns > 7 * S


def test_heard_prefers_the_best_place_and_knows_silence() -> None:
    source = b"".join(sound(number) for number in range(8))

    assert find(source, []).missing == 8 * FRAMES
    assert find(bytes(800), _song(0, 9, S)).first_frame_ns is None
    again = [
        PlayedPacket(2, p.play_ns + 9 * S, 0, p.rtptime, FRAMES, 44100, p.pcm, False)
        for p in _song(0, 8, S)
    ]
    heard = find(source, _song(0, 4, S) + again)
    assert heard.first_frame_ns == 10 * S
    assert len(runs(_song(0, 4, S) + again)) == 2


def test_pauses_are_filled_on_request() -> None:
    filled = with_pauses([_played(0, S), _played(1, 2 * S)])

    assert len(filled) == (44100 + FRAMES) * 4
    assert filled.startswith(sound(0))
    assert filled.endswith(sound(1))
