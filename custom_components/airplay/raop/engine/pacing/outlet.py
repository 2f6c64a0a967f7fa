"""An outlet: sends a timeline's packets to one receiver, by UDP or TCP."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from ...commands import Channel
from ...session.backlog import Format, shared
from ...session.link_quality import LinkQuality
from .pacer import Pacer
from .packet_source import PacketSource
from .send_health import SendHealth

# The next turn of an outlet that has nothing to send.
NEVER_NS = 1 << 62


class Outlet(ABC):
    """Sends one receiver its packets.

    It is created on the event loop and belongs to the pacing thread from `plug` on. The
    event loop may read `shape`, `delay_frames`, `packets`, and `resent`, which are
    replaced as a whole, and `sending` at any time. No method blocks or raises an error:
    packets that the network does not accept are lost, or sent later.
    """

    def __init__(self, shape: Format) -> None:
        self.shape = shared(shape)
        # The sequence number of the next packet to send; None before `start` and
        # after `unplug`.
        self.cursor: int | None = None
        # The session time of the next turn; 0 asks for one at once.
        self.due_ns = 0
        self.delay_frames = 0
        self.packets = 0
        self.sending = SendHealth()
        # Called on the pacing thread after a packet from the receiver, with the session
        # time and whether it is the first that counts; set by the transmitter.
        self.on_evidence: Callable[[int, bool], None] = lambda _now_ns, _is_first: None

    @property
    @abstractmethod
    def resent(self) -> int:
        """The number of retransmitted packets; any thread."""

    @property
    @abstractmethod
    def start_losses(self) -> int:
        """The packets of the present start that were late or lost; any thread."""

    @abstractmethod
    def plug(self, pacer: Pacer) -> None:
        """Start listening to the receiver; pacing thread, once."""

    @abstractmethod
    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after a start or FLUSH.

        Pacing thread; again for each line.
        """

    @abstractmethod
    def pump(self, now_ns: int, source: PacketSource) -> int:
        """Send due packets and return the time of the next turn; pacing thread."""

    @abstractmethod
    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Set the delay and the channel of its receiver.

        Pacing thread, or the event loop before the first `start`; repeatable.
        """

    @abstractmethod
    def link(self, now_ns: int) -> LinkQuality:
        """Return the quality of the network path since the last call; event loop."""

    @abstractmethod
    def unplug(self, pacer: Pacer) -> None:
        """Stop listening and sending, and free the sockets; pacing thread, once."""
