"""One timeline, pumped by hand."""

import pytest

from custom_components.airplay.raop.commands import Channel
from custom_components.airplay.raop.engine.pacing.feed import Pcm
from custom_components.airplay.raop.engine.pacing.transmitter import Transmitter
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.session.lead import SILENT_PACKETS
from custom_components.airplay.raop.session.timeline import SECOND_NS, delay_frames
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.ntp import to_unix_ns
from custom_components.airplay.raop.wire.rtp import SyncPacket
from tests.raop.engine.fakes import MS, PACKET_NS, FakeSource, UdpSink, heard, sound

SEQUENCE = 0xFFF0
FRAME = (1 << 32) - 5000
LEAD_NS = 500 * MS
HOST = "127.0.0.1"


class Bench:
    """A transmitter with a clock that only the test moves."""

    def __init__(self, depth_ms: int = 400) -> None:
        self.changes = 0
        self.ended: list[Pcm] = []
        self.switched: list[Pcm] = []
        self.now_ns = 1_000 * SECOND_NS
        self.sink: list[UdpSink] = []
        self.outlets: list[UdpOutlet] = []
        self.transmitter = Transmitter(
            sequence=SEQUENCE,
            frame=FRAME,
            ssrc=1,
            depth_ms=depth_ms,
            on_switch=self.switched.append,
            on_end=self.ended.append,
            on_change=self._count_change,
        )

    def _count_change(self) -> None:
        self.changes += 1

    def add(self, shape: Format | None = None, *, sequence: int = SEQUENCE) -> UdpSink:
        """Attach a receiver's ports."""
        sink = UdpSink(HOST)
        outlet = UdpOutlet(HOST, HOST, shape or Format())
        outlet.connect(*sink.ports())
        self.transmitter.attach(outlet, sequence)
        self.sink.append(sink)
        self.outlets.append(outlet)
        return sink

    def delay(self, number: int, delay_ms: int) -> None:
        """Set the delay of a receiver, by its place."""
        frames = delay_frames(delay_ms)
        self.transmitter.tune(self.outlets[number], frames, Channel.STEREO)

    def begin(self, source: FakeSource, lead_ns: int = LEAD_NS) -> int:
        """Set the line and return the instant of the first frame."""
        at_ns = self.now_ns + lead_ns
        self.transmitter.begin(source, at_ns, self.now_ns, 0)
        return at_ns

    def run_until(self, at_ns: int) -> None:
        """Pump whenever it is due."""
        while self.now_ns < at_ns:
            due_ns = self.transmitter.pump(self.now_ns)
            self.now_ns = min(at_ns, max(due_ns, self.now_ns + 1))
        self.transmitter.pump(self.now_ns)

    def close(self) -> None:
        """Close all sockets."""
        for sink in self.sink:
            sink.close()
        for outlet in self.outlets:
            outlet.close()


def sequences(datagrams: list[bytes]) -> list[int]:
    return [int.from_bytes(each[2:4]) for each in datagrams]


