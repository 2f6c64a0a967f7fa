"""UdpOutlet, with UdpSink as the receiver."""

from collections.abc import Iterator
import errno
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock, sockets
from custom_components.airplay.raop.engine.net.sockets import peers_of
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.ntp import to_unix_ns
from custom_components.airplay.raop.wire.rtp import SyncPacket
from tests.raop.engine.fakes import MS, FakePackets, UdpSink, heard, port_of
from tests.raop.vectors import octets

BURST_NS = 800_000
SECOND_NS = 1000 * MS


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    """Return an address of either family."""
    return str(request.param)


@pytest.fixture
def sink(host: str) -> Iterator[UdpSink]:
    """Return a receiver's ports."""
    opened = UdpSink(host)
    yield opened
    opened.close()


@pytest.fixture
def outlet(host: str, sink: UdpSink) -> Iterator[UdpOutlet]:
    """Return an outlet that is connected and may send."""
    opened = UdpOutlet(host, host, Format())
    opened.connect(*sink.ports())
    opened.start(100)
    yield opened
    opened.close()


def sequence(datagram: bytes) -> int:
    return int.from_bytes(datagram[2:4])


def pump_all(outlet: UdpOutlet, packets: FakePackets, now_ns: int = 0) -> int:
    """Pump until nothing is due for 5 ms; return the time."""
    while (due_ns := outlet.pump(now_ns, packets)) < now_ns + 5 * MS:
        now_ns = max(due_ns, now_ns)
    return now_ns


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


