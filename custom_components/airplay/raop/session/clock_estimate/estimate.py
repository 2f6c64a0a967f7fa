"""One attempt to learn a clock from samples, and when it is good enough."""

from collections import deque
from heapq import nlargest

from .clock_map import ClockMap
from .deviations import Deviations
from .envelope import Envelope

_MS_NS = 1_000_000

# On a quiet network four Syncs, 0.4 s, are enough: starts are reported to work 0.8 s
# after the connection. On a busy one the best of 1.6 s must do.
_QUIET_SYNCS, _QUIET_NS = 4, _MS_NS // 2
_SURE_SYNCS, _SURE_NS = 8, 1_600 * _MS_NS
# More than the delay of any message: one that is so much earlier than all others is a
# fault. Nobody can know before there are others, so the first ones are kept.
_FAULT_NS = 100 * _MS_NS
_MOST_KEPT = 64


class Estimate:
    """Collects samples of a clock; `rate` is what is known of its rate before."""

    def __init__(self, rate: float = 0.0) -> None:
        self._envelope = Envelope(rate)
        self._deviations = Deviations()
        self._offsets_ns: deque[int] = deque(maxlen=_QUIET_SYNCS)
        self._first: deque[tuple[int, int]] = deque(maxlen=_MOST_KEPT)
        self._has_fault = False
        self._begun_ns: int | None = None
        self._syncs = 0
        self._has_round_trip = False
        self.is_sure = False

    @property
    def clock_map(self) -> ClockMap | None:
        """The mapping to the clock, or None before the first Sync."""
        return self._envelope.clock_map

    @property
    def rate(self) -> float:
        """The clock's rate against ours, less 1."""
        return self._envelope.rate

    def add_sync(self, arrived_ns: int, offset_ns: int) -> bool:
        """Add a Sync: its departure minus its arrival, each by its own clock.

        Return False if the samples persist in contradicting the estimate: the clock or
        the way has changed, and a new estimate must begin.
        """
        if self.is_sure and (line := self._envelope.line):
            error_ns = arrived_ns + offset_ns - line.timeline_ns(arrived_ns)
            if self._deviations.persist(arrived_ns, error_ns):
                return False
            if self._deviations.is_early(error_ns):
                return True
        self._envelope.add_sync(arrived_ns, offset_ns)
        if not self.is_sure:
            self._first.append((arrived_ns, offset_ns))
            if len(self._first) > 1:
                self._leave_out_fault()
            self._count(arrived_ns, offset_ns)
        return True

    def add_round_trip(self, arrived_ns: int, round_trip_ns: int) -> None:
        """Add the duration of an exchange that ended at a session time."""
        self._envelope.add_round_trip(arrived_ns, round_trip_ns)
        self._has_round_trip = True

    def _leave_out_fault(self) -> None:
        earliest_ns, next_ns = nlargest(2, (offset for _, offset in self._first))
        is_fault = earliest_ns - next_ns > _FAULT_NS
        if is_fault or self._has_fault:
            most_ns = next_ns if is_fault else earliest_ns
            kept = [sync for sync in self._first if sync[1] <= most_ns]
            self._envelope.replace_syncs(kept)
        self._has_fault = is_fault

    def _count(self, arrived_ns: int, offset_ns: int) -> None:
        if self._begun_ns is None:
            self._begun_ns = arrived_ns
        self._syncs += 1
        self._offsets_ns.append(offset_ns)
        spread_ns = max(self._offsets_ns) - min(self._offsets_ns)
        is_quiet = self._syncs >= _QUIET_SYNCS and spread_ns <= _QUIET_NS
        is_long = arrived_ns - self._begun_ns >= _SURE_NS
        self.is_sure |= (is_quiet and self._has_round_trip) or (
            is_long and self._syncs >= _SURE_SYNCS
        )
