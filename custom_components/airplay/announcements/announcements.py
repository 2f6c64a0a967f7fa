"""All announcements of an installation: collected, queued, and awaited."""

import asyncio
from collections.abc import Mapping
from functools import partial
import logging
from typing import Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..helpers.shared import Holding, SharedInstance
from .failures import refusal
from .job import AnnouncementJob
from .job_part import JobPart
from .queue import AnnouncementQueue
from .request import AnnouncedMedia, AnnouncementRequest
from .runner import async_end_early, async_ended, async_prepare, async_run
from .speaker_announcer import SpeakerAnnouncer
from .volume_journal import VolumeJournal

_LOGGER = logging.getLogger(__name__)

# Calls of one action reach several players within a few iterations of the event loop.
_GATHER_S = 0.025
_MOST_WAITING = 20

type _Key = tuple[str, AnnouncedMedia]


class Announcements:
    """Runs announcements in order; one instance for all speakers."""

    def __init__(self, hass: HomeAssistant, journal: VolumeJournal) -> None:
        """Initialize without announcements."""
        self._hass = hass
        self._queue: AnnouncementQueue[AnnouncementJob] = AnnouncementQueue()
        self._gathering: dict[_Key, AnnouncementJob] = {}
        self._announcers: dict[str, SpeakerAnnouncer] = {}
        self.journal = journal

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Create the announcements of this installation."""
        return cls(hass, await VolumeJournal.async_load(hass))

    async def async_close(self) -> None:
        """Stop, because the last speaker was unloaded."""
        await self.journal.async_written()

    @callback
    def async_add(self, announcer: SpeakerAnnouncer) -> CALLBACK_TYPE:
        """Register a speaker, so that its group can find it; return a function that removes it."""
        self._announcers[announcer.stream] = announcer

        def leave() -> None:
            del self._announcers[announcer.stream]

        return leave

    def length(self, announcer: SpeakerAnnouncer) -> int:
        """Return the number of announcements that wait for a speaker."""
        return self._queue.length(announcer.stream)

    def entity_ids(
        self, announcers: list[SpeakerAnnouncer], request: AnnouncementRequest
    ) -> list[str]:
        """Return the players that an announcement on speakers plays on."""
        speaking = self._speaking(announcers, request)
        ids = dict.fromkeys(each.speaker.entity_id for each in speaking)
        return [each for each in ids if each]

    async def async_announce_alone(
        self,
        announcer: SpeakerAnnouncer,
        request: AnnouncementRequest,
        context_id: str | None,
    ) -> None:
        """Announce on one speaker, in sync with other calls for the same announcement."""
        key = (context_id or "", request.announcement)
        job = self._gathering.get(key) if context_id else None
        if job is None or job.is_cancelled:
            job = self._async_make_job(request.announcement, announcer)
            if context_id:
                self._gathering[key] = job
            self._hass.loop.call_later(
                _GATHER_S, partial(self._async_gathered, key, job)
            )
        parts = self._async_parts(job, [announcer], request)
        await self._async_hear(job, parts, until_end=request.waits)

    async def async_announce(
        self, announcers: list[SpeakerAnnouncer], request: AnnouncementRequest
    ) -> None:
        """Announce on several speakers; fail only if all of them fail."""
        job = self._async_make_job(request.announcement, announcers[0])
        parts = self._async_parts(job, announcers, request)
        self._async_join(job)
        await self._async_hear(job, parts, until_end=request.waits)

    async def _async_hear(
        self,
        job: AnnouncementJob,
        parts: Mapping[SpeakerAnnouncer, JobPart],
        *,
        until_end: bool,
    ) -> None:
        """Wait for an announcement; fail only if it failed on all speakers."""
        await self._async_wait(job, parts, until_end=until_end)
        failures = [part.failure for part in parts.values() if part.failure]
        if len(failures) == len(parts):
            raise failures[0]
        for failure in failures:
            _LOGGER.warning("Announcement failed on some speakers: %s", failure)

    async def async_silence(self, announcer: SpeakerAnnouncer) -> None:
        """Cancel the announcements of a speaker that is unloaded, and wait for their end."""
        jobs = [*self._gathering.values()]
        jobs += self._queue.waiting_for(announcer.stream)
        if holder := self._queue.holder_of(announcer.stream):
            jobs.append(holder)
        for job in jobs:
            if announcer not in job.parts:
                continue
            if job.running:
                self._async_cancel(job)
                await async_ended(job)
            else:
                self._async_drop(job, announcer)

    @callback
    def _async_make_job(
        self, announcement: AnnouncedMedia, announcer: SpeakerAnnouncer
    ) -> AnnouncementJob:
        job = AnnouncementJob(announcement, announcer)
        async_prepare(self._hass, job)
        return job

    @callback
    def _async_parts(
        self,
        job: AnnouncementJob,
        announcers: list[SpeakerAnnouncer],
        request: AnnouncementRequest,
    ) -> dict[SpeakerAnnouncer, JobPart]:
        """Return the parts of speakers and of the groups that they announce for."""
        for announcer in announcers:
            job.part_for(announcer, request.volume).is_addressed = True
        speaking = self._speaking(announcers, request)
        parts = {each: job.part_for(each, request.volume) for each in speaking}
        for announcer, part in parts.items():
            if not part.is_ended:
                announcer.async_expect(part)
        return parts

    def _speaking(
        self, announcers: list[SpeakerAnnouncer], request: AnnouncementRequest
    ) -> list[SpeakerAnnouncer]:
        """Return speakers, and the others of the groups that they announce for."""
        return [other for each in announcers for other in self._group(each, request)]

    def _group(
        self, announcer: SpeakerAnnouncer, request: AnnouncementRequest
    ) -> list[SpeakerAnnouncer]:
        """Return a speaker, and the others of its group if the request includes them."""
        if not announcer.speaks_for_group(request.in_group):
            return [announcer]
        members = announcer.speaker.player.members.speakers
        others = (self._announcers.get(speaker.entry_id) for speaker in members)
        return [announcer, *(each for each in others if each)]

    @callback
    def _async_gathered(self, key: _Key, job: AnnouncementJob) -> None:
        if self._gathering.get(key) is job:
            del self._gathering[key]
        self._async_join(job)

    @callback
    def _async_join(self, job: AnnouncementJob) -> None:
        is_next = job.announcement.interrupts
        for announcer, part in job.open_parts.items():
            if is_next:
                self._async_make_way(announcer)
            elif self.length(announcer) >= _MOST_WAITING:
                full = refusal(
                    translation_key="announce_queue_full",
                    name=announcer.name,
                    count=_MOST_WAITING,
                )
                part.end(full)
        streams = [announcer.stream for announcer in job.open_parts]
        if job.is_cancelled or not streams:
            self._async_finish(job)
            return
        rank = job.announcement.priority.rank
        self._queue.join(job, streams, rank, is_next=is_next)
        self._async_advance()

    @callback
    def _async_make_way(self, announcer: SpeakerAnnouncer) -> None:
        for waiting in self._queue.waiting_for(announcer.stream):
            self._async_drop(waiting, announcer)
        if holder := self._queue.holder_of(announcer.stream):
            self._async_cancel(holder)

    @callback
    def _async_advance(self) -> None:
        for job in self._queue.start_ready():
            job.running = self._hass.async_create_background_task(
                self._async_run(job), f"{DOMAIN} announcement {job.id}"
            )

    async def _async_run(self, job: AnnouncementJob) -> None:
        try:
            await async_run(self._hass, self.journal, job)
        finally:
            self._async_finish(job)

    @callback
    def _async_finish(self, job: AnnouncementJob) -> None:
        """Release the callers of a job, and start the jobs that wait for its speakers."""
        if job.preparing:
            job.preparing.cancel()
        for announcer, part in job.parts.items():
            part.end()
            announcer.async_end(part)
        self._queue.leave(job)
        self._async_advance()

    async def _async_wait(
        self,
        job: AnnouncementJob,
        parts: Mapping[SpeakerAnnouncer, JobPart],
        *,
        until_end: bool,
    ) -> None:
        for part in parts.values():
            part.callers += 1
        try:
            for part in parts.values():
                await part.async_wait(until_end=until_end)
        except asyncio.CancelledError:
            for announcer, part in parts.items():
                part.callers -= 1
                if not part.callers:
                    self._async_drop(job, announcer)
            raise

    @callback
    def _async_drop(self, job: AnnouncementJob, announcer: SpeakerAnnouncer) -> None:
        """Remove a speaker from a job that has not started; cancel a job without callers."""
        part = job.parts[announcer]
        if job.running is None:
            part.end()
            announcer.async_end(part)
            self._queue.withdraw(job, announcer.stream)
        if not any(each.callers for each in job.open_parts.values()):
            self._async_cancel(job)
        self._async_advance()

    @callback
    def _async_cancel(self, job: AnnouncementJob) -> None:
        if job.is_cancelled:
            return
        job.is_cancelled = True
        if job.is_sent:
            self._hass.async_create_background_task(
                async_end_early(job), f"{DOMAIN} cancels {job.id}"
            )
        elif job.running:
            job.running.cancel()
        else:
            self._async_finish(job)


_KEY: HassKey[Holding[Announcements]] = HassKey(f"{DOMAIN}_announcements")
ANNOUNCEMENTS = SharedInstance(_KEY, Announcements.async_make)
