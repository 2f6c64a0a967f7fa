"""The time between the departure of a Sync and that of its Follow_Up."""

_MS_NS = 1_000_000
# nqptp uses a Follow_Up's arrival as the Sync's: one sent late by more than this
# gives it a wrong time. Omitting it does no harm, but not for a whole second.
_LATE_NS = 250_000
_MOST_LEFT_OUT = 6


class DepartureGaps:
    """Learns the usual gap, and which Follow_Up is too late to be sent."""

    def __init__(self) -> None:
        """Start without a gap: nothing is late before the first one is known."""
        self._usual_ns = 1_000 * _MS_NS
        self._left_out = 0

    def is_late(self, gap_ns: int) -> bool:
        """Return whether a Follow_Up with this gap is to be left out."""
        usual_ns = self._usual_ns
        is_late = gap_ns > usual_ns + _LATE_NS and self._left_out < _MOST_LEFT_OUT
        self._left_out = self._left_out + 1 if is_late else 0
        # A shorter gap counts at once, a longer one only if it persists.
        self._usual_ns = min(gap_ns, usual_ns + max(0, gap_ns - usual_ns) // 64)
        return is_late
