"""Who is heard next: orders wait for their speakers and take them all at once."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
import itertools


@dataclass(slots=True)
class _Place[T]:
    job: T
    speakers: set[str]
    rank: tuple[int, int, int]


class AnnouncementQueue[T: Hashable]:
    """Orders that wait, and those that hold their speakers.

    On each speaker they follow in the line's order. An order takes its speakers only
    when all of them are free, so that no two ever wait for each other.
    """

    def __init__(self) -> None:
        """Begin with all speakers free."""
        self._numbers = itertools.count()
        self._waiting: list[_Place[T]] = []
        self._holding: dict[T, set[str]] = {}

    def length(self, speaker: str) -> int:
        """Return how many orders wait for a speaker."""
        return sum(speaker in place.speakers for place in self._waiting)

    def join(
        self, job: T, speakers: Iterable[str], rank: int, *, is_next: bool = False
    ) -> None:
        """Wait behind what has the same rank or a smaller one, or before all."""
        place = (0 if is_next else 1, rank, next(self._numbers))
        self._waiting.append(_Place(job, set(speakers), place))
        self._waiting.sort(key=lambda each: each.rank)

    def start_ready(self) -> list[T]:
        """Give free speakers to those whose turn it is, and return these."""
        claimed = set().union(*self._holding.values())
        taken = []
        for place in [*self._waiting]:
            if not place.speakers & claimed:
                self._waiting.remove(place)
                self._holding[place.job] = place.speakers
                taken.append(place.job)
            # Whoever comes later must not overtake, or those with many never start.
            claimed |= place.speakers
        return taken

    def leave(self, job: T) -> None:
        """Give the speakers of an order back, or its place in the line."""
        self._holding.pop(job, None)
        self._waiting = [each for each in self._waiting if each.job != job]

    def withdraw(self, job: T, speaker: str) -> None:
        """Let an order that waits go without a speaker."""
        for place in self._waiting:
            if place.job == job:
                place.speakers.discard(speaker)

    def waiting_for(self, speaker: str) -> list[T]:
        """Return the orders that wait for a speaker, the next one first."""
        return [each.job for each in self._waiting if speaker in each.speakers]

    def holder_of(self, speaker: str) -> T | None:
        """Return the order that has a speaker."""
        held = (job for job, taken in self._holding.items() if speaker in taken)
        return next(held, None)
