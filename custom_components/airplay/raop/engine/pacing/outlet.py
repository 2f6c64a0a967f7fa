"""What a timeline's packets run out of, to one receiver, however they travel."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from ...commands import Channel
from ...session.backlog import Format
from ...session.link_quality import LinkQuality
from .pacer import Pacer
from .packet_source import PacketSource

# The next turn of an outlet that has nothing to send.
NEVER_NS = 1 << 62


class Outlet(ABC):
    """Sends one receiver its packets.

    It is made on the event loop and belongs to the pacing thread from `plug` on. The
    event loop may read `shape`, `delay_frames`, `packets` and `resent`, which are
    replaced as a whole, at any time. No method waits, and none raises an error: what
    the network does not take is lost, or sent later.
    """

    def __init__(self, shape: Format) -> None:
        self.shape = shape
        # The sequence number of the next packet to send; None before `start` and
        # after `unplug`.
        self.cursor: int | None = None
        # The session time of the next turn; 0 asks for one at once.
        self.due_ns = 0
        self.delay_frames = 0
        self.packets = 0
        self._lead_ns = 0
        # Called on the pacing thread after something has come from the receiver; set by
        # the transmitter.
        self.on_evidence: Callable[[], None] = lambda: None

    @property
    @abstractmethod
    def resent(self) -> int:
        """How many packets were sent again; any thread."""

    @abstractmethod
    def plug(self, pacer: Pacer) -> None:
        """Begin to listen to the receiver; pacing thread, once."""

    @abstractmethod
    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after a start or FLUSH.

        Pacing thread; again for each line.
        """

    @abstractmethod
    def pump(self, now_ns: int, source: PacketSource) -> int:
        """Send what is due and return the time of the next turn; pacing thread."""

    @abstractmethod
    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Set when its receiver is heard, and which channel, from now on.

        Pacing thread, or the event loop before the first `start`; again at any time.
        """

    @abstractmethod
    def link(self, now_ns: int) -> LinkQuality:
        """Return how good the network path is, since the last call; event loop."""

    @abstractmethod
    def unplug(self, pacer: Pacer) -> None:
        """Stop listening and sending, and free the sockets; pacing thread, once."""
