"""How far the receivers of a group play before and after their line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..wire.rtp import SAMPLE_RATE
from .timeline import MAX_LATENCY_FRAMES, SECOND_NS

_MOST_HELD_NS = MAX_LATENCY_FRAMES * SECOND_NS // SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class DelaySpan:
    """How long the first receiver plays before the line, and the last after it."""

    before_ns: int = 0
    behind_ns: int = 0

    @classmethod
    def of(cls, delays_frames: Iterable[int]) -> Self:
        """Return the span of a group; a receiver without a delay is on the line."""
        delays = (0, *delays_frames)
        before, behind = -min(delays), max(delays)
        return cls(before * SECOND_NS // SAMPLE_RATE, behind * SECOND_NS // SAMPLE_RATE)

    def ahead_ns(self, depth_ns: int) -> int:
        """Return how far ahead of the line packets are sent.

        That is `depth_ns` before the first receiver plays, or less if the last one
        could not hold all packets until it plays.
        """
        return min(self.before_ns + depth_ns, _MOST_HELD_NS - self.behind_ns)
