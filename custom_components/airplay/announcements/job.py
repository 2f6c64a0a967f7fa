"""One announcement in progress, with its speakers and the result on each."""

import asyncio
from dataclasses import dataclass

from homeassistant.util.ulid import ulid_now

from ..raop.api import Media
from .job_part import JobPart
from .request import AnnouncedMedia
from .speaker_announcer import SpeakerAnnouncer


@dataclass(frozen=True, slots=True)
class Clips:
    """The resolved media: the announcement itself, and a custom chime."""

    message: Media
    chime: Media | None


class AnnouncementJob:
    """An announcement on all speakers that play it together."""

    def __init__(self, announcement: AnnouncedMedia, first: SpeakerAnnouncer) -> None:
        """Initialize without speakers; `first` provides what all speakers share."""
        self.announcement = announcement
        self.first = first
        self.id = ulid_now()
        self.parts: dict[SpeakerAnnouncer, JobPart] = {}
        self.preparing: asyncio.Task[Clips] | None = None
        self.prepared_at = 0.0
        self.running: asyncio.Task[None] | None = None
        self.is_sent = False
        self.is_cancelled = False

    @property
    def addressed(self) -> list[SpeakerAnnouncer]:
        """Return the requested speakers, without the rest of their groups."""
        return [
            announcer for announcer, part in self.parts.items() if part.is_addressed
        ]

    @property
    def open_parts(self) -> dict[SpeakerAnnouncer, JobPart]:
        """Return the parts that have not ended."""
        return {
            announcer: part
            for announcer, part in self.parts.items()
            if not part.is_ended
        }

    def part_for(self, announcer: SpeakerAnnouncer, volume: float | None) -> JobPart:
        """Return the part of a speaker, which plays it only once."""
        if (part := self.parts.get(announcer)) is None:
            part = self.parts[announcer] = JobPart(self.id, self.announcement, volume)
        return part
