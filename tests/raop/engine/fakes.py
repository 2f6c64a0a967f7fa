"""Fake sources, receivers and packets for tests that need no real ones."""

from collections import deque
import random
import socket

from custom_components.airplay.raop.session.backlog import Backlog, Format
from custom_components.airplay.raop.session.timeline import Line, frames_of_ms
from custom_components.airplay.raop.wire.rtp import BYTES_PER_FRAME, PACKET_BYTES

MS = 1_000_000
PACKET_NS = 352 * 1_000_000_000 // 44_100


def sound(frames: int, seed: int = 1) -> bytes:
    """Return frames of which none is silent."""
    words = random.Random(seed).randbytes(frames * BYTES_PER_FRAME)
    return words.replace(b"\0", b"\1")


class FakeSource:
    """A source that returns its frames as soon as a test has added them."""

    def __init__(self, pcm: bytes = b"", *, is_whole: bool = True) -> None:
        self._pcm = pcm
        self.is_whole = is_whole
        self.reads = 0

    def put(self, pcm: bytes) -> None:
        """Add frames."""
        self._pcm += pcm

    def read(self, frames: int) -> bytes:
        """Return up to so many frames."""
        self.reads += 1
        size = frames * BYTES_PER_FRAME
        taken, self._pcm = self._pcm[:size], self._pcm[size:]
        return taken

    @property
    def is_exhausted(self) -> bool:
        """Return whether all was put in and read."""
        return self.is_whole and not self._pcm

    @property
    def is_decoded(self) -> bool:
        """Return whether all was put in."""
        return self.is_whole

    @property
    def buffered_frames(self) -> int:
        """How many frames are there now."""
        return len(self._pcm) // BYTES_PER_FRAME


class FakePackets:
    """Stock for an outlet: a line and as many packets as one likes."""

    def __init__(self, sequence: int = 100, *, at_ns: int = 0) -> None:
        self.backlog = Backlog(sequence, 0, 0xDEADBEEF)
        self.line: Line | None = Line(0, at_ns)
        self.latency_frames = frames_of_ms(1000)
        self.batches: deque[tuple[int, int]] = deque()
        self.next_sequence = sequence

    def fill(self, packets: int) -> None:
        """Make more packets."""
        self.backlog.append(sound(packets * 352)[: packets * PACKET_BYTES])
        self.next_sequence = self.backlog.next_sequence

    def packet_for(self, wire_sequence: int) -> int | None:
        """Return a packet that is there."""
        return self.backlog.packet_for(wire_sequence)

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return datagrams and the same joined."""
        self.batches.append((first, count))
        datagrams = self.backlog.datagrams(shape, first, count)
        return datagrams, b"".join(datagrams)


class UdpSink:
    """A receiver's two ports, which only listen."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.audio = _port(host)
        self.control = _port(host)
        self.timing = _port(host)

    def ports(self) -> tuple[int, int]:
        """Return the ports of audio and control."""
        return port_of(self.audio), port_of(self.control)

    def close(self) -> None:
        """Close the ports."""
        for sock in (self.audio, self.control, self.timing):
            sock.close()


def port_of(sock: socket.socket) -> int:
    """Return a socket's own port."""
    port: int = sock.getsockname()[1]
    return port


def heard(sock: socket.socket) -> list[bytes]:
    """Return the datagrams that have come in; on loopback all that were sent."""
    datagrams = []
    while True:
        try:
            datagrams.append(sock.recv(4096))
        except BlockingIOError:
            return datagrams


def _port(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((host, 0))
    return sock
