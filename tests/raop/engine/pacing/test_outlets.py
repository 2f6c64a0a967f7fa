"""Which packet a receiver begins with that joins a line, pumped by hand."""

from custom_components.airplay.raop.engine.pacing.packet_source import BATCH
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.timeline import SECOND_NS
from tests.raop.engine.fakes import MS, PACKET_NS, FakeSource, heard, sound

from .test_transmitter import SEQUENCE, Bench, sequences

LEAD_NS = 500 * MS
# The reserve of the transmitter for RECORD and the volume.
MARGIN_NS = 100 * MS


def playing(depth_ms: int) -> Bench:
    """Return a bench on which music has been played for a second."""
    bench = Bench(depth_ms)
    bench.add()
    at_ns = bench.begin(FakeSource(sound(5 * 44_100)))
    bench.run_until(at_ns + SECOND_NS)
    return bench


def heard_in_ns(bench: Bench, sequence: int) -> int:
    """Return how soon a packet plays."""
    line = bench.transmitter.line
    assert line is not None
    frame = bench.transmitter.backlog.frame_of(sequence)
    return line.time_of(frame) - bench.now_ns


def join_after(bench: Bench, waited_ns: int) -> tuple[int, UdpOutlet]:
    """Attach an outlet so long after its entry was chosen; return both."""
    entry = bench.transmitter.entry(bench.now_ns, LEAD_NS)
    bench.run_until(bench.now_ns + waited_ns)
    bench.add(sequence=entry)
    outlet = bench.outlets[-1]
    bench.transmitter.detach(outlet)
    bench.transmitter.attach(outlet, entry, now_ns=bench.now_ns, lead_ns=LEAD_NS)
    return entry, outlet


def test_a_join_begins_with_the_earliest_packet_that_can_play() -> None:
    bench = playing(depth_ms=2000)
    entry = bench.transmitter.entry(bench.now_ns, LEAD_NS)

    later = heard_in_ns(bench, entry) - LEAD_NS - MARGIN_NS
    assert 0 <= later <= PACKET_NS
    sink = bench.add(sequence=entry)
    bench.run_until(bench.now_ns + 100 * MS)

    got = sequences(heard(sink.audio))
    assert got[0] == entry & 0xFFFF
    assert got == [(entry + at) & 0xFFFF for at in range(len(got))]
    assert len(got) * PACKET_NS > SECOND_NS
    bench.close()


def test_a_join_that_took_too_long_begins_at_a_later_packet() -> None:
    bench = playing(depth_ms=2000)

    entry, outlet = join_after(bench, SECOND_NS)

    assert outlet.cursor is not None
    assert outlet.cursor > entry
    assert LEAD_NS <= heard_in_ns(bench, outlet.cursor) <= LEAD_NS + PACKET_NS
    heard_ns = bench.transmitter.heard_ns(outlet)
    assert heard_ns == bench.now_ns + heard_in_ns(bench, outlet.cursor)
    bench.close()


def test_a_join_within_the_margin_begins_at_the_chosen_packet() -> None:
    bench = playing(depth_ms=2000)

    entry, outlet = join_after(bench, MARGIN_NS)

    assert outlet.cursor == entry
    bench.close()


def test_a_join_with_a_short_buffer_begins_at_the_next_packet() -> None:
    bench = playing(depth_ms=300)

    entry = bench.transmitter.entry(bench.now_ns, LEAD_NS)

    assert abs(entry - bench.transmitter.next_sequence) <= BATCH
    bench.close()


def test_frames_before_the_line_do_not_play() -> None:
    bench = playing(depth_ms=2000)
    bench.transmitter.hush(bench.now_ns)
    first = bench.transmitter.next_sequence
    assert bench.transmitter.entry(bench.now_ns, LEAD_NS) == first

    bench.begin(FakeSource(sound(44_100)), lead_ns=3 * SECOND_NS)

    assert bench.transmitter.entry(bench.now_ns, 0) == first
    assert bench.transmitter.entry(bench.now_ns, LEAD_NS) == first
    bench.close()


def test_start_time_is_known_only_with_a_line_and_skips_leading_silence() -> None:
    bench = Bench()
    bench.add()
    outlet = bench.outlets[0]
    assert bench.transmitter.heard_ns(outlet) is None

    at_ns = bench.begin(FakeSource(sound(44_100)))

    assert bench.transmitter.heard_ns(outlet) == at_ns
    bench.transmitter.detach(outlet)
    assert bench.transmitter.heard_ns(outlet) is None
    bench.close()


def test_an_early_receiver_begins_with_a_later_packet() -> None:
    bench = playing(depth_ms=2000)
    usual = bench.transmitter.entry(bench.now_ns, LEAD_NS)

    early = bench.transmitter.entry(bench.now_ns, LEAD_NS, delay_frames=-4410)
    late = bench.transmitter.entry(bench.now_ns, LEAD_NS, delay_frames=4410)

    assert early - usual in (12, 13)
    assert usual - late in (12, 13)
    assert usual > SEQUENCE
    bench.close()
