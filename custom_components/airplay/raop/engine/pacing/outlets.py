"""The outlets of a timeline: where each begins, and how far ahead all are sent."""

from collections.abc import Callable

from ...session.backlog import Backlog
from ...session.timeline import SECOND_NS, DelaySpan, Line
from ...wire.rtp import SAMPLE_RATE
from .outlet import Outlet

# How late packets may go out while their content is still open: more than the longest
# output buffer that was measured to work.
_LATE_NS = 350_000_000
# The time that a joining receiver may need for RECORD and its volume, beyond its lead.
_JOINING_NS = 100_000_000
# Evidence beyond the first shows that receivers are still alive; it is reported at most
# this often, for all of them together.
_EVIDENCE_GAP_NS = SECOND_NS


class Outlets:
    """The outlets of a timeline; the transmitter decides what is sent and when."""

    def __init__(
        self, backlog: Backlog, depth_ns: int, on_evidence: Callable[[], None]
    ) -> None:
        """`depth_ns` is how long before its first receiver plays a packet is sent."""
        self._on_evidence = on_evidence
        self._evident_ns = 0
        self.outlets: list[Outlet] = []
        self.reach = DelaySpan()
        # How far ahead of the line packets go out.
        self.ahead_ns = depth_ns
        # Set when `ahead_ns` has grown: packets that become due by that are not late.
        self.is_catching_up = False
        self._backlog = backlog
        self._depth_ns = self._distance_ns = depth_ns
        # What a receiver needs that holds its packets for long.
        self._least_ns = 0
        # The first packet of the present line for each outlet.
        self._entries: dict[Outlet, int] = {}
        self._first_sequence = backlog.next_sequence

    def entry(self, line: Line, now_ns: int, lead_ns: int, delay_frames: int) -> int:
        """Return the first packet for a receiver that joins now."""
        return self._entry(line, now_ns + self._joining_ns(lead_ns), delay_frames)

    def add(
        self,
        outlet: Outlet,
        sequence: int,
        line: Line | None,
        now_ns: int,
        lead_ns: int,
    ) -> None:
        """Add an outlet, starting at a packet or at a later one that is in time."""
        if line:
            least_ns = self._joining_ns(lead_ns) - _JOINING_NS
            soonest = self._entry(line, now_ns + least_ns, outlet.delay_frames)
            sequence = max(sequence, soonest)
        self._entries[outlet] = sequence
        outlet.on_evidence = self._note_evidence
        outlet.start(sequence)
        self.outlets.append(outlet)
        self.stretch()

    def remove(self, outlet: Outlet) -> None:
        """Remove an outlet without an effect on the others."""
        if outlet in self.outlets:
            self.outlets.remove(outlet)
            self._entries.pop(outlet, None)
            self.stretch()

    def enter_all(self, sequence: int) -> None:
        """Start all outlets at the first packet of a line."""
        self._first_sequence = sequence
        for outlet in self.outlets:
            self._entries[outlet] = sequence
            outlet.start(sequence)

    def heard_ns(self, outlet: Outlet, line: Line) -> int | None:
        """Return the instant at which an outlet's receiver begins to play."""
        sequence = self._entries.get(outlet)
        if sequence is None:
            return None
        heard_ns = max(line.at_ns, line.time_of(self._backlog.frame_of(sequence)))
        return heard_ns + outlet.delay_frames * SECOND_NS // SAMPLE_RATE

    def stretch(self) -> None:
        """Adjust how far ahead packets are sent to the delays of all outlets."""
        self.reach = DelaySpan.of(outlet.delay_frames for outlet in self.outlets)
        self._keep_distance(self._distance_ns)

    def deepen(self, least_ns: int) -> None:
        """Send at least that far ahead from now on."""
        self._least_ns = max(self._least_ns, least_ns)
        self._depth_ns = max(self._depth_ns, least_ns)
        self._keep_distance(max(self._distance_ns, least_ns))

    def send_late(self) -> None:
        """Send as late as possible, until `send_early`."""
        self._keep_distance(max(min(self._depth_ns, _LATE_NS), self._least_ns))

    def send_early(self) -> None:
        """Send as far ahead as usual."""
        self._keep_distance(self._depth_ns)

    def _note_evidence(self, now_ns: int, is_first: bool) -> None:
        if is_first or now_ns - self._evident_ns >= _EVIDENCE_GAP_NS:
            self._evident_ns = now_ns
            self._on_evidence()

    def _keep_distance(self, distance_ns: int) -> None:
        self._distance_ns = distance_ns
        ahead_ns = self.reach.ahead_ns(distance_ns)
        self.is_catching_up |= ahead_ns > self.ahead_ns
        self.ahead_ns = ahead_ns

    def _joining_ns(self, lead_ns: int) -> int:
        # A packet that has not gone out to the other outlets yet is early enough.
        return min(lead_ns + _JOINING_NS, self.ahead_ns)

    def _entry(self, line: Line, heard_ns: int, delay_frames: int) -> int:
        frame = line.frame_at(heard_ns) - delay_frames
        oldest = max(self._first_sequence, self._backlog.oldest_sequence)
        return max(self._backlog.sequence_from(frame), oldest)
