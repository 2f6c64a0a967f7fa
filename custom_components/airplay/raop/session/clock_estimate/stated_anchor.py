"""An anchor that a receiver was given, and whether it is still right."""

from dataclasses import dataclass
from typing import Self

from .clock_map import Timeline

# A moved anchor may be a burst of noise on Apple's receivers (reported), and 10 ms
# between two speakers in a room disturb (reported).
_MOST_OFF_NS = 5_000_000


@dataclass(frozen=True, slots=True)
class StatedAnchor:
    """A session time, and the same instant as the receiver was given it."""

    at_ns: int
    clock_id: int
    time_ns: int

    @classmethod
    def on(cls, timeline: Timeline, at_ns: int) -> Self:
        """State a session time on a timeline."""
        return cls(at_ns, timeline.clock_id, timeline.map.timeline_ns(at_ns))

    def is_off(self, timeline: Timeline, now_ns: int) -> bool:
        """Whether the receiver now plays by another clock, or more than 5 ms off."""
        played_ns = self.time_ns + now_ns - self.at_ns
        off_ns = timeline.map.timeline_ns(now_ns) - played_ns
        return timeline.clock_id != self.clock_id or abs(off_ns) > _MOST_OFF_NS
