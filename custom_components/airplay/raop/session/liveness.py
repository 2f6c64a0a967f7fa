"""Whether a receiver that used to request the time has fallen silent.

All known receivers ask every three seconds; one that asks only while it starts, or
more rarely, must not count as lost.
"""

# A usable link seldom loses two requests in a row.
SILENT_S = 7.0
# Later than the requests of a start.
STEADY_S = 5.0
_LONGEST_S = 30.0


class Liveness:
    """One receiver's timing requests; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with an unknown receiver."""
        self._first_s: float | None = None
        self._last_s = 0.0
        self._gap_s = 0.0
        self._is_steady = False

    def asked(self, at_s: float) -> None:
        """Record when it last asked, which may be known already."""
        if self._first_s is None:
            self._first_s = self._last_s = at_s
        self._gap_s = max(self._gap_s, at_s - self._last_s)
        self._last_s = max(self._last_s, at_s)
        self._is_steady |= at_s - self._first_s >= STEADY_S

    @property
    def silent_at_s(self) -> float | None:
        """When it counts as silent although it used to ask regularly."""
        if not self._is_steady:
            return None
        return self._last_s + max(SILENT_S, min(2 * self._gap_s, _LONGEST_S))

    def is_silent(self, now_s: float) -> bool:
        """Whether it no longer asks although it used to ask regularly."""
        silent_at_s = self.silent_at_s
        return silent_at_s is not None and now_s > silent_at_s
