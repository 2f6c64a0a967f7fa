"""What a stream asks of a way to a receiver, whichever protocol it is."""

from dataclasses import dataclass
from typing import Protocol

from ...errors import RaopError
from ...messages import Channel, Member, Tags
from ...receiver import LaneKind as Kind
from ...session.lead import StartEvidence
from ...session.link_quality import LinkQuality
from ..pacing.outlet import Outlet
from ..pacing.transmitter import Transmitter


@dataclass(frozen=True, slots=True)
class Show:
    """What a receiver with a display is told: words, and frames of the timeline."""

    tags: Tags
    duration_ms: int | None
    start: int
    now: int
    end: int


class Lane(Protocol):
    """One receiver's session, from the connection to the last word.

    `prepare` and `record` raise RaopError; what is done behind the music does not.
    """

    kind: Kind
    member: Member
    active_remote: int

    @property
    def found_volume(self) -> float | None:
        """The level in percent at which it stood, where none was wanted."""

    @property
    def outlet(self) -> Outlet | None:
        """What sends it its packets, while there is a session."""

    @property
    def packets(self) -> int:
        """How many audio packets were sent."""

    @property
    def resent(self) -> int:
        """How many packets were sent again."""

    @property
    def timing_replies(self) -> int:
        """How often the receiver was seen to follow our clock."""

    @property
    def last_evidence_ns(self) -> int | None:
        """The session time of the last packet that came from it; None before any."""

    @property
    def link(self) -> LinkQuality:
        """How good the way to the receiver is; asked for once in a while."""

    @property
    def evidence(self) -> StartEvidence:
        """What the receiver has shown of how soon it can be heard."""

    @property
    def minds_flush(self) -> bool:
        """Whether the receiver must not be made to drop what it holds."""

    @property
    def is_open(self) -> bool:
        """Whether the session stands."""

    @property
    def has_hung_up(self) -> bool:
        """Whether the receiver itself has ended the session."""

    @property
    def local_address(self) -> str:
        """Our address towards the receiver."""

    @property
    def remote_address(self) -> str:
        """The receiver's address, from which it also calls back."""

    @property
    def level(self) -> tuple[float | None, bool]:
        """The level in percent at which it plays, if known, and whether it is muted."""

    async def prepare(self) -> None:
        """Connect and negotiate; nothing sounds yet."""

    async def record(self, transmitter: Transmitter) -> None:
        """Start the session on a timeline, at the wanted level.

        It begins with the timeline's `entry`: music may be running.
        """

    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet comes next."""

    def set_volume(self, percent: float | None, *, is_muted: bool) -> None:
        """Set the level soon; of several in a row the last one counts."""

    async def raise_volume(self, percent: float) -> None:
        """Play at another level for a while, until `lower_volume` or `set_volume`."""

    async def lower_volume(self) -> None:
        """Go back to the level from before, unless another one was set meanwhile."""

    def tune(self, delay_ms: int, channel: Channel) -> None:
        """Set when it is heard, and what of the music, at once and for later."""

    def mark_heard(self) -> None:
        """Take note that it is heard."""

    def show(self, show: Show) -> None:
        """Tell the receiver what plays, behind everything that is urgent."""

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Show a picture."""

    async def check(self) -> None:
        """Find out whether the session still stands; it is closed if it does not."""

    def endure(self) -> None:
        """Keep the session although nothing is heard of the receiver for a while."""

    async def closed(self) -> RaopError:
        """Wait until the receiver is gone and return why."""

    async def teardown(self) -> None:
        """End the session; a receiver that does not answer is left behind."""

    def release(self) -> None:
        """Let go of everything without a word to the receiver."""
