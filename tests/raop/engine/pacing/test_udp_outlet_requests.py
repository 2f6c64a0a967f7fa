"""What a receiver asks of UdpOutlet: the time, and lost packets."""

import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock, sockets
from custom_components.airplay.raop.engine.net.sockets import peers_of
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.wire.ntp import to_unix_ns
from tests.raop.engine.fakes import MS, FakePackets, UdpSink, heard
from tests.raop.vectors import octets

from .pumping import BURST_NS, SECOND_NS, ask_time, pump_all, sequence


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

    want(sink, outlet, 95, 40)
    outlet.read_requests()
    outlet.pump(1, packets)

    again = [sequence(each[4:]) for each in heard(sink.control) if each[1] == 0xD6]
    assert again == list(range(100, 108))


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


def test_only_the_first_answer_is_new_evidence(
    outlet: UdpOutlet, sink: UdpSink
) -> None:
    told: list[bool] = []
    outlet.on_evidence = lambda _, is_first: told.append(is_first)

    for _ in range(3):
        ask_time(sink, outlet)
        outlet.timing.answer()

    assert told == [True, False, False]
