"""The quality of the link to a receiver, measured by its requests."""

from collections import deque
from dataclasses import dataclass
from itertools import combinations

from .timeline import SECOND_NS

_SHARE_NS = 10 * SECOND_NS
_MOST_LOOKS = 64
_SPREAD_NS = 60 * SECOND_NS
_FEWEST_QUESTIONS = 4
_MOST_QUESTIONS = 64
# No clock drifts this much; filler stamps, constant or random, seem to.
_WRONG = 0.1


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """Measurements of a receiver's link; see `MemberProgress`."""

    resend_percent: float = 0.0
    clock_spread_us: int | None = None
    lead_ms: int = 0


class ResendShare:
    """The share of packets that a receiver requested again in the last ten seconds."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self._looks: deque[tuple[int, int, int]] = deque([(0, 0, 0)], _MOST_LOOKS)

    def update(self, now_ns: int, packets: int, resent: int) -> float:
        """Add the current counts of a session and return the share in percent."""
        self._looks.append((now_ns, packets, resent))
        while self._looks[1][0] <= now_ns - _SHARE_NS:
            self._looks.popleft()
        _, packets_before, resent_before = self._looks[0]
        if packets == packets_before:
            return 0.0
        share = (resent - resent_before) / (packets - packets_before)
        return min(100.0 * share, 100.0)


class ClockSpread:
    """How unevenly timing requests arrive compared with the receiver's clock.

    The drift of that clock is subtracted: the rest is the jitter of the network.
    """

    def __init__(self) -> None:
        """Start without a request."""
        self._questions: tuple[tuple[int, int], ...] = ()
        self._measured: tuple[tuple[int, int], ...] = ()
        self._spread_us: int | None = None

    def add(self, received_ns: int, stamp_ns: int) -> None:
        """Add a request: its time of arrival, and its stamp, which may be filler."""
        # Create a new tuple each time: other threads read it without a lock.
        kept = self._questions[1 - _MOST_QUESTIONS :]
        self._questions = (*kept, (received_ns, stamp_ns))

    def spread_us(self, now_ns: int) -> int | None:
        """Return the span of 80 % of the last minute's requests; None if too few."""
        recent = tuple(
            each for each in self._questions if each[0] > now_ns - _SPREAD_NS
        )
        if recent != self._measured:
            self._measured, self._spread_us = recent, _spread_us(recent)
        return self._spread_us

    def offset_us(self, now_ns: int) -> int | None:
        """Return how far our clock is ahead of the receiver's, with the way there.

        None while its requests are too few, or are stamped with filler.
        """
        if self.spread_us(now_ns) is None:
            return None
        return min(received - stamp for received, stamp in self._measured) // 1000


def _spread_us(questions: tuple[tuple[int, int], ...]) -> int | None:
    if len(questions) < _FEWEST_QUESTIONS:
        return None
    base = questions[0][0] - questions[0][1]
    at = [received - questions[0][0] for received, _ in questions]
    offset = [received - stamp - base for received, stamp in questions]
    drift = _drift(at, offset)
    if drift is None or abs(drift) > _WRONG:
        return None
    rest = sorted(off - drift * ns for ns, off in zip(at, offset, strict=True))
    return round((_quantile(rest, 0.9) - _quantile(rest, 0.1)) / 1000)


def _drift(at: list[int], offset: list[int]) -> float | None:
    """Return the median slope of all pairs, which tolerates a few late ones."""
    points = zip(at, offset, strict=True)
    slopes = sorted(
        (later_offset - earlier_offset) / (later - earlier)
        for (earlier, earlier_offset), (later, later_offset) in combinations(points, 2)
        if later > earlier
    )
    return _quantile(slopes, 0.5) if slopes else None


def _quantile(values: list[float], share: float) -> float:
    """Return the value below which a share of sorted values is, interpolated."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
