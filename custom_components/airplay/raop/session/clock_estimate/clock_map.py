"""The mapping of session time to a receiver's time, and how it may move."""

from dataclasses import dataclass

_SECOND_NS = 1_000_000_000

# A moved line makes Apple's receivers emit a burst of noise (reported), so a map in
# use approaches a better one: at most 1 ms/s, half of what shairport-sync tolerates
# from one statement of the line to the next (it is stated each second), and less the
# closer it comes.
_MOST_SLEW = 1e-3
_APPROACH_NS = _SECOND_NS


@dataclass(frozen=True, slots=True)
class ClockMap:
    """The mapping of session time to a receiver's time: an offset and a rate."""

    at_ns: int = 0
    offset_ns: int = 0
    rate: float = 0.0

    def timeline_ns(self, session_ns: int) -> int:
        """Return the receiver's time at a session time."""
        drift_ns = round(self.rate * (session_ns - self.at_ns))
        return session_ns + self.offset_ns + drift_ns

    def ahead_of_ns(self, other: ClockMap, session_ns: int) -> int:
        """Return by how much its time is ahead of another's at a session time."""
        return self.timeline_ns(session_ns) - other.timeline_ns(session_ns)

    def toward(self, other: ClockMap, now_ns: int) -> ClockMap:
        """Return this map at a later time, moved a little toward another one."""
        elapsed_ns = min(max(now_ns - self.at_ns, 0), _SECOND_NS)
        ahead_ns = other.ahead_of_ns(self, now_ns)
        most_ns = elapsed_ns * min(_MOST_SLEW, abs(ahead_ns) / _APPROACH_NS)
        moved_ns = round(min(max(ahead_ns, -most_ns), most_ns))
        offset_ns = self.timeline_ns(now_ns) - now_ns + moved_ns
        return ClockMap(now_ns, offset_ns, other.rate)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A clock, by its id, and the mapping of session time to it: for anchors."""

    clock_id: int
    map: ClockMap


SAME = ClockMap()
