"""What shows that the receivers of a stream play, and what follows if nothing does."""

from collections.abc import Callable, Iterable
from weakref import WeakSet

from ...errors import RaopError
from ...messages import Member, MemberState
from ..lanes.choice import LaneChoice
from ..lanes.lane import Lane
from .reports import StreamReporter

# How long after its first frame's instant a receiver may take to show that it plays,
# and how long if another way is left.
_EVIDENCE_S = 4.0
_SHORT_S = 2.5


class SoundProof:
    """Which lanes have shown that they play; the others make way for another way."""

    def __init__(
        self,
        choice: LaneChoice,
        reporter: StreamReporter,
        lanes: Callable[[], Iterable[Lane]],
    ) -> None:
        self._choice = choice
        self._reporter = reporter
        self._lanes = lanes
        self._proven: WeakSet[Lane] = WeakSet()
        # The receivers that were lost before they played, and have another way.
        self._climbing: set[str] = set()

    def is_climbing(self, members: Iterable[Member]) -> bool:
        """Whether one of them was lost before it played, and has another way."""
        return any(each.receiver in self._climbing for each in members)

    @property
    def is_there(self) -> bool:
        """Whether a receiver shows that it plays, or is of a kind that cannot."""
        return any(lane.is_proven for lane in self._lanes())

    @property
    def patience_s(self) -> float:
        """How long to wait for proof after the first frame's instant."""
        return min((self.patience_for_s(lane) for lane in self._lanes()), default=0.0)

    def patience_for_s(self, lane: Lane) -> float:
        """Return how long to wait for a receiver's proof.

        Less if another way is left: some receivers have several that are silent.
        """
        return _SHORT_S if self.has_beside(lane) else _EVIDENCE_S

    def has_beside(self, lane: Lane) -> bool:
        """Whether another way is tried if a lane stays silent."""
        return self._choice.has_beside(lane)

    def accept_silence(self) -> None:
        """Play on with receivers of a kind that gives no proof."""
        for lane in self._lanes():
            lane.accept_silence()

    def sounds(self, lane: Lane) -> None:
        """Report that a receiver plays."""
        self.adopt(lane)
        self._reporter.member(
            lane.member.receiver,
            MemberState.PLAYING,
            lane=str(lane.way.lane),
            way=str(lane.way),
            is_confirmed=not lane.is_unconfirmed,
        )

    def watch_starts(self, heard_ns: int, lead_ms: int) -> None:
        """Watch a start on a new line, whose first frame plays at an instant."""
        for lane in self._lanes():
            lane.starts.begin(heard_ns, lead_ms)

    def judge_starts(self, now_ns: int) -> None:
        """Learn from the present start, and report what is new for the next ones."""
        for lane in self._lanes():
            if lane.judge_start(now_ns) and self.has(lane):
                self.sounds(lane)

    def adopt(self, lane: Lane) -> None:
        """Use the way of a lane first from now on, as it plays."""
        self._proven.add(lane)
        self._choice.mark_heard(lane)

    def fail(self, lane: Lane, error: RaopError) -> bool:
        """Use another way next time; return whether there is one."""
        return self._choice.mark_failed(lane, error)

    def has(self, lane: Lane) -> bool:
        """Whether a lane has shown that it plays."""
        return lane in self._proven

    def lost(self, lane: Lane, error: RaopError) -> bool:
        """Record that a session has ended; return whether that explains it.

        Its way has failed if it did not play, or sent what the receiver cannot stand.
        """
        is_known = self._choice.learn(lane, error)
        if is_known or (not self.has(lane) and self.fail(lane, error)):
            self._climbing.add(lane.member.receiver)
        return is_known or not self.has(lane)

    def is_climbing_on(self, receiver: str) -> bool:
        """Whether a receiver was lost, and has another way, or the same without more."""
        return receiver in self._climbing

    def tries_again(self, receiver: str) -> bool:
        """Record that a lost receiver is tried again; return whether by another way."""
        is_climbing = receiver in self._climbing
        self._climbing.discard(receiver)
        return is_climbing
