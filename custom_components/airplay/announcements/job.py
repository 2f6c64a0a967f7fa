"""One announcement on its way: who asked for it, where, and how it went there."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.ulid import ulid_now

from ..raop.messages import Media
from .request import AnnouncedMedia

if TYPE_CHECKING:
    from .speaker_announcer import SpeakerAnnouncer


@dataclass(frozen=True, slots=True)
class Clips:
    """What can be opened: the announcement itself, and a chime that was asked for."""

    message: Media
    chime: Media | None


class JobPart:
    """An announcement at one of its speakers, and those who wait for it there."""

    def __init__(self, announcer: SpeakerAnnouncer, volume: float | None) -> None:
        """Begin with nothing heard; without a volume the speaker's own rule holds."""
        self.announcer = announcer
        self.volume = volume
        # Or else only as a member of a group.
        self.is_addressed = False
        self.callers = 0
        self.failure: HomeAssistantError | None = None
        self.was_heard = False
        self.is_lost = False
        self._started = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self._ended.is_set()

    def start(self) -> None:
        """Take note that it is heard."""
        self.was_heard = True
        self._started.set()

    def end(self, failure: HomeAssistantError | None = None) -> None:
        """Take note that it is over; the first failure is the one that is told."""
        self.failure = self.failure or failure
        self._started.set()
        self._ended.set()

    async def async_wait(self, *, until_end: bool) -> None:
        """Wait until it is over, or only until it begins."""
        await (self._ended if until_end else self._started).wait()


class AnnouncementJob:
    """An announcement at all speakers that are to be heard together."""

    def __init__(self, announcement: AnnouncedMedia, first: SpeakerAnnouncer) -> None:
        """Begin with nobody to hear it; the first speaker lends what any has."""
        self.announcement = announcement
        self.first = first
        self.id = ulid_now()
        self.parts: dict[str, JobPart] = {}
        self.preparing: asyncio.Task[Clips] | None = None
        self.prepared_at = 0.0
        self.running: asyncio.Task[None] | None = None
        self.is_sent = False
        self.is_cancelled = False

    @property
    def addressed(self) -> list[SpeakerAnnouncer]:
        """Return the speakers that were asked for, not those of their groups."""
        return [each.announcer for each in self.parts.values() if each.is_addressed]

    @property
    def open_parts(self) -> list[JobPart]:
        """Return the parts that may still be heard."""
        return [part for part in self.parts.values() if not part.is_ended]

    def speaker(self, announcer: SpeakerAnnouncer, volume: float | None) -> JobPart:
        """Return the part at a speaker, which is heard there only once."""
        return self.parts.setdefault(announcer.stream, JobPart(announcer, volume))
