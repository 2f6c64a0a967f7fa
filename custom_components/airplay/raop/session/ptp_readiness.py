"""Who leads, and when a receiver's clock is reliable: by its observed behavior."""

from enum import Enum

from ..receiver import Receiver
from .clock_estimate.claims import Claims

_MS_NS = 1_000_000

# A grouped HomePod announces its own clock three times in 0.4 s and then follows; one
# that leads goes on (reported), every 0.25 s if it hears no better clock.
_GOES_ON_NS = 1_000 * _MS_NS
_UNDECIDED_NS = 1_300 * _MS_NS
# Then nobody leads, or the network is down; a leader announces itself again.
_GONE_NS = 5_000 * _MS_NS

# A receiver that measures sends its first request 1.05 s after the connection, and
# is reliable 2.3 s later (reported for Sonos, WiiM, and Samsung).
_FIRST_PROBE_NS = 1_050 * _MS_NS
_SEATED_NS = 2_300 * _MS_NS
# Apple's: after the third exchange, plus a margin for the last one.
_QUICK_PROBES = 3
_QUICK_NS = 250 * _MS_NS
# nqptp sleeps between its two Announces, and shairport-sync requires the same clock
# for 0.4 s: 0.56 s in total (measured).
_CLAIMED_NS = 600 * _MS_NS
# A receiver silent for so long plays nothing, however healthy the session looks.
_STREAK_NS = 5_000 * _MS_NS


class Habit(Enum):
    """How a receiver deals with a sender's clock."""

    FOLLOWS = "follows"
    FOLLOWS_QUICKLY = "follows quickly"
    LEADS = "leads"


def habit_of(receiver: Receiver) -> Habit:
    """Return the habit of a receiver's model."""
    if receiver.keeps_clock:
        return Habit.LEADS
    return Habit.FOLLOWS_QUICKLY if receiver.is_apples else Habit.FOLLOWS


class Election:
    """Who leads: the receiver, if it announces its own clock in spite of ours.

    `receiver_leads` starts with what its record says, so that a start need not wait.
    """

    def __init__(self, *, receiver_leads: bool, now_ns: int) -> None:
        self.receiver_leads = receiver_leads
        self._heard_ns = now_ns
        self._first_ns: int | None = None
        # It has announced its own clock; whether it goes on is another question.
        self.is_contested = False
        self._claims = Claims()

    @property
    def gone_ns(self) -> int:
        """The session time at which a silent leader counts as gone."""
        return self._heard_ns + _GONE_NS

    def begin(self, now_ns: int) -> None:
        """Judge anew: the receiver has just been set to use a clock."""
        self._heard_ns = now_ns
        self._first_ns = None
        self._claims.forget()

    def claim(self, now_ns: int) -> None:
        """Record that we announce our clock."""
        if self._first_ns is None:
            self._first_ns = now_ns

    def announced(self, now_ns: int, clock_id: int) -> bool:
        """Record that it announces its own clock; return whether it leads.

        It leads once it persists in that 1 s after our first Announce.
        """
        self.is_contested = True
        first_ns = self._first_ns
        if first_ns is not None and now_ns - first_ns >= _GOES_ON_NS:
            self.receiver_leads |= self._claims.persists(clock_id, now_ns)
        return self.receiver_leads

    def heard(self, now_ns: int) -> None:
        """Record that a receiver that leads announces or sends its time."""
        self._heard_ns = now_ns

    @property
    def is_asked(self) -> bool:
        """Whether it has just begun to go on, and would do so if we were quiet."""
        return self._claims.is_new

    def yield_to_us(self, now_ns: int) -> None:
        """Record that it does not lead, or no more."""
        self.receiver_leads = False
        self.begin(now_ns)

    def is_undecided(self, now_ns: int) -> bool:
        """Whether a receiver that announced its own clock may yet go on."""
        if self._first_ns is None or not self.is_contested:
            return False
        return now_ns - self._first_ns < _UNDECIDED_NS


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
        """Restart the count: on a new stream some receivers forget all clocks."""
        self._begun_ns = now_ns
        self._claimed_ns = None

    def claim(self, now_ns: int) -> None:
        """Record that it answered our Announce with its own."""
        if self._claimed_ns is None:
            self._claimed_ns = now_ns

    def probe(self, now_ns: int) -> None:
        """Record that it measured the path delay to us."""
        if not self._is_probing(now_ns):
            self.probes = 0
            self._streak_ns = now_ns
            self._third_ns = None
        self.probes += 1
        self._last_ns = now_ns
        if self.probes == _QUICK_PROBES:
            self._third_ns = now_ns

    @property
    def is_simple(self) -> bool:
        """Whether it has answered as nqptp does, and never measured the path delay."""
        return self._claimed_ns is not None and not self.probes

    def has_evidence(self, now_ns: int) -> bool:
        """Whether our clock is known to reach the receiver."""
        return self._claimed_ns is not None or self._is_probing(now_ns)

    def ready_at_ns(self, now_ns: int) -> int:
        """Return the session time from which its clock is reliable.

        Without evidence this is an estimate for the slowest receivers.
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
