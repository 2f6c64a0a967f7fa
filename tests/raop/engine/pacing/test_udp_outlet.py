"""One receiver's UDP side, its receiver a pair of ears."""

from collections.abc import Iterator
import errno
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock, sockets
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.ntp import to_unix_ns
from custom_components.airplay.raop.wire.rtp import SyncPacket
from tests.raop.engine.stand_ins import MS, FakePackets, UdpSink, heard, port_of
from tests.raop.vectors import octets

BURST_NS = 800_000
SECOND_NS = 1000 * MS


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    """Return an address of either family."""
    return str(request.param)


@pytest.fixture
def ears(host: str) -> Iterator[UdpSink]:
    """Return a receiver's ports."""
    it = UdpSink(host)
    yield it
    it.close()


@pytest.fixture
def outlet(host: str, ears: UdpSink) -> Iterator[UdpOutlet]:
    """Return an outlet that is connected and may send."""
    it = UdpOutlet(host, host, Format())
    it.connect(*ears.ports())
    it.start(100)
    yield it
    it.close()


def sequence(datagram: bytes) -> int:
    return int.from_bytes(datagram[2:4])


def pump_all(outlet: UdpOutlet, shelf: FakePackets, now_ns: int = 0) -> int:
    """Pump until nothing is due for 5 ms; return the time."""
    while (due_ns := outlet.pump(now_ns, shelf)) < now_ns + 5 * MS:
        now_ns = max(due_ns, now_ns)
    return now_ns


