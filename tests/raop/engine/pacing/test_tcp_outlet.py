"""One receiver's TCP side, its receiver the other end of a connection."""

from collections.abc import Iterator
import select
import socket

import pytest

from custom_components.airplay.raop.auth.packet_seal import PacketSeal
from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.pacing.tcp_outlet import (
    BufferedAnchor,
    TcpOutlet,
)
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.session.lead import START_PACKETS
from custom_components.airplay.raop.session.timeline import Line
from tests.raop.engine.fakes import MS, FakePackets

FAR_NS = 3600 * 1000 * MS
SHAPE = Format(key=PacketSeal(bytes(32)), ssrc=0xFACE, is_buffered=True)
# Far more than both ends of a connection hold.
MANY = 900


class ConnectedOutlet:
    """An outlet, the receiver's end of its connection, and the outlet's reports."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            self.theirs, _ = server.accept()
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.theirs.setblocking(False)
        self.anchors: list[BufferedAnchor] = []
        self.ends = 0
        self.outlet = TcpOutlet(
            ours, SHAPE, on_anchor=self.anchors.append, on_end=self._end
        )
        self.packets = FakePackets(at_ns=7)

    def _end(self) -> None:
        self.ends += 1

    def read(self, size: int) -> bytes:
        """Return so many bytes, sending on meanwhile."""
        # Windows as small as before are opened by and by, every time after a wait.
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        received = b""
        while len(received) < size:
            self.outlet.pump(0, self.packets)
            if select.select([self.theirs], [], [], 0.05)[0]:
                received += self.theirs.recv(size - len(received))
        return received

    def receive_packets(self, count: int) -> list[tuple[int, int]]:
        """Return the sequence numbers and RTP times of packets as they come."""
        size = SHAPE.datagram_bytes
        received = self.read(count * size)
        packets = [received[at : at + size] for at in range(0, len(received), size)]
        assert {int.from_bytes(packet[:2]) for packet in packets} == {size}
        return [
            (int.from_bytes(packet[3:6]) & 0x7FFFFF, int.from_bytes(packet[6:10]))
            for packet in packets
        ]


@pytest.fixture
def connected(socket_enabled: None) -> Iterator[ConnectedOutlet]:
    """Return an outlet that is connected."""
    connected = ConnectedOutlet()
    yield connected
    connected.theirs.close()
    connected.outlet.unplug(Pacer())


def test_packets_go_out_whole_and_in_order(connected: ConnectedOutlet) -> None:
    connected.outlet.start(100)
    connected.packets.fill(10)

    assert connected.outlet.pump(0, connected.packets) > FAR_NS

    assert connected.receive_packets(10) == [(100 + n, 352 * n) for n in range(10)]
    assert connected.outlet.packets == 10


def test_nothing_is_sent_before_a_start_or_without_a_line(
    connected: ConnectedOutlet,
) -> None:
    connected.packets.fill(1)
    assert connected.outlet.pump(0, connected.packets) > FAR_NS
    connected.outlet.start(100)
    connected.packets.line = None
    assert connected.outlet.pump(0, connected.packets) > FAR_NS

    with pytest.raises(BlockingIOError):
        connected.theirs.recv(1)
    assert connected.anchors == []


def test_a_receiver_that_accepts_nothing_for_now_is_tried_again(
    connected: ConnectedOutlet,
) -> None:
    connected.outlet.start(100)
    connected.packets.fill(MANY)

    due_ns = connected.outlet.pump(0, connected.packets)

    assert 0 < due_ns < 20 * MS
    assert 0 < connected.outlet.packets < MANY
    assert connected.receive_packets(MANY) == [(100 + n, 352 * n) for n in range(MANY)]
    assert connected.outlet.pump(0, connected.packets) > FAR_NS


def test_a_packet_that_was_begun_is_sent_whole_before_a_new_start(
    connected: ConnectedOutlet,
) -> None:
    connected.outlet.start(100)
    connected.packets.fill(MANY)
    connected.outlet.pump(0, connected.packets)
    begun = connected.outlet.packets

    connected.outlet.start(100 + MANY)
    connected.packets.fill(1)

    received: list[tuple[int, int]] = []
    while not received or received[-1][0] < 100 + MANY:
        received += connected.receive_packets(1)
    assert len(received) <= begun + 1
    assert [number for number, _ in received[:-1]] == list(
        range(100, 100 + len(received) - 1)
    )
    assert received[-1] == (100 + MANY, 352 * MANY)


def test_packets_of_a_start_that_are_late_are_its_losses(
    connected: ConnectedOutlet,
) -> None:
    outlet, packets = connected.outlet, connected.packets
    outlet.start(100)
    packets.fill(16)
    outlet.pump(0, packets)
    assert outlet.start_losses == 0

    packets.fill(16)
    outlet.pump(1000 * MS, packets)
    assert outlet.start_losses == 2

    packets.fill(START_PACKETS)
    connected.read(32 * SHAPE.datagram_bytes)
    outlet.start(100 + 32 + START_PACKETS)
    assert outlet.start_losses == 0


def test_packets_after_a_start_are_no_losses_of_it(connected: ConnectedOutlet) -> None:
    connected.outlet.start(100)
    connected.packets.fill(START_PACKETS)
    connected.receive_packets(START_PACKETS)
    connected.packets.fill(8)

    connected.outlet.pump(60_000 * MS, connected.packets)

    assert connected.outlet.packets == START_PACKETS + 8
    assert connected.outlet.start_losses == 0


def test_the_line_is_stated_once_and_again_when_it_changes(
    connected: ConnectedOutlet,
) -> None:
    connected.outlet.start(100)
    connected.packets.fill(4)
    connected.outlet.pump(0, connected.packets)
    connected.packets.fill(4)
    connected.outlet.pump(0, connected.packets)
    assert connected.anchors == [BufferedAnchor(0, 7)]

    connected.outlet.delay_frames = 441
    connected.outlet.pump(0, connected.packets)
    assert connected.packets.line is not None
    ahead_ns = connected.packets.line.time_of(8 * 352)
    assert connected.anchors[1:] == [BufferedAnchor(8 * 352 - 441, ahead_ns)]

    connected.packets.line = Line(8 * 352, 99)
    connected.outlet.start(108)
    connected.outlet.pump(0, connected.packets)
    assert connected.anchors[2:] == [BufferedAnchor(8 * 352 - 441, 99)]


@pytest.mark.parametrize("is_read", [True, False])
def test_the_end_of_the_connection_is_reported(
    connected: ConnectedOutlet, is_read: bool
) -> None:
    connected.outlet.plug(Pacer())
    connected.outlet.start(100)
    connected.packets.fill(MANY)
    connected.theirs.close()

    if is_read:
        connected.outlet._listen()
    else:
        while not connected.ends:
            connected.outlet.pump(0, connected.packets)

    assert connected.ends >= 1
    assert connected.outlet.cursor is None
    assert connected.outlet.pump(0, connected.packets) > FAR_NS


@pytest.mark.parametrize("later_ns", [0, 1, 22_675, 22_676, 987_654_321, -5_000_000])
def test_an_anchor_is_the_same_line_at_any_time(later_ns: int) -> None:
    line = Line(500, 10**18)
    anchor = BufferedAnchor(line.frame, line.at_ns).at(line.at_ns + later_ns)

    assert anchor.frame == line.frame_at(line.at_ns + later_ns)
    assert anchor.at_ns == line.time_of(anchor.frame) <= line.at_ns + later_ns
