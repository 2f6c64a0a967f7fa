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
from custom_components.airplay.raop.session.timeline import Line
from tests.raop.engine.stand_ins import MS, FakePackets

FAR_NS = 3600 * 1000 * MS
SHAPE = Format(key=PacketSeal(bytes(32)), ssrc=0xFACE, is_buffered=True)
# Far more than both ends of a connection hold.
MANY = 900


class Room:
    """An outlet, the receiver's end of its connection, and what it tells."""

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
        self.shelf = FakePackets(at_ns=7)

    def _end(self) -> None:
        self.ends += 1

    def read(self, size: int) -> bytes:
        """Return so many bytes, sending on meanwhile."""
        # Windows as small as before are opened by and by, every time after a wait.
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        received = b""
        while len(received) < size:
            self.outlet.pump(0, self.shelf)
            if select.select([self.theirs], [], [], 0.05)[0]:
                received += self.theirs.recv(size - len(received))
        return received

    def packets(self, count: int) -> list[tuple[int, int]]:
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
def room(socket_enabled: None) -> Iterator[Room]:
    """Return an outlet that is connected."""
    it = Room()
    yield it
    it.theirs.close()
    it.outlet.unplug(Pacer())


def test_packets_go_out_whole_and_in_order(room: Room) -> None:
    room.outlet.start(100)
    room.shelf.fill(10)

    assert room.outlet.pump(0, room.shelf) > FAR_NS

    assert room.packets(10) == [(100 + n, 352 * n) for n in range(10)]
    assert room.outlet.packets == 10


def test_nothing_is_sent_before_a_start_or_without_a_line(room: Room) -> None:
    room.shelf.fill(1)
    assert room.outlet.pump(0, room.shelf) > FAR_NS
    room.outlet.start(100)
    room.shelf.line = None
    assert room.outlet.pump(0, room.shelf) > FAR_NS

    with pytest.raises(BlockingIOError):
        room.theirs.recv(1)
    assert room.anchors == []


def test_a_receiver_that_takes_nothing_for_now_is_asked_again(room: Room) -> None:
    room.outlet.start(100)
    room.shelf.fill(MANY)

    due_ns = room.outlet.pump(0, room.shelf)

    assert 0 < due_ns < 20 * MS
    assert 0 < room.outlet.packets < MANY
    assert room.packets(MANY) == [(100 + n, 352 * n) for n in range(MANY)]
    assert room.outlet.pump(0, room.shelf) > FAR_NS


def test_a_packet_that_was_begun_is_sent_whole_before_a_new_start(room: Room) -> None:
    room.outlet.start(100)
    room.shelf.fill(MANY)
    room.outlet.pump(0, room.shelf)
    begun = room.outlet.packets

    room.outlet.start(100 + MANY)
    room.shelf.fill(1)

    received: list[tuple[int, int]] = []
    while not received or received[-1][0] < 100 + MANY:
        received += room.packets(1)
    assert len(received) <= begun + 1
    assert [number for number, _ in received[:-1]] == list(
        range(100, 100 + len(received) - 1)
    )
    assert received[-1] == (100 + MANY, 352 * MANY)


def test_the_line_is_told_once_and_again_where_it_changes(room: Room) -> None:
    room.outlet.start(100)
    room.shelf.fill(4)
    room.outlet.pump(0, room.shelf)
    room.shelf.fill(4)
    room.outlet.pump(0, room.shelf)
    assert room.anchors == [BufferedAnchor(0, 7)]

    room.outlet.delay_frames = 441
    room.outlet.pump(0, room.shelf)
    assert room.shelf.line is not None
    ahead_ns = room.shelf.line.time_of(8 * 352)
    assert room.anchors[1:] == [BufferedAnchor(8 * 352 - 441, ahead_ns)]

    room.shelf.line = Line(8 * 352, 99)
    room.outlet.start(108)
    room.outlet.pump(0, room.shelf)
    assert room.anchors[2:] == [BufferedAnchor(8 * 352 - 441, 99)]


@pytest.mark.parametrize("is_read", [True, False])
def test_the_end_of_the_connection_is_told(room: Room, is_read: bool) -> None:
    room.outlet.plug(Pacer())
    room.outlet.start(100)
    room.shelf.fill(MANY)
    room.theirs.close()

    if is_read:
        room.outlet._listen()
    else:
        while not room.ends:
            room.outlet.pump(0, room.shelf)

    assert room.ends >= 1
    assert room.outlet.cursor is None
    assert room.outlet.pump(0, room.shelf) > FAR_NS
