"""Whether samples that do not fit the estimate mean that the clock has changed."""

from collections import deque

_MS_NS = 1_000_000
_SECOND_NS = 1_000 * _MS_NS

# On a busy Wi-Fi (delays of 3 to 27 ms, all alike) one Sync in five is closer.
_FITS_NS = 5 * _MS_NS
# Nothing arrives before its departure, so early ones mean that the clock went ahead or
# the way became shorter; a single one may be a fault.
_EARLY, _EARLY_NS = 4, 2 * _SECOND_NS
# Late ones are usual; a clock that went back makes all late (busy networks were
# reported to delay all for 3 s).
_LATE, _LATE_NS = 16, 8 * _SECOND_NS


class Deviations:
    """The recent samples that were too early or too late."""

    def __init__(self) -> None:
        self._early_ns: deque[int] = deque(maxlen=_EARLY)
        self._late_since_ns = 0
        self._late = 0

    @staticmethod
    def is_early(error_ns: int) -> bool:
        """Whether a sample is so early that it waits for others to confirm it."""
        return error_ns > _FITS_NS

    def persist(self, arrived_ns: int, error_ns: int) -> bool:
        """Record a sample's error; return whether the estimate must begin again."""
        if self.is_early(error_ns):
            self._late = 0
            self._early_ns.append(arrived_ns)
            is_full = len(self._early_ns) == _EARLY
            return is_full and arrived_ns - self._early_ns[0] <= _EARLY_NS
        if error_ns >= -_FITS_NS:
            self._late = 0
            return False
        if not self._late:
            self._late_since_ns = arrived_ns
        self._late += 1
        return self._late >= _LATE and arrived_ns - self._late_since_ns >= _LATE_NS