def test_four_packets_leave_in_0_8_ms(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(10)

    counts = []
    for now_ns in (0, 1, BURST_NS - 1, BURST_NS, 2 * BURST_NS, 3 * BURST_NS):
        outlet.pump(now_ns, packets)
        counts.append(len(heard(sink.audio)))

    assert counts == [4, 0, 0, 4, 2, 0]


def test_equal_datagrams_are_asked_for_once_a_burst(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(8)

    pump_all(outlet, packets)

    assert list(packets.batches) == [(100, 4), (104, 4)]
    assert [len(each) for each in heard(sink.audio)] == [1424] * 8


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

    assert sizes == [4 * 1424, *[1424] * 12]
    assert [sequence(packet) for packet in heard(sink.audio)] == list(range(100, 112))
    assert outlet.send_errors == 0


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
    assert outlet.send_errors > 0
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
        due_ns = outlet.pump(now_ns, packets)
        times += [now_ns] * len(heard(sink.control))
        now_ns = max(due_ns, now_ns + 1)

    eager = [at for at in times if at < SECOND_NS]
    assert eager == list(range(0, 501 * MS, 25 * MS))
    assert [at - 500 * MS for at in times[len(eager) :]] == [
        number * SECOND_NS for number in range(1, 5)
    ]


def ask_time(sink: UdpSink, outlet: UdpOutlet) -> bytes:
    request = octets("timing_request")
    host = sink.timing.getsockname()[0]
    sink.timing.sendto(request, (host, outlet.timing_port))
    return request


def test_the_first_question_for_the_time_brings_sync_packets_again(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets(at_ns=clock.now_ns())
    packets.fill(4)
    begun = pump_all(outlet, packets, clock.now_ns())
    for step in range(30):
        outlet.pump(begun + step * 25 * MS, packets)
    heard(sink.control)

    ask_time(sink, outlet)
    outlet.timing.answer()
    now_ns = clock.now_ns()
    outlet.pump(now_ns + 30 * MS, packets)
    outlet.pump(now_ns + 56 * MS, packets)

    assert len(heard(sink.control)) == 2


def test_a_question_for_the_time_is_answered_with_the_kernels_stamp(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    before_ns = clock.now_ns()
    request = ask_time(sink, outlet)
    after_ns = clock.now_ns()
    # The thread is held up, but the stamp shows when the question came.
    time.sleep(0.03)

    outlet.timing.answer()

    (reply,) = heard(sink.timing)
    sent_ns = clock.now_ns()
    assert reply[:8] == octets("timing_reply")[:8]
    assert reply[8:16] == request[24:32]
    received, sent = (to_unix_ns(int.from_bytes(reply[at : at + 8])) for at in (16, 24))
    assert before_ns - MS <= received <= after_ns + MS
    assert received + 29 * MS < sent <= sent_ns
    assert outlet.timing_replies == 1


def test_a_step_of_the_wall_clock_reaches_no_answer(
    outlet: UdpOutlet, sink: UdpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    ask_time(sink, outlet)
    monkeypatch.setattr(time, "time_ns", real)
    monkeypatch.setattr(sockets, "arrival_ns", lambda _: real() + 3600 * SECOND_NS)
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * SECOND_NS)

    now_ns = clock.now_ns()
    outlet.timing.answer()

    (reply,) = heard(sink.timing)
    for at in (16, 24):
        stamp = to_unix_ns(int.from_bytes(reply[at : at + 8]))
        assert abs(stamp - now_ns) < 100 * MS


def test_without_a_stamp_the_time_of_reading_counts(
    outlet: UdpOutlet, sink: UdpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "arrival_ns", lambda _: None)
    ask_time(sink, outlet)

    before_ns = clock.now_ns()
    outlet.timing.answer()

    (reply,) = heard(sink.timing)
    assert to_unix_ns(int.from_bytes(reply[16:24])) >= before_ns - 1


@pytest.mark.parametrize("host", ["127.0.0.1"], indirect=True)
def test_a_receiver_asks_from_any_of_its_addresses(sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(8)
    outlet = UdpOutlet("127.0.0.1", "127.0.0.1", Format(), peers=peers_of("127.0.0.9"))
    outlet.connect(*sink.ports())
    outlet.start(100)
    pump_all(outlet, packets)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    other.bind(("127.0.0.9", 0))

    other.sendto(octets("timing_request"), ("127.0.0.1", outlet.timing_port))
    other.sendto(resend(100, 8), ("127.0.0.1", outlet.control_port))
    outlet.timing.answer()
    outlet.read_requests()
    pump_all(outlet, packets, 10 * MS)

    assert len(heard(other)) == 1
    assert outlet.timing_replies == 1
    assert outlet.resent == 8
    other.close()
    outlet.close()


@pytest.mark.parametrize("host", ["127.0.0.1"], indirect=True)
def test_strangers_get_no_answer(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(8)
    pump_all(outlet, packets)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    stranger.bind(("127.0.0.9", 0))
    heard(sink.control)

    stranger.sendto(octets("timing_request"), ("127.0.0.1", outlet.timing_port))
    stranger.sendto(resend(100, 8), ("127.0.0.1", outlet.control_port))
    outlet.timing.answer()
    outlet.read_requests()
    pump_all(outlet, packets, 10 * MS)

    assert heard(stranger) == []
    assert outlet.timing_replies == outlet.resent == 0
    stranger.close()


@pytest.mark.parametrize(
    "nonsense", [b"", b"\x80", b"\x80\xd2", octets("timing_reply"), bytes(128)]
)
def test_nonsense_is_ignored(outlet: UdpOutlet, sink: UdpSink, nonsense: bytes) -> None:
    host = sink.timing.getsockname()[0]
    sink.timing.sendto(nonsense, (host, outlet.timing_port))
    sink.control.sendto(nonsense, (host, outlet.control_port))

    outlet.timing.answer()
    outlet.read_requests()

    assert heard(sink.timing) == heard(sink.control) == []
    assert outlet.timing_replies == 0


def resend(first: int, count: int) -> bytes:
    return octets("retransmit_request")[:4] + first.to_bytes(2) + count.to_bytes(2)


def want(
    sink: UdpSink, outlet: UdpOutlet, first: int, count: int, times: int = 1
) -> None:
    host = sink.control.getsockname()[0]
    for _ in range(times):
        sink.control.sendto(resend(first, count), (host, outlet.control_port))


def test_lost_packets_are_sent_again_over_the_control_channel(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(20)
    now_ns = pump_all(outlet, packets)
    heard(sink.control)
    sent = heard(sink.audio)

    want(sink, outlet, 105, 3)
    outlet.read_requests()
    outlet.pump(now_ns, packets)

    again = [each for each in heard(sink.control) if each[1] == 0xD6]
    assert [each[4:] for each in again] == sent[5:8]
    assert all(each[:4] == b"\x80\xd6\x00\x01" for each in again)
    assert outlet.resent == 3


def test_only_sent_packets_are_sent_again(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(20)
    outlet.pump(0, packets)
    heard(sink.control)

    want(sink, outlet, 90, 40)
    outlet.read_requests()
    outlet.pump(1, packets)

    again = [sequence(each[4:]) for each in heard(sink.control) if each[1] == 0xD6]
    assert again == [100, 101, 102, 103]


def test_a_flood_of_requests_is_bounded_in_time_and_traffic(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    packets = FakePackets()
    packets.fill(900)
    now_ns = pump_all(outlet, packets)
    heard(sink.audio)
    heard(sink.control)

    want(sink, outlet, 0, 65_535, times=100)
    begun = time.thread_time()
    for _ in range(3):
        outlet.read_requests()
    spent = time.thread_time() - begun
    # A real-time thread that spins for half a second loses its priority.
    assert spent < 0.2

    outlet.pump(now_ns, packets)
    assert outlet.resent <= 16
    for _ in range(200):
        now_ns += BURST_NS
        outlet.pump(now_ns, packets)
    assert outlet.resent <= 1024


def test_a_start_forgets_old_requests(outlet: UdpOutlet, sink: UdpSink) -> None:
    packets = FakePackets()
    packets.fill(20)
    now_ns = pump_all(outlet, packets)
    want(sink, outlet, 100, 10)
    outlet.read_requests()

    outlet.start(110)
    pump_all(outlet, packets, now_ns)

    assert outlet.resent == 0
    assert [each for each in heard(sink.audio) if each[1] == 0xE0][-1][2:4] == b"\0\x6e"


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


def test_evidence_is_reported_immediately_and_then_at_most_once_a_second(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    told: list[int] = []
    outlet.on_evidence = lambda _now_ns, is_first: told.append(is_first)

    ask_time(sink, outlet)
    outlet.timing.answer()
    assert len(told) == 1

    ask_time(sink, outlet)
    outlet.timing.answer()
    assert len(told) == 1

    outlet._evident_ns -= 1_000 * MS
    ask_time(sink, outlet)
    outlet.timing.answer()
    assert len(told) == 2
