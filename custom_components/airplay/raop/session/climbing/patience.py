"""How long one start waits for the answers of a receiver, on all its ways together."""

from ...errors import SlowReceiverError

# A user gets sound, or its reason, within 12 s, of which the line and the clock need 2 s.
# No receiver that plays is known to need more than 5 s: one that wakes up answers the
# first connection within 3 s and then at once, and the slowest pairings take 2 s.
# A receiver that never answers any step has at most three steps of 3 s.
CLIMB_S = 10.0
_NOTABLE_S = 0.5
_MOST_NAMED = 6


class Patience:
    """The time that is left for the connections and answers of one start.

    Other waits of a start have bounds of their own: for media, for a receiver that is
    busy, and for evidence.
    """

    def __init__(self, limit_s: float = CLIMB_S) -> None:
        self._limit_s = limit_s
        self._spent_s = 0.0
        self._waits: list[tuple[float, str]] = []

    @property
    def left_s(self) -> float:
        """The time that is left."""
        return max(0.0, self._limit_s - self._spent_s)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._spent_s >= self._limit_s

    def spend(self, step: str, took_s: float) -> None:
        """Record how long a connection or an answer took."""
        self._spent_s += took_s
        if took_s >= _NOTABLE_S:
            self._waits.append((took_s, step))

    def renew(self) -> None:
        """Begin again, as for another command."""
        self._spent_s = 0.0
        self._waits.clear()

    @property
    def error(self) -> SlowReceiverError:
        """The error that names the slowest steps, in their order."""
        slowest = sorted(self._waits, reverse=True)[:_MOST_NAMED]
        named = [f"{step} {s:.1f} s" for s, step in self._waits if (s, step) in slowest]
        steps = ", ".join(named) or "many steps, each a little"
        return SlowReceiverError(f"the receiver takes too long to answer: {steps}")
