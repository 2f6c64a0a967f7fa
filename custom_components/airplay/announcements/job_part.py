"""One announcement on one of its speakers: its result, and its callers."""

import asyncio

from homeassistant.exceptions import HomeAssistantError

from .request import AnnouncedMedia


class JobPart:
    """An announcement on one of its speakers, and the callers that wait for it."""

    def __init__(
        self, job_id: str, announcement: AnnouncedMedia, volume: float | None
    ) -> None:
        """Initialize before the start; without a volume, the speaker's option applies."""
        self.job_id = job_id
        self.announcement = announcement
        self.volume = volume
        # If false, it plays only as a member of a group.
        self.is_addressed = False
        self.callers = 0
        self.failure: HomeAssistantError | None = None
        self.was_heard = False
        self.is_lost = False
        self._started = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def is_ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def start(self) -> None:
        """Record that it has started."""
        self.was_heard = True
        self._started.set()

    def end(self, failure: HomeAssistantError | None = None) -> None:
        """Record the end; callers get the first failure."""
        self.failure = self.failure or failure
        self._started.set()
        self._ended.set()

    async def async_wait(self, *, until_end: bool) -> None:
        """Wait until it ends, or only until it starts."""
        await (self._ended if until_end else self._started).wait()
