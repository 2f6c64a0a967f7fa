"""The packets of a timeline as its outlets use them."""

from typing import Protocol

from ...session.backlog import Backlog, Format
from ...session.timeline import Line

# Sent at once, as one segmented send: each wake-up costs more than what is sent then.
BATCH = 8
# 190 packets in 1.5 ms overflow a default receive buffer, in 5 ms they do not
# (measured).
BURST_GAP_NS = 1_600_000
# A resend's copy and a sync packet wait for packets that leave anyway, so that they need
# no wake-up of their own; this is longer than the packets of a turn play.
SLACK_NS = 70_000_000


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
