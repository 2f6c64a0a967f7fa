"""UdpOutlet, with UdpSink as the receiver."""

import errno
from itertools import pairwise

import pytest

from custom_components.airplay.raop.engine.net import sockets
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.rtp import SyncPacket
from tests.raop.engine.fakes import MS, FakePackets, UdpSink, heard, port_of

from .pumping import BURST_NS, SECOND_NS, ask_time, pump_all, sequence


def test_a_start_is_marked_in_the_first_sync_and_the_first_packet(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(8)

    pump_all(outlet, packets)

    syncs, datagrams = heard(sink.control), heard(sink.audio)
    assert SyncPacket.parse(syncs[0]).is_first
    assert [each[1] for each in datagrams] == [0xE0, *[0x60] * 7]
    assert [sequence(each) for each in datagrams] == list(range(100, 108))
    assert outlet.packets == 8


def test_nothing_is_sent_before_there_is_something_to_send(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()

    assert outlet.pump(0, packets) > 3600 * SECOND_NS
    assert heard(sink.control) == heard(sink.audio) == []


def test_nothing_is_sent_without_a_line(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(4)
    packets.line = None

    assert outlet.pump(0, packets) > 3600 * SECOND_NS
    assert heard(sink.control) == heard(sink.audio) == []


def test_eight_packets_leave_in_1_6_ms(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(18)

    counts = []
    for now_ns in (0, 1, BURST_NS - 1, BURST_NS, 2 * BURST_NS, 3 * BURST_NS):
        outlet.pump(now_ns, packets)
        counts.append(len(heard(sink.audio)))

    assert counts == [8, 0, 0, 8, 2, 0]


def test_equal_datagrams_are_asked_for_once_a_burst(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(16)

    pump_all(outlet, packets)

    assert list(packets.batches) == [(100, 8), (108, 8)]
    assert [len(each) for each in heard(sink.audio)] == [1424] * 16


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL, errno.EMSGSIZE])
def test_a_path_that_cannot_segment_is_sent_single_packets(
    outlet: UdpOutlet, sink: UdpSink, number: int
) -> None:
    packets = FakePackets()
    packets.fill(12)
    audio = outlet._audio
    assert audio is not None
    sizes: list[int] = []

    class Stubborn:
        def send(self, payload: bytes) -> int:
            sizes.append(len(payload))
            if len(payload) > 1424:
                raise OSError(number, "cannot segment")
            return plain.send(payload)

        def close(self) -> None:
            plain.close()

    own, peer = audio.getsockname()[0], audio.getpeername()
    audio.close()
    plain = sockets.bind(own)
    plain.connect(peer)
    outlet._audio = Stubborn()  # type: ignore[assignment]
    outlet._is_segmenting = True

    pump_all(outlet, packets)

    assert sizes == [8 * 1424, *[1424] * 12]
    assert [sequence(packet) for packet in heard(sink.audio)] == list(range(100, 112))
    assert outlet.sending.errors == 0


def test_a_receiver_whose_port_is_closed_costs_nothing_but_its_packets(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    sink.audio.close()
    sink.control.close()

    for number in range(20):
        packets.fill(4)
        outlet.pump(number * 10 * MS, packets)

    assert outlet.packets == 80
    assert outlet.sending.errors > 0
    assert outlet.sending.problem == "Connection refused"


class Refusing:
    """A socket of an outlet whose system accepts nothing until told to."""

    def __init__(self) -> None:
        self.is_closed = True

    def send(self, payload: bytes) -> int:
        if self.is_closed:
            raise OSError(errno.EPERM, "Operation not permitted")
        return len(payload)

    def close(self) -> None:
        """Do nothing."""


def test_nothing_counts_as_evidence_while_audio_cannot_be_sent(
    outlet: UdpOutlet, sink: UdpSink, caplog: pytest.LogCaptureFixture
) -> None:
    ask_time(sink, outlet)
    outlet.timing.answer()
    before_ns = outlet.last_evidence_ns
    packets, gate = FakePackets(), Refusing()
    assert outlet._audio is not None
    outlet._audio.close()
    outlet._audio = gate  # type: ignore[assignment]
    now_ns = 0

    def problem() -> str | None:
        return outlet.sending.problem

    def send(count: int) -> None:
        nonlocal now_ns
        packets.fill(count)
        now_ns = pump_all(outlet, packets, now_ns + 10 * MS)

    assert outlet.timing_replies == 1
    send(8)
    ask_time(sink, outlet)
    outlet.timing.answer()

    assert problem() == "Operation not permitted"
    assert outlet.timing_replies == 0
    assert outlet.last_evidence_ns == before_ns
    for _ in range(3):
        outlet.link(now_ns)
    assert caplog.text.count("Operation not permitted") == 1

    gate.is_closed = False
    send(60)
    assert outlet.timing_replies == 0
    send(4)
    assert problem() is None
    assert outlet.timing_replies == 2
    assert outlet.last_evidence_ns != before_ns


def test_sync_packets_are_frequent_initially_and_then_come_once_a_second(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(4)
    now_ns, times = 0, []
    while now_ns < 5 * SECOND_NS:
        # From time to time there are other packets to send.
        due_ns = min(outlet.pump(now_ns, packets), now_ns + 64 * MS)
        times += [now_ns] * len(heard(sink.control))
        now_ns = max(due_ns, now_ns + 1)

    eager = [at for at in times if at < SECOND_NS]
    assert eager == list(range(0, 501 * MS, 25 * MS))
    for earlier, later in pairwise(times[len(eager) - 1 :]):
        assert SECOND_NS <= later - earlier <= SECOND_NS + 64 * MS


def test_a_sync_packet_that_nothing_else_takes_along_is_a_little_late(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(4)
    now_ns = 0
    while now_ns < SECOND_NS:
        now_ns = outlet.pump(now_ns, packets)
    heard(sink.control)

    assert now_ns == 1500 * MS + 70 * MS
    assert outlet.pump(now_ns, packets) == now_ns + SECOND_NS + 70 * MS
    assert len(heard(sink.control)) == 1


def test_l16_is_sent_in_its_own_size(host: str, sink: UdpSink) -> None:
    outlet = UdpOutlet(host, host, Format(Codec.L16))
    outlet.connect(*sink.ports())
    outlet.start(100)
    packets = FakePackets()
    packets.fill(8)

    pump_all(outlet, packets)

    assert [len(each) for each in heard(sink.audio)] == [1420] * 8
    outlet.close()


def test_a_closed_outlet_sends_nothing(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(8)

    outlet.close()

    assert outlet.pump(0, packets) > 3600 * SECOND_NS
    assert heard(sink.audio) == []


def test_ports_are_those_of_the_sockets(outlet: UdpOutlet) -> None:
    assert outlet.control_port == port_of(outlet.control)
    assert outlet.timing_port == port_of(outlet.timing.sock)
    assert outlet.control_port != outlet.timing_port
