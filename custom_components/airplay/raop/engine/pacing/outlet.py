"""What a timeline's packets run out of, to one receiver, however they travel.

Everything but the counters runs on the pacing thread.
"""

from collections.abc import Callable
from typing import Protocol

from ...commands import Channel
from ...session.backlog import Format
from ...session.link_quality import LinkQuality
from .pacer import Pacer
from .packet_source import PacketSource

# The next turn of who has nothing to send.
NEVER_NS = 1 << 62


class Outlet(Protocol):
    """Sends one receiver its packets."""

    shape: Format
    cursor: int | None
    due_ns: int
    delay_frames: int
    packets: int
    # Called on the pacing thread after something has come from the receiver.
    on_evidence: Callable[[], None]

    @property
    def resent(self) -> int:
        """How many packets were sent again."""

    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after a start or FLUSH."""

    def pump(self, now_ns: int, source: PacketSource) -> int:
        """Send what is due; return the time of the next turn."""

    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Set when its receiver is heard, and what of the music, from now on."""

    def link(self, now_ns: int) -> LinkQuality:
        """Return how good the way to the receiver is."""

    def plug(self, pacer: Pacer) -> None:
        """Begin to hear the receiver."""

    def unplug(self, pacer: Pacer) -> None:
        """Hear nothing and send nothing any more."""
