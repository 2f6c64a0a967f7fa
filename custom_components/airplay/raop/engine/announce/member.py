"""A receiver during an announcement: its session, its volume, its failure."""

from collections.abc import Sequence

from ...errors import (
    RaopError,
    ReceiverTakenError,
    ReceiverUnreachableError,
    StoppedError,
)
from ...messages import Addressee
from ...session.timeline import SECOND_NS
from ..lanes.lane import Lane
from ..net import clock
from ..pacing.outlet import Outlet
from ..pacing.transmitter import Transmitter
from ..stream.membership import Membership
from ..stream.output import GroupOutput

# The longest usual time from a play command to its first frame.
_START_S = 4.0
# How long an announcement waits for a member of playing music that climbs: until the
# music has found its way, or the reason why there is none.
_CLIMB_S = 12.0


class AnnouncementMember:
    """Follows one receiver through an announcement, independent of the others."""

    def __init__(
        self, addressee: Addressee, output: GroupOutput, membership: Membership
    ) -> None:
        self.member = addressee.member
        self._membership = membership
        self.receiver = addressee.member.receiver
        self._volume = addressee.volume
        self._connector = output.connector
        self._lanes = output.lanes
        self._lane: Lane | None = None
        self._is_raised = False
        self._was_there = False
        self._since_ns = 0
        # Why it no longer plays the announcement.
        self.failure: RaopError | None = None
        self.is_started = False

    def update_lane(self) -> None:
        """Use the session that the receiver has now."""
        lane = self._lanes.lane_for(self.receiver)
        if lane is not self._lane:
            self._since_ns = clock.now_ns()
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

    @property
    def is_climbing(self) -> bool:
        """Whether it has no session, and the music has it climb."""
        return not self.is_there and self._membership.is_trying_on(self.receiver)

    def deadline_ns(self, begun_ns: int, *, is_owner: bool) -> int:
        """Return until when to wait for its evidence.

        If its session is not for the voice only (`is_owner`), the music has it climb,
        and began later at most by a start.
        """
        longest_ns = begun_ns + round(_CLIMB_S * SECOND_NS)
        if self.is_climbing:
            return longest_ns
        if self._lane is None:
            return begun_ns
        proof = self._lanes.proof
        is_climbing = self._since_ns > begun_ns or proof.has_beside(self._lane)
        start_s = _START_S if is_climbing and not is_owner else 0.0
        patience_s = proof.patience_for_s(self._lane) + start_s
        since_ns = max(begun_ns, self._since_ns)
        return min(longest_ns, since_ns + round(patience_s * SECOND_NS))

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

    def heard_ns(self, frame: int | None, transmitter: Transmitter) -> int | None:
        """Return when it plays a frame, or None if that is unknown."""
        line = transmitter.line
        if frame is None or line is None:
            return None
        return line.time_of(frame + self.delay_frames)

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


def deadline_ns(
    silent: Sequence[AnnouncementMember], begun_ns: int, *, is_owner: bool
) -> int:
    """Return until when to wait for silent members.

    The first one that is given up climbs, if the sessions are for the voice only;
    otherwise all others are waited for.
    """
    deadlines = [each.deadline_ns(begun_ns, is_owner=is_owner) for each in silent]
    return (min if is_owner else max)(deadlines, default=begun_ns)