def test_packets_are_made_when_they_are_due_and_not_before() -> None:
    bench = Bench()
    sink = bench.add()
    at_ns = bench.begin(FakeSource(sound(44_100)))
    first_due_ns = at_ns - SILENT_PACKETS * PACKET_NS - 400 * MS

    # The silence in front of the first frame is due at once.
    assert first_due_ns < bench.now_ns
    bench.run_until(bench.now_ns + 30 * MS)
    made = bench.transmitter.backlog.next_sequence - SEQUENCE
    assert made * PACKET_NS < 400 * MS + 30 * MS
    assert bench.transmitter.first_packet_ns == at_ns - LEAD_NS

    bench.run_until(at_ns + SECOND_NS // 2)
    packets = heard(sink.audio)
    numbers = [(SEQUENCE + each) & 0xFFFF for each in range(len(packets))]
    assert sequences(packets) == numbers
    ahead_ns = (len(packets) - SILENT_PACKETS) * PACKET_NS - SECOND_NS // 2
    assert 400 * MS <= ahead_ns <= 400 * MS + 4 * PACKET_NS
    bench.close()


def test_all_outlets_get_the_same_packets_and_the_same_line() -> None:
    bench = Bench()
    one, two, other = bench.add(), bench.add(), bench.add(Format(Codec.L16))
    at_ns = bench.begin(FakeSource(sound(22_050)))

    bench.run_until(at_ns)

    first, second, third = (heard(each.audio) for each in (one, two, other))
    assert first == second
    assert [each[:12] for each in first] == [each[:12] for each in third]
    syncs = [heard(each.control) for each in (one, two, other)]
    assert syncs[0] == syncs[1] == syncs[2]
    bench.close()


def test_a_late_outlet_gets_the_kept_packets_from_its_chosen_start() -> None:
    bench = Bench()
    early = bench.add()
    at_ns = bench.begin(FakeSource(sound(44_100)))
    bench.run_until(at_ns)

    late = bench.add(Format(Codec.L16), sequence=SEQUENCE + 10)
    bench.run_until(at_ns + 100 * MS)

    first, second = heard(early.audio), heard(late.audio)
    assert second[0][1] == 0xE0
    assert sequences(second) == sequences(first)[10:]
    assert SyncPacket.parse(heard(late.control)[0]).is_first
    bench.close()


def test_a_detached_outlet_gets_nothing_and_the_other_continues() -> None:
    bench = Bench()
    leaving, staying = bench.add(), bench.add()
    at_ns = bench.begin(FakeSource(sound(44_100)))
    bench.run_until(at_ns)
    heard(leaving.audio)
    heard(staying.audio)

    bench.transmitter.detach(bench.outlets[0])
    bench.transmitter.detach(bench.outlets[0])
    bench.run_until(at_ns + 100 * MS)

    assert heard(leaving.audio) == []
    assert len(heard(staying.audio)) > 8
    bench.close()


def test_the_end_is_reported_once_when_the_last_frame_has_played() -> None:
    bench = Bench()
    bench.add()
    source = FakeSource(sound(4410))
    at_ns = bench.begin(source)

    bench.run_until(at_ns + 100 * MS + 249 * MS)
    assert bench.ended == []
    bench.run_until(at_ns + 100 * MS + 251 * MS)

    assert bench.ended == [source]
    assert bench.transmitter.line is None
    bench.run_until(bench.now_ns + SECOND_NS)
    assert bench.ended == [source]
    bench.close()


def test_a_short_hold_is_caught_up_with_on_the_same_line() -> None:
    bench = Bench()
    sink = bench.add()
    at_ns = bench.begin(FakeSource(sound(88_200)))
    bench.run_until(at_ns)
    line = bench.transmitter.line
    before = len(heard(sink.audio))

    bench.now_ns += 350 * MS
    bench.run_until(bench.now_ns + 50 * MS)

    assert bench.transmitter.line == line
    assert bench.transmitter.line_moves == 0
    assert len(heard(sink.audio)) * PACKET_NS > 390 * MS
    assert before > 0
    assert bench.transmitter.worst_lateness_ns > 300 * MS
    bench.close()


def test_after_a_long_hold_the_line_is_moved_and_no_frame_is_lost() -> None:
    bench = Bench()
    sink = bench.add()
    at_ns = bench.begin(FakeSource(sound(88_200)))
    bench.run_until(at_ns)
    packets = heard(sink.audio)
    heard(sink.control)

    bench.now_ns += 3 * SECOND_NS
    woken_ns = bench.now_ns
    bench.run_until(woken_ns + 100 * MS)

    assert bench.transmitter.line_moves == 1
    again = heard(sink.audio)
    assert sequences(again)[0] == (sequences(packets)[-1] + 1) & 0xFFFF
    assert again[0][1] == 0xE0
    assert SyncPacket.parse(heard(sink.control)[0]).is_first
    line = bench.transmitter.line
    assert line is not None
    assert line.at_ns == woken_ns + 400 * MS
    bench.close()


def test_hushed_nothing_is_sent_until_a_new_line_is_set() -> None:
    bench = Bench()
    sink = bench.add()
    at_ns = bench.begin(FakeSource(sound(88_200)))
    bench.run_until(at_ns)
    count = len(heard(sink.audio))

    sequence, frame = bench.transmitter.hush(bench.now_ns) or (0, 0)
    assert bench.transmitter.heard_frame(bench.now_ns) is None
    bench.run_until(bench.now_ns + SECOND_NS)
    assert heard(sink.audio) == []
    assert sequence == SEQUENCE + count
    assert frame == FRAME + count * 352

    fresh = FakeSource(sound(44_100, seed=2))
    at_ns = bench.begin(fresh)
    bench.run_until(at_ns)
    packets = heard(sink.audio)
    assert packets[0][1] == 0xE0
    assert sequences(packets)[0] == sequence & 0xFFFF
    content = sequence + SILENT_PACKETS
    assert bench.transmitter.backlog.frame_of(content) == (
        bench.transmitter.heard_frame(at_ns)
    )
    bench.close()


def test_a_pause_discards_frames_that_did_not_play_yet() -> None:
    bench = Bench()
    bench.add()
    pcm = sound(44_100)
    at_ns = bench.begin(FakeSource(pcm))
    bench.run_until(at_ns + 100 * MS)

    bench.transmitter.pause(bench.now_ns)
    bench.transmitter.pause(bench.now_ns)
    bench.now_ns += SECOND_NS
    bench.transmitter.resume(bench.now_ns + LEAD_NS, bench.now_ns)
    bench.run_until(bench.now_ns + LEAD_NS)

    line = bench.transmitter.line
    assert line is not None
    kept = bench.transmitter.backlog.music_from(line.frame)
    assert kept.startswith(pcm[4410 * 4 : 8820 * 4])
    bench.close()


def ahead_ns(bench: Bench) -> int:
    """Return how far ahead of the line the next packet would go out."""
    line = bench.transmitter.line
    assert line is not None
    return line.time_of(bench.transmitter.next_frame) - bench.now_ns


@pytest.mark.parametrize(("depth_ms", "turns_a_second"), [(1000, 16), (400, 32)])
@pytest.mark.parametrize("receivers", [1, 4])
def test_a_turn_is_for_all_receivers_and_for_as_many_packets_as_the_depth_allows(
    depth_ms: int, turns_a_second: int, receivers: int
) -> None:
    bench = Bench(depth_ms)
    for _ in range(receivers):
        bench.add()
    at_ns = bench.begin(FakeSource(sound(12 * 44_100)))
    bench.run_until(at_ns + SECOND_NS)

    turns, end_ns = 0, bench.now_ns + 10 * SECOND_NS
    while bench.now_ns < end_ns:
        bench.now_ns = bench.transmitter.pump(bench.now_ns)
        turns += 1

    # Sync packets, one a second for each receiver, need no turns of their own.
    assert turns <= 10 * turns_a_second + 1
    bench.close()


def test_evidence_of_all_receivers_is_reported_together() -> None:
    bench = Bench()
    for _ in range(3):
        bench.add()
    before = bench.changes

    for tenth in range(50):
        for outlet in bench.outlets:
            outlet.on_evidence(bench.now_ns + tenth * 100 * MS, False)

    assert bench.changes - before == 5
    bench.outlets[0].on_evidence(bench.now_ns + 4900 * MS, True)
    assert bench.changes - before == 6
    bench.close()


def test_an_early_receiver_gets_its_packets_as_long_before_as_usual() -> None:
    bench = Bench()
    bench.add()
    bench.add()
    bench.delay(1, -300)
    at_ns = bench.begin(FakeSource(sound(88_200)), LEAD_NS + bench.transmitter.reach_ns)

    bench.run_until(at_ns)

    assert bench.transmitter.reach_ns == 300 * MS
    assert 700 * MS <= ahead_ns(bench) <= 700 * MS + 8 * PACKET_NS
    assert bench.outlets[1].link(bench.now_ns).lead_ms == pytest.approx(400, abs=70)
    assert bench.outlets[0].link(bench.now_ns).lead_ms == pytest.approx(700, abs=70)
    bench.close()


def test_a_delay_set_during_playback_moves_the_syncs_of_one_receiver_only() -> None:
    bench = Bench()
    one, other = bench.add(), bench.add()
    at_ns = bench.begin(FakeSource(sound(5 * 44_100)))
    bench.run_until(at_ns + 700 * MS)
    line = bench.transmitter.line
    for sink in (one, other):
        heard(sink.control)

    bench.delay(1, -300)
    bench.run_until(bench.now_ns + MS)

    assert heard(one.control) == []
    (told,) = map(SyncPacket.parse, heard(other.control))
    assert line is not None
    frame = told.rtptime_less_latency - 11_025
    usual = line.frame_at(to_unix_ns(told.ntp)) & 0xFFFFFFFF
    assert (frame - usual) & 0xFFFFFFFF == 300 * 44_100 // 1000
    bench.run_until(bench.now_ns + 100 * MS)
    assert bench.transmitter.line == line
    assert 700 * MS <= ahead_ns(bench) <= 700 * MS + 8 * PACKET_NS
    assert bench.transmitter.worst_lateness_ns < 10 * MS
    bench.close()


def test_packets_leave_as_late_as_before_when_an_early_receiver_has_left() -> None:
    bench = Bench()
    bench.add()
    bench.add()
    bench.delay(1, -300)
    at_ns = bench.begin(FakeSource(sound(5 * 44_100)), LEAD_NS + 300 * MS)
    bench.run_until(at_ns)

    bench.transmitter.detach(bench.outlets[1])
    bench.run_until(at_ns + SECOND_NS)

    assert bench.transmitter.reach_ns == 0
    assert 400 * MS <= ahead_ns(bench) <= 400 * MS + 4 * PACKET_NS
    bench.close()


def test_the_end_comes_when_the_last_receiver_has_played_it() -> None:
    bench = Bench()
    bench.add()
    bench.add()
    bench.delay(1, 1500)
    source = FakeSource(sound(4410))
    at_ns = bench.begin(source)

    assert bench.transmitter.lag_ns == 1500 * MS
    bench.run_until(at_ns + 100 * MS + 1749 * MS)
    assert bench.ended == []
    bench.run_until(at_ns + 100 * MS + 1751 * MS)

    assert bench.ended == [source]
    bench.close()


def test_a_channel_applies_from_the_next_packet_on() -> None:
    bench = Bench()
    one, other = bench.add(), bench.add()
    at_ns = bench.begin(FakeSource(sound(5 * 44_100)))
    bench.run_until(at_ns)
    for sink in (one, other):
        heard(sink.audio)
        heard(sink.control)

    bench.transmitter.tune(bench.outlets[1], 0, Channel.LEFT)
    bench.run_until(at_ns + 100 * MS)

    plain, picked = heard(one.audio), heard(other.audio)
    left = bench.transmitter.batch(Format(channel=Channel.LEFT), SEQUENCE, 400)[0]
    assert plain
    assert [each[:12] for each in picked] == [each[:12] for each in plain]
    assert not set(picked) & set(plain)
    assert set(picked) <= set(left)
    assert heard(other.control) == []
    bench.close()


def test_a_source_that_runs_dry_and_flows_again_is_a_change_each_time() -> None:
    bench = Bench()
    bench.add()
    tape = FakeSource(sound(22_050), is_whole=False)
    at_ns = bench.begin(tape)
    bench.run_until(at_ns)
    before = bench.changes

    bench.run_until(at_ns + 300 * MS)
    dry = bench.changes
    bench.run_until(at_ns + 600 * MS)
    still_dry = bench.changes
    tape.put(sound(44_100))
    bench.run_until(at_ns + 800 * MS)

    assert dry == still_dry == before + 1
    assert bench.changes == dry + 1
    bench.close()


def test_the_end_of_the_line_is_a_change() -> None:
    bench = Bench()
    bench.add()
    at_ns = bench.begin(FakeSource(sound(4_410)))
    bench.run_until(at_ns + 100 * MS)
    before = bench.changes

    bench.run_until(at_ns + SECOND_NS)

    assert bench.ended
    assert bench.transmitter.line is None
    assert bench.changes == before + 1
    bench.close()
