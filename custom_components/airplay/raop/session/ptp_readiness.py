"""When a receiver's clock can be relied on, from what it was seen to do."""

from enum import Enum

from ..receiver import Receiver

_MS_NS = 1_000_000

# A receiver that measures asks 1.05 s after the connection for the first time, and
# can be relied on 2.3 s later (reported for Sonos, WiiM and Samsung).
_FIRST_PROBE_NS = 1_050 * _MS_NS
_SEATED_NS = 2_300 * _MS_NS
# Apple's: with the third exchange, and a little for the last one to be counted.
_QUICK_PROBES = 3
_QUICK_NS = 250 * _MS_NS
# nqptp sleeps between its two Announces, and shairport-sync wants the same clock for
# 0.4 s: 0.56 s together (measured).
_CLAIMED_NS = 600 * _MS_NS
# What asks no more for so long plays nothing, however healthy the session looks.
_STREAK_NS = 5_000 * _MS_NS


class Habit(Enum):
    """How a receiver deals with a sender's clock."""

    FOLLOWS = "follows"
    FOLLOWS_QUICKLY = "follows quickly"
    LEADS = "leads"


def habit_of(receiver: Receiver) -> Habit:
    """Return what is known of a receiver's kind."""
    if receiver.keeps_clock:
        return Habit.LEADS
    is_quick = receiver.manufacturer == "Apple"
    return Habit.FOLLOWS_QUICKLY if is_quick else Habit.FOLLOWS


class Readiness:
    """Counts the signs that a receiver follows our clock."""

    def __init__(self, habit: Habit, now_ns: int) -> None:
        self._habit = habit
        self._begun_ns = now_ns
        self._claimed_ns: int | None = None
        self._streak_ns = 0
        self._third_ns: int | None = None
        self._last_ns = 0
        self.probes = 0

    def begin(self, now_ns: int) -> None:
        """Count from here on: a new stream makes some receivers forget all clocks."""
        self._begun_ns = now_ns
        self._claimed_ns = None

    def claim(self, now_ns: int) -> None:
        """Take note that it answered our Announce with one of its own."""
        if self._claimed_ns is None:
            self._claimed_ns = now_ns

    def probe(self, now_ns: int) -> None:
        """Take note that it measured the way to us."""
        if not self._is_probing(now_ns):
            self.probes = 0
            self._streak_ns = now_ns
            self._third_ns = None
        self.probes += 1
        self._last_ns = now_ns
        if self.probes == _QUICK_PROBES:
            self._third_ns = now_ns

    def has_evidence(self, now_ns: int) -> bool:
        """Whether our clock is known to reach it."""
        return self._claimed_ns is not None or self._is_probing(now_ns)

    def ready_at_ns(self, now_ns: int) -> int:
        """Return the session time from which on its clock can be relied on.

        Without a sign of it this is a guess for the slowest.
        """
        if self._is_probing(now_ns):
            if self._habit is Habit.FOLLOWS_QUICKLY and self._third_ns is not None:
                return self._third_ns + _QUICK_NS
            return self._streak_ns + _SEATED_NS
        if self._claimed_ns is not None:
            return self._claimed_ns + _CLAIMED_NS
        return self._begun_ns + _FIRST_PROBE_NS + _SEATED_NS

    def _is_probing(self, now_ns: int) -> bool:
        return self.probes > 0 and now_ns - self._last_ns < _STREAK_NS
