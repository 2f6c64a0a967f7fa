"""What the packets of a timeline are to who sends them: there, numbered, due."""

from typing import Protocol

from ...session.backlog import Backlog, Format
from ...session.timeline import Line

# 190 packets in 1.5 ms overflow a default receive buffer, in 5 ms they do not
# (measured); four at a time are also one segmented send.
BATCH = 4
BURST_GAP_NS = 800_000


class PacketSource(Protocol):
    """What an outlet sends from."""

    @property
    def line(self) -> Line | None:
        """The line that says when each frame is heard."""

    @property
    def backlog(self) -> Backlog:
        """The packets that were made."""

    @property
    def next_sequence(self) -> int:
        """The first packet that is not due."""

    @property
    def latency_frames(self) -> int:
        """How far ahead of being heard packets are sent."""

    def packet_for(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver asks for, if it is still there."""

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return datagrams and the same joined."""
