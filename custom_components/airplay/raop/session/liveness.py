"""Whether a receiver that used to ask for the time has fallen silent.

Receivers ask every three seconds, as far as is known; one that asks only while it
starts, or more rarely, shall not be taken for lost.
"""

# Two questions in a row are seldom lost on a link that is worth listening to.
SILENT_S = 7.0
# Later than what is asked while it starts.
STEADY_S = 5.0
_LONGEST_S = 30.0


class Liveness:
    """One receiver's questions; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with a receiver of which nothing is known."""
        self._first_s: float | None = None
        self._last_s = 0.0
        self._gap_s = 0.0
        self._is_steady = False

    def asked(self, at_s: float) -> None:
        """Take note of when it asked last, which may be known already."""
        if self._first_s is None:
            self._first_s = self._last_s = at_s
        self._gap_s = max(self._gap_s, at_s - self._last_s)
        self._last_s = max(self._last_s, at_s)
        self._is_steady |= at_s - self._first_s >= STEADY_S

    @property
    def silent_at_s(self) -> float | None:
        """From when on it asks no more, although it used to all the time."""
        if not self._is_steady:
            return None
        return self._last_s + max(SILENT_S, min(2 * self._gap_s, _LONGEST_S))

    def is_silent(self, now_s: float) -> bool:
        """Whether it asks no more, although it used to all the time."""
        silent_at_s = self.silent_at_s
        return silent_at_s is not None and now_s > silent_at_s
