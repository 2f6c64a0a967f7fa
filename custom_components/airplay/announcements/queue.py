"""The order of announcements: a job waits for its speakers and gets all at once."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
import itertools


@dataclass(slots=True)
class _Waiting[T]:
    job: T
    speakers: set[str]
    rank: tuple[int, int, int]


class AnnouncementQueue[T: Hashable]:
    """Waiting jobs, and running jobs that hold their speakers.

    On each speaker, jobs run in the order of the queue. A job gets its speakers only when
    all of them are free, so that no two jobs ever wait for each other.
    """

    def __init__(self) -> None:
        """Initialize with all speakers free."""
        self._numbers = itertools.count()
        self._waiting: list[_Waiting[T]] = []
        self._holding: dict[T, set[str]] = {}

    def length(self, speaker: str) -> int:
        """Return the number of jobs that wait for a speaker."""
        return sum(speaker in each.speakers for each in self._waiting)

    def join(
        self, job: T, speakers: Iterable[str], rank: int, *, is_next: bool = False
    ) -> None:
        """Queue a job behind those of the same or a smaller rank, or before all."""
        place = (0 if is_next else 1, rank, next(self._numbers))
        self._waiting.append(_Waiting(job, set(speakers), place))
        self._waiting.sort(key=lambda each: each.rank)

    def start_ready(self) -> list[T]:
        """Assign free speakers to the next jobs, and return these jobs."""
        claimed = set().union(*self._holding.values())
        taken = []
        for each in [*self._waiting]:
            if not each.speakers & claimed:
                self._waiting.remove(each)
                self._holding[each.job] = each.speakers
                taken.append(each.job)
            # Later jobs must not overtake, or jobs with many speakers never start.
            claimed |= each.speakers
        return taken

    def leave(self, job: T) -> None:
        """Release the speakers of a job, or remove it from the queue."""
        self._holding.pop(job, None)
        self._waiting = [each for each in self._waiting if each.job != job]

    def withdraw(self, job: T, speaker: str) -> None:
        """Remove a speaker from a waiting job."""
        for each in self._waiting:
            if each.job == job:
                each.speakers.discard(speaker)

    def waiting_for(self, speaker: str) -> list[T]:
        """Return the jobs that wait for a speaker, the next one first."""
        return [each.job for each in self._waiting if speaker in each.speakers]

    def holder_of(self, speaker: str) -> T | None:
        """Return the job that holds a speaker."""
        held = (job for job, taken in self._holding.items() if speaker in taken)
        return next(held, None)
