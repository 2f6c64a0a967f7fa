"""The packets of a timeline as its outlets use them."""

from typing import Protocol

from ...session.backlog import Backlog, Format
from ...session.timeline import Line

# 190 packets in 1.5 ms overflow a default receive buffer, in 5 ms they do not
# (measured); four packets are also one segmented send.
BATCH = 4
BURST_GAP_NS = 800_000


class PacketSource(Protocol):
    """The source of an outlet's packets."""

    @property
    def line(self) -> Line | None:
        """The line that maps frames to the instants at which they play."""

    @property
    def backlog(self) -> Backlog:
        """The packets made so far."""

    @property
    def next_sequence(self) -> int:
        """The first packet that is not due."""

    @property
    def latency_frames(self) -> int:
        """How many frames before their instant packets are sent."""

    def packet_for(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver requests, if it is still available."""

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return datagrams, separate and joined."""
