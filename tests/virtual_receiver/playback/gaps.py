"""Lost packets, and when to ask for them again."""

from collections.abc import Callable, Iterable

# measured on shairport-sync 5.1 and 3.3.8 (resends)
FIRST_ASK_NS = 100_000_000
NEXT_ASK_NS = 250_000_000
GIVE_UP_NS = 100_000_000

_COUNT_LIMIT = 1024


class Gaps:
    """Sequence numbers, not wrapped, that have not arrived."""

    def __init__(self) -> None:
        """Start with no gap."""
        self._ask_at: dict[int, int] = {}

    def notice(self, sequences: Iterable[int], now: int) -> None:
        """Record packets that one that came has skipped."""
        for sequence in sequences:
            self._ask_at.setdefault(sequence, now + FIRST_ASK_NS)

    def fill(self, sequence: int) -> bool:
        """Strike out a packet that came after all; True when it was a gap."""
        return self._ask_at.pop(sequence, None) is not None

    def forget_below(self, sequence: int) -> None:
        """Strike out everything older than the next packet to play."""
        for old in [gap for gap in self._ask_at if gap < sequence]:
            del self._ask_at[old]

    def clear(self) -> None:
        """Strike out everything."""
        self._ask_at.clear()

    @property
    def next_ask_ns(self) -> int | None:
        """Return when to ask next."""
        return min(self._ask_at.values(), default=None)

    def ask(self, now: int, due: Callable[[int], int | None]) -> list[tuple[int, int]]:
        """Return first and count of the packets to ask for at this time."""
        asked = []
        for sequence in sorted(self._ask_at):
            due_ns = due(sequence)
            if due_ns is not None and due_ns - GIVE_UP_NS <= now:
                del self._ask_at[sequence]
            elif self._ask_at[sequence] <= now:
                self._ask_at[sequence] = now + NEXT_ASK_NS
                asked.append(sequence)
        return in_ranges(asked)


def in_ranges(sequences: Iterable[int]) -> list[tuple[int, int]]:
    """Join neighbours into pairs of first and count."""
    joined: list[tuple[int, int]] = []
    for sequence in sequences:
        if joined:
            first, count = joined[-1]
            if sequence == first + count and count < _COUNT_LIMIT:
                joined[-1] = (first, count + 1)
                continue
        joined.append((sequence, 1))
    return joined
