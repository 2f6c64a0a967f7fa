"""One announcement at one of its speakers: how it went, and who waits for it there."""

import asyncio

from homeassistant.exceptions import HomeAssistantError

from .request import AnnouncedMedia


class JobPart:
    """An announcement at one of its speakers, and those who wait for it there."""

    def __init__(
        self, job_id: str, announcement: AnnouncedMedia, volume: float | None
    ) -> None:
        """Begin with nothing heard; without a volume the speaker's own rule holds."""
        self.job_id = job_id
        self.announcement = announcement
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
        """Note that it sounds."""
        self.was_heard = True
        self._started.set()

    def end(self, failure: HomeAssistantError | None = None) -> None:
        """Note that it is over; the first failure is the one that callers get."""
        self.failure = self.failure or failure
        self._started.set()
        self._ended.set()

    async def async_wait(self, *, until_end: bool) -> None:
        """Wait until it is over, or only until it begins."""
        await (self._ended if until_end else self._started).wait()
