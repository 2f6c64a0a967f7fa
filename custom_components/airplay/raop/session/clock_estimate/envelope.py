"""The messages that the network delayed least, and what they say about a clock.

Nothing arrives before its departure: a delay makes the sender's clock look slow, never
fast. So the upper envelope of the samples is the clock, late by the least delay of the
way, and half the fastest round trip is that delay. The rate is the slope of the
envelope's edge in the middle of the window (the convex hull estimate of clock skew:
Zhang, Liu, and Xia, INFOCOM 2002).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from .clock_map import ClockMap

_SECOND_NS = 1_000_000_000

_WINDOW_S = 60
# Crystals are accurate to 100 ppm, and two of them are involved; while this machine
# sets its clock, the kernel slews the session clock by up to 500 ppm.
MOST_RATE = 700e-6
# The slope of a few late messages is steep, so it is believed only over so long a span,
# and in part before.
_STEEP_NS = 20 * _SECOND_NS
# Over so long a span, the measured rate weighs as much as the one known before: on a
# busy network, a shorter one says less than that crystals are accurate (simulated).
_EVEN_NS = 10 * _SECOND_NS
_EVEN_POWER = 4

# Of each second: one, and another that confirms it.
_FASTEST = 2

type _Point = tuple[int, int]


@dataclass(slots=True)
class _Second:
    """The best of one second: the Sync delayed least, and the fastest round trips."""

    number: int
    sync: _Point | None = None
    round_trips_ns: list[int] = field(default_factory=list)


class Envelope:
    """A minute of samples, of which only the best of each second are kept."""

    def __init__(self, rate: float = 0.0) -> None:
        """`rate` is what is known of the clock's rate before."""
        self._seconds: deque[_Second] = deque(maxlen=_WINDOW_S)
        self._known_rate = rate
        self.line: ClockMap | None = None

    @property
    def rate(self) -> float:
        """The best estimate of the clock's rate against ours, less 1."""
        return self.line.rate if self.line else self._known_rate

    @property
    def delay_ns(self) -> int:
        """The one-way delay: half the fastest round trip, or 0 if none is known.

        One that took less than half as long as all others is a fault.
        """
        known = sorted(trip for each in self._seconds for trip in each.round_trips_ns)
        if len(known) < 2:
            return known[0] // 2 if known else 0
        fastest, next_ns = known[:2]
        return (fastest if 2 * fastest >= next_ns else next_ns) // 2

    @property
    def clock_map(self) -> ClockMap | None:
        """The mapping to the sender's clock, or None before the first Sync."""
        line = self.line
        if line is None:
            return None
        return ClockMap(line.at_ns, line.offset_ns + self.delay_ns, line.rate)

    def add_sync(self, arrived_ns: int, offset_ns: int) -> None:
        """Add a Sync: its departure minus its arrival, each by its own clock."""
        second = self._second_at(arrived_ns)
        if second is None:
            return
        self._keep(second, arrived_ns, offset_ns)
        self._fit()

    def replace_syncs(self, syncs: Iterable[_Point]) -> None:
        """Forget all Syncs but these, which came in this order."""
        kept = {second.number: second for second in self._seconds}
        for second in self._seconds:
            second.sync = None
        for arrived_ns, offset_ns in syncs:
            second_of = kept.get(arrived_ns // _SECOND_NS)
            if second_of:
                self._keep(second_of, arrived_ns, offset_ns)
        self._fit()

    def add_round_trip(self, arrived_ns: int, round_trip_ns: int) -> None:
        """Add the duration of an exchange that ended at a session time."""
        second = self._second_at(arrived_ns)
        if second is None:
            return
        known_ns = second.round_trips_ns
        second.round_trips_ns = sorted((*known_ns, round_trip_ns))[:_FASTEST]

    def _second_at(self, now_ns: int) -> _Second | None:
        """Return the current second; None if the time is before it."""
        number = now_ns // _SECOND_NS
        seconds = self._seconds
        while seconds and seconds[0].number <= number - _WINDOW_S:
            seconds.popleft()
        if not seconds or seconds[-1].number < number:
            seconds.append(_Second(number))
        return seconds[-1] if seconds[-1].number == number else None

    def _keep(self, second: _Second, arrived_ns: int, offset_ns: int) -> None:
        known = second.sync
        if known is None or offset_ns > self._expected_ns(*known, arrived_ns):
            second.sync = (arrived_ns, offset_ns)

    def _expected_ns(self, arrived_ns: int, offset_ns: int, now_ns: int) -> float:
        return offset_ns + self.rate * (now_ns - arrived_ns)

    def _fit(self) -> None:
        points = [each.sync for each in self._seconds if each.sync]
        if not points:
            return
        at_ns = points[-1][0]
        rate = self._rate_of(points)
        # The newest sample is exact; the others are relative to it.
        newest_ns = points[-1][1]
        above_ns = max(
            offset_ns - newest_ns + rate * (at_ns - arrived_ns)
            for arrived_ns, offset_ns in points
        )
        self.line = ClockMap(at_ns, newest_ns + round(above_ns), rate)

    def _rate_of(self, points: list[_Point]) -> float:
        known = self._known_rate
        span_ns = points[-1][0] - points[0][0]
        if len(points) < 3:
            return known
        share = (span_ns / _EVEN_NS) ** _EVEN_POWER
        most = MOST_RATE * min(1, span_ns / _STEEP_NS)
        measured = min(max(_slope(points), -most), most)
        return known + (measured - known) * share / (1 + share)


def _slope(points: list[_Point]) -> float:
    """Return the slope of the upper hull in the middle of the points, in linear time."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and not _is_convex(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    middle_ns = (points[0][0] + points[-1][0]) // 2
    first, second = next(edge for edge in pairwise(hull) if edge[1][0] >= middle_ns)
    return (second[1] - first[1]) / (second[0] - first[0])


def _is_convex(first: _Point, middle: _Point, last: _Point) -> bool:
    """Return whether the middle one lies above the line between the others."""
    there_ns, risen_ns = middle[0] - first[0], middle[1] - first[1]
    whole_ns, whole_risen_ns = last[0] - first[0], last[1] - first[1]
    return risen_ns * whole_ns > whole_risen_ns * there_ns
