"""When to measure the way to a clock and back, and the measured round trips."""

_MS_NS = 1_000_000
_SECOND_NS = 1_000 * _MS_NS

# A start has little time to find a round trip without delay: a fast one is rarer than
# a fast Sync, as both of its ways must be. Afterwards, as often as receivers themselves
# ask (8 per second, reported).
_FAST_NS = 15_625_000
_FAST_FOR_NS = 5 * _SECOND_NS
_USUAL_NS = 125 * _MS_NS
# A receiver that answers nothing is asked rarely.
_RARE_NS = _SECOND_NS
_MOST_OPEN = 64
# Later than any answer (74 ms is the most reported); a sequence number may come again.
_LONGEST_NS = 2 * _SECOND_NS
_NUMBERS = 1 << 16
_NEVER_NS = 1 << 63


class RoundTrips:
    """The open requests and the time of the next one: never before `begin`."""

    def __init__(self) -> None:
        self.next_ns = _NEVER_NS
        self._fast_until_ns = 0
        self._is_answered = False
        self._number = -1
        self._sent_ns: dict[int, int] = {}

    def begin(self, now_ns: int) -> None:
        """Ask at once, and often for a while, as an estimate begins."""
        self.next_ns = now_ns
        self._fast_until_ns = now_ns + _FAST_FOR_NS

    def ask(self, now_ns: int) -> int:
        """Return the number of a request that leaves now."""
        self._number = (self._number + 1) % _NUMBERS
        self._sent_ns[self._number] = now_ns
        if len(self._sent_ns) > _MOST_OPEN:
            del self._sent_ns[next(iter(self._sent_ns))]
        self.next_ns = now_ns + self._interval_ns(now_ns)
        return self._number

    def departed(self, number: int, sent_ns: int) -> None:
        """Record when a request really left, unless it is answered already."""
        if number in self._sent_ns:
            self._sent_ns[number] = sent_ns

    def answered(self, number: int, arrived_ns: int) -> int | None:
        """Return the duration of a round trip; None if it is not a new answer."""
        sent_ns = self._sent_ns.pop(number, None)
        if sent_ns is None or not 0 <= arrived_ns - sent_ns <= _LONGEST_NS:
            return None
        self._is_answered = True
        return arrived_ns - sent_ns

    def _interval_ns(self, now_ns: int) -> int:
        if now_ns < self._fast_until_ns:
            return _FAST_NS
        return _USUAL_NS if self._is_answered else _RARE_NS