def test_a_start_is_marked_in_the_first_sync_and_the_first_packet(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    shelf.fill(8)

    pump_all(outlet, shelf)

    syncs, packets = heard(ears.control), heard(ears.audio)
    assert SyncPacket.parse(syncs[0]).is_first
    assert [packet[1] for packet in packets] == [0xE0, *[0x60] * 7]
    assert [sequence(packet) for packet in packets] == list(range(100, 108))
    assert outlet.packets == 8


def test_nothing_is_sent_before_there_is_something_to_send(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()

    assert outlet.pump(0, shelf) > 3600 * SECOND_NS
    assert heard(ears.control) == heard(ears.audio) == []


def test_nothing_is_sent_without_a_line(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(4)
    shelf.line = None

    assert outlet.pump(0, shelf) > 3600 * SECOND_NS
    assert heard(ears.control) == heard(ears.audio) == []


def test_four_packets_leave_in_0_8_ms(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(10)

    counts = []
    for now_ns in (0, 1, BURST_NS - 1, BURST_NS, 2 * BURST_NS, 3 * BURST_NS):
        outlet.pump(now_ns, shelf)
        counts.append(len(heard(ears.audio)))

    assert counts == [4, 0, 0, 4, 2, 0]


def test_equal_datagrams_are_asked_for_once_a_burst(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    shelf.fill(8)

    pump_all(outlet, shelf)

    assert list(shelf.batches) == [(100, 4), (104, 4)]
    assert [len(each) for each in heard(ears.audio)] == [1424] * 8


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL, errno.EMSGSIZE])
def test_a_path_that_cannot_segment_is_sent_single_packets(
    outlet: UdpOutlet, ears: UdpSink, number: int
) -> None:
    shelf = FakePackets()
    shelf.fill(12)
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

    pump_all(outlet, shelf)

    assert sizes == [4 * 1424, *[1424] * 12]
    assert [sequence(packet) for packet in heard(ears.audio)] == list(range(100, 112))
    assert outlet.send_errors == 0


def test_a_receiver_whose_port_is_closed_costs_nothing_but_its_packets(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    ears.audio.close()
    ears.control.close()

    for number in range(20):
        shelf.fill(4)
        outlet.pump(number * 10 * MS, shelf)

    assert outlet.packets == 80
    assert outlet.send_errors > 0


def test_sync_packets_are_frequent_at_first_and_then_come_once_a_second(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    shelf.fill(4)
    now_ns, times = 0, []
    while now_ns < 5 * SECOND_NS:
        due_ns = outlet.pump(now_ns, shelf)
        times += [now_ns] * len(heard(ears.control))
        now_ns = max(due_ns, now_ns + 1)

    eager = [at for at in times if at < SECOND_NS]
    assert eager == list(range(0, 501 * MS, 25 * MS))
    assert [at - 500 * MS for at in times[len(eager) :]] == [
        number * SECOND_NS for number in range(1, 5)
    ]


def ask_time(ears: UdpSink, outlet: UdpOutlet) -> bytes:
    request = octets("timing_request")
    host = ears.timing.getsockname()[0]
    ears.timing.sendto(request, (host, outlet.timing_port))
    return request


def test_the_first_question_for_the_time_brings_sync_packets_again(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets(at_ns=clock.now_ns())
    shelf.fill(4)
    begun = pump_all(outlet, shelf, clock.now_ns())
    for step in range(30):
        outlet.pump(begun + step * 25 * MS, shelf)
    heard(ears.control)

    ask_time(ears, outlet)
    outlet.timing.answer()
    now_ns = clock.now_ns()
    outlet.pump(now_ns + 30 * MS, shelf)
    outlet.pump(now_ns + 56 * MS, shelf)

    assert len(heard(ears.control)) == 2


def test_a_question_for_the_time_is_answered_with_the_kernels_stamp(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    before_ns = clock.now_ns()
    request = ask_time(ears, outlet)
    after_ns = clock.now_ns()
    # The thread is held up, but the stamp tells when the question came.
    time.sleep(0.03)

    outlet.timing.answer()

    (reply,) = heard(ears.timing)
    sent_ns = clock.now_ns()
    assert reply[:8] == octets("timing_reply")[:8]
    assert reply[8:16] == request[24:32]
    received, sent = (to_unix_ns(int.from_bytes(reply[at : at + 8])) for at in (16, 24))
    assert before_ns - MS <= received <= after_ns + MS
    assert received + 29 * MS < sent <= sent_ns
    assert outlet.timing_replies == 1


def test_a_step_of_the_wall_clock_reaches_no_answer(
    outlet: UdpOutlet, ears: UdpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    ask_time(ears, outlet)
    monkeypatch.setattr(time, "time_ns", real)
    monkeypatch.setattr(sockets, "arrival_ns", lambda _: real() + 3600 * SECOND_NS)
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * SECOND_NS)

    now_ns = clock.now_ns()
    outlet.timing.answer()

    (reply,) = heard(ears.timing)
    for at in (16, 24):
        stamp = to_unix_ns(int.from_bytes(reply[at : at + 8]))
        assert abs(stamp - now_ns) < 100 * MS


def test_without_a_stamp_the_time_of_reading_counts(
    outlet: UdpOutlet, ears: UdpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "arrival_ns", lambda _: None)
    ask_time(ears, outlet)

    before_ns = clock.now_ns()
    outlet.timing.answer()

    (reply,) = heard(ears.timing)
    assert to_unix_ns(int.from_bytes(reply[16:24])) >= before_ns - 1


@pytest.mark.parametrize("host", ["127.0.0.1"], indirect=True)
def test_strangers_get_no_answer(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(8)
    pump_all(outlet, shelf)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    stranger.bind(("127.0.0.9", 0))
    heard(ears.control)

    stranger.sendto(octets("timing_request"), ("127.0.0.1", outlet.timing_port))
    stranger.sendto(resend(100, 8), ("127.0.0.1", outlet.control_port))
    outlet.timing.answer()
    outlet.read_requests()
    pump_all(outlet, shelf, 10 * MS)

    assert heard(stranger) == []
    assert outlet.timing_replies == outlet.resent == 0
    stranger.close()


@pytest.mark.parametrize(
    "nonsense", [b"", b"\x80", b"\x80\xd2", octets("timing_reply"), bytes(128)]
)
def test_nonsense_is_ignored(outlet: UdpOutlet, ears: UdpSink, nonsense: bytes) -> None:
    host = ears.timing.getsockname()[0]
    ears.timing.sendto(nonsense, (host, outlet.timing_port))
    ears.control.sendto(nonsense, (host, outlet.control_port))

    outlet.timing.answer()
    outlet.read_requests()

    assert heard(ears.timing) == heard(ears.control) == []
    assert outlet.timing_replies == 0


def resend(first: int, count: int) -> bytes:
    return octets("retransmit_request")[:4] + first.to_bytes(2) + count.to_bytes(2)


def want(
    ears: UdpSink, outlet: UdpOutlet, first: int, count: int, times: int = 1
) -> None:
    host = ears.control.getsockname()[0]
    for _ in range(times):
        ears.control.sendto(resend(first, count), (host, outlet.control_port))


def test_lost_packets_are_sent_again_over_the_control_channel(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    shelf.fill(20)
    now_ns = pump_all(outlet, shelf)
    heard(ears.control)
    packets = heard(ears.audio)

    want(ears, outlet, 105, 3)
    outlet.read_requests()
    outlet.pump(now_ns, shelf)

    again = [each for each in heard(ears.control) if each[1] == 0xD6]
    assert [each[4:] for each in again] == packets[5:8]
    assert all(each[:4] == b"\x80\xd6\x00\x01" for each in again)
    assert outlet.resent == 3


def test_only_what_was_sent_is_sent_again(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(20)
    outlet.pump(0, shelf)
    heard(ears.control)

    want(ears, outlet, 90, 40)
    outlet.read_requests()
    outlet.pump(1, shelf)

    again = [sequence(each[4:]) for each in heard(ears.control) if each[1] == 0xD6]
    assert again == [100, 101, 102, 103]


def test_a_flood_of_requests_is_bounded_in_time_and_traffic(
    outlet: UdpOutlet, ears: UdpSink
) -> None:
    shelf = FakePackets()
    shelf.fill(900)
    now_ns = pump_all(outlet, shelf)
    heard(ears.audio)
    heard(ears.control)

    want(ears, outlet, 0, 65_535, times=100)
    begun = time.thread_time()
    for _ in range(3):
        outlet.read_requests()
    spent = time.thread_time() - begun
    # A real-time thread that spins for half a second loses its priority.
    assert spent < 0.2

    outlet.pump(now_ns, shelf)
    assert outlet.resent <= 16
    for _ in range(200):
        now_ns += BURST_NS
        outlet.pump(now_ns, shelf)
    assert outlet.resent <= 1024


def test_a_start_forgets_old_requests(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(20)
    now_ns = pump_all(outlet, shelf)
    want(ears, outlet, 100, 10)
    outlet.read_requests()

    outlet.start(110)
    pump_all(outlet, shelf, now_ns)

    assert outlet.resent == 0
    assert [each for each in heard(ears.audio) if each[1] == 0xE0][-1][2:4] == b"\0\x6e"


def test_l16_is_sent_in_its_own_size(host: str, ears: UdpSink) -> None:
    outlet = UdpOutlet(host, host, Format(Codec.L16))
    outlet.connect(*ears.ports())
    outlet.start(100)
    shelf = FakePackets()
    shelf.fill(8)

    pump_all(outlet, shelf)

    assert [len(each) for each in heard(ears.audio)] == [1420] * 8
    outlet.close()


def test_a_closed_outlet_sends_nothing(outlet: UdpOutlet, ears: UdpSink) -> None:
    shelf = FakePackets()
    shelf.fill(8)

    outlet.close()

    assert outlet.pump(0, shelf) > 3600 * SECOND_NS
    assert heard(ears.audio) == []


def test_ports_are_those_of_the_sockets(outlet: UdpOutlet) -> None:
    assert outlet.control_port == port_of(outlet.control)
    assert outlet.timing_port == port_of(outlet.timing.sock)
    assert outlet.control_port != outlet.timing_port
