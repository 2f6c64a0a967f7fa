"""A receiver during an announcement: its session, its volume, its failure."""

from ...errors import (
    RaopError,
    ReceiverTakenError,
    ReceiverUnreachableError,
    StoppedError,
)
from ...messages import Addressee
from ..lanes.lane import Lane
from ..pacing.outlet import Outlet
from ..stream.output import GroupOutput

# The longest usual time from a play command to its first frame.
_START_S = 4.0


class AnnouncementMember:
    """Follows one receiver through an announcement, independent of the others."""

    def __init__(self, addressee: Addressee, output: GroupOutput) -> None:
        self.member = addressee.member
        self.receiver = addressee.member.receiver
        self._volume = addressee.volume
        self._connector = output.connector
        self._lanes = output.lanes
        self._lane: Lane | None = None
        self._is_raised = False
        self._was_there = False
        # Why it no longer plays the announcement.
        self.failure: RaopError | None = None
        self.is_started = False

    def update_lane(self) -> None:
        """Use the session that the receiver has now."""
        lane = self._lanes.lane_for(self.receiver)
        self._lane = lane if lane and lane.is_open else None
        self._was_there = self._was_there or self._lane is not None

    @property
    def is_there(self) -> bool:
        """Whether the session is still open."""
        lane = self._lane
        if lane is None or lane.outlet is None:
            return False
        return self._lanes.lane_for(self.receiver) is lane

    @property
    def loss(self) -> RaopError:
        """Why the session is closed."""
        receiver = self.receiver
        if error := self._connector.failures.get(receiver):
            return error
        closed = ReceiverUnreachableError("the receiver closed the connection")
        error = self._lanes.reporter.errors.get(receiver, closed)
        if isinstance(error, StoppedError) and not self._was_there:
            # The announcement was not stopped: the receiver had left the stream before.
            return ReceiverTakenError("the receiver was switched to another source")
        return error

    @property
    def is_answering(self) -> bool:
        """Whether it shows that it plays; sound from before may be lost."""
        return self._lane is not None and self._lane.is_proven

    def patience_s(self, *, is_owner: bool) -> float:
        """Return how long to wait for its evidence.

        If its session is not for the voice only (`is_owner`), the music has it climb,
        and began later at most by a start.
        """
        if self._lane is None:
            return 0.0
        proof = self._lanes.proof
        is_left = not is_owner and proof.has_beside(self._lane)
        return proof.patience_for_s(self._lane) + (_START_S if is_left else 0.0)

    def accept_silence(self) -> bool:
        """Play on without evidence if its kind gives none; return whether it does."""
        return self._lane is not None and self._lane.accept_silence()

    async def climb(self, error: RaopError) -> bool:
        """End a session that does not play; return whether there is another way."""
        lane = self._lane
        if lane is None or not self._lanes.proof.fail(lane, error):
            return False
        await self._lanes.drop(self.receiver)
        return True

    def prove(self) -> None:
        """Record that its session plays."""
        if self._lane:
            self._lanes.proof.adopt(self._lane)

    @property
    def outlet(self) -> Outlet | None:
        """The outlet that sends its packets, while its session is open."""
        return self._lane.outlet if self._lane else None

    @property
    def delay_frames(self) -> int:
        """How much later than the line it plays."""
        outlet = self.outlet
        return outlet.delay_frames if outlet else 0

    @property
    def changes_level(self) -> bool:
        """Whether it plays at a volume other than the announcement's."""
        if self._lane is None or self._volume is None:
            return False
        volume = self._lane.volume.usual
        return volume.is_muted or self._volume != volume.percent

    @property
    def louder_percent(self) -> float:
        """How much louder than usual it plays during the announcement."""
        if self._lane is None or self._volume is None:
            return 0.0
        volume = self._lane.volume.usual
        before = 0.0 if volume.is_muted else volume.percent or 0.0
        return max(0.0, self._volume - before)

    async def raise_volume(self) -> None:
        """Play at the announcement's volume until `lower_volume`."""
        if self.changes_level and self._lane and not self._is_raised:
            assert self._volume is not None
            self._is_raised = True
            await self._lane.volume.raise_to(self._volume)

    async def lower_volume(self) -> None:
        """Restore the previous volume, unless another one was set meanwhile."""
        if self._is_raised and self._lane:
            self._is_raised = False
            if self._lanes.lane_for(self.receiver) is self._lane:
                await self._lane.volume.lower()
