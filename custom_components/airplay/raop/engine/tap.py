"""What a timeline's packets run out of, to one receiver, however they travel.

Everything but the counters runs on the pacing thread.
"""

from typing import Protocol

from ..session.backlog import Format
from .outlet import Stock
from .pacer import Pacer


class Tap(Protocol):
    """Sends one receiver its packets."""

    shape: Format
    cursor: int | None
    due_ns: int
    delay_frames: int
    packets: int
    resent: int

    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after a start or FLUSH."""

    def pump(self, now_ns: int, stock: Stock) -> int:
        """Send what is due; return the time of the next turn."""

    def plug(self, pacer: Pacer) -> None:
        """Begin to hear the receiver."""

    def unplug(self, pacer: Pacer) -> None:
        """Hear nothing and send nothing any more."""
