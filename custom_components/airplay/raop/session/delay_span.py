"""How far the delays of a group's receivers reach before and behind their line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..wire.rtp import SAMPLE_RATE
from .timeline import MAX_LATENCY_FRAMES, SECOND_NS

_MOST_HELD_NS = MAX_LATENCY_FRAMES * SECOND_NS // SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class DelaySpan:
    """The first receiver is heard this long before the line, the last behind it."""

    before_ns: int = 0
    behind_ns: int = 0

    @classmethod
    def of(cls, delays_frames: Iterable[int]) -> Self:
        """Return the reach of a group; a receiver without a delay is on the line."""
        delays = (0, *delays_frames)
        before, behind = -min(delays), max(delays)
        return cls(before * SECOND_NS // SAMPLE_RATE, behind * SECOND_NS // SAMPLE_RATE)

    def ahead_ns(self, depth_ns: int) -> int:
        """Return how far ahead of the line packets go out.

        That is `depth_ns` before the first receiver is heard, or less where the last
        one could not hold them all until it is.
        """
        return min(self.before_ns + depth_ns, _MOST_HELD_NS - self.behind_ns)
