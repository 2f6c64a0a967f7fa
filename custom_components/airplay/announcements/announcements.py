"""All announcements of an installation: gathered, put in line, waited for."""

import asyncio
from functools import partial
import logging
from typing import Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..helpers.shared import Holding, SharedInstance
from .command import refusal
from .job import AnnouncementJob, JobPart
from .queue import AnnouncementQueue
from .request import AnnouncedMedia, AnnouncementRequest
from .runner import async_end_early, async_ended, async_prepare, async_run
from .speaker_announcer import SpeakerAnnouncer
from .volume_journal import VolumeJournal

_LOGGER = logging.getLogger(__name__)

# Calls of one action reach several players within a few turns of the loop.
_GATHER_S = 0.025
_MOST_WAITING = 20

type _Key = tuple[str, AnnouncedMedia]


class Announcements:
    """Who announces what, in which order; one for all speakers."""

    def __init__(self, hass: HomeAssistant, journal: VolumeJournal) -> None:
        """Begin with nothing to announce."""
        self._hass = hass
        self._line: AnnouncementQueue[AnnouncementJob] = AnnouncementQueue()
        self._gathering: dict[_Key, AnnouncementJob] = {}
        self._announcers: dict[str, SpeakerAnnouncer] = {}
        self.journal = journal

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Make the announcements of this installation."""
        return cls(hass, await VolumeJournal.async_load(hass))

    async def async_close(self) -> None:
        """Announce nothing any more: the last speaker is gone."""
        await self.journal.async_written()

    @callback
    def async_enter(self, announcer: SpeakerAnnouncer) -> CALLBACK_TYPE:
        """Let a speaker be found by those of its group, until it leaves."""
        self._announcers[announcer.stream] = announcer

        def leave() -> None:
            del self._announcers[announcer.stream]

        return leave

    def length(self, announcer: SpeakerAnnouncer) -> int:
        """Return how many announcements wait for a speaker."""
        return self._line.length(announcer.stream)

    async def async_announce_alone(
        self,
        announcer: SpeakerAnnouncer,
        wish: AnnouncementRequest,
        context_id: str | None,
    ) -> None:
        """Announce at one speaker, and together with other calls that mean the same."""
        key = (context_id or "", wish.announcement)
        order = self._gathering.get(key) if context_id else None
        if order is None or order.is_cancelled:
            order = self._async_open(wish.announcement, announcer)
            if context_id:
                self._gathering[key] = order
            self._hass.loop.call_later(
                _GATHER_S, partial(self._async_gathered, key, order)
            )
        parts = self._async_seat(order, [announcer], wish)
        await self._async_hear(order, parts, until_end=wish.waits)

    async def async_announce(
        self, announcers: list[SpeakerAnnouncer], wish: AnnouncementRequest
    ) -> None:
        """Announce at several speakers; fail only where none of them could."""
        order = self._async_open(wish.announcement, announcers[0])
        parts = self._async_seat(order, announcers, wish)
        self._async_join(order)
        await self._async_hear(order, parts, until_end=wish.waits)

    async def _async_hear(
        self, order: AnnouncementJob, parts: list[JobPart], *, until_end: bool
    ) -> None:
        """Wait for an announcement; fail only where it could be heard nowhere."""
        await self._async_wait(order, parts, until_end=until_end)
        failures = [part.failure for part in parts if part.failure]
        if len(failures) == len(parts):
            raise failures[0]
        for failure in failures:
            _LOGGER.warning("An announcement was not heard everywhere: %s", failure)

    async def async_silence(self, announcer: SpeakerAnnouncer) -> None:
        """End what sounds or waits at a speaker that goes, and wait for the end."""
        orders = [*self._gathering.values()]
        orders += self._line.waiting_for(announcer.stream)
        if holder := self._line.holder_of(announcer.stream):
            orders.append(holder)
        for order in orders:
            if announcer.stream not in order.parts:
                continue
            if order.running:
                self._async_cancel(order)
                await async_ended(order)
            else:
                self._async_drop(order, announcer)

    @callback
    def _async_open(
        self, announcement: AnnouncedMedia, announcer: SpeakerAnnouncer
    ) -> AnnouncementJob:
        order = AnnouncementJob(announcement, announcer)
        async_prepare(self._hass, order)
        return order

    @callback
    def _async_seat(
        self,
        order: AnnouncementJob,
        announcers: list[SpeakerAnnouncer],
        wish: AnnouncementRequest,
    ) -> list[JobPart]:
        """Return the parts at speakers and at those that they speak for."""
        for announcer in announcers:
            order.seat(announcer, wish.volume).is_addressed = True
        speaking = [other for each in announcers for other in self._group(each, wish)]
        parts = [order.seat(each, wish.volume) for each in dict.fromkeys(speaking)]
        for part in parts:
            if not part.is_ended:
                part.announcer.async_expect(part)
        return parts

    def _group(
        self, announcer: SpeakerAnnouncer, wish: AnnouncementRequest
    ) -> list[SpeakerAnnouncer]:
        """Return a speaker, and with it the others of its group where these are meant."""
        if not announcer.speaks_for_group(wish.in_group):
            return [announcer]
        members = announcer.seat.player.members
        others = (self._announcers.get(seat.entry_id) for seat in members)
        return [announcer, *(each for each in others if each)]

    @callback
    def _async_gathered(self, key: _Key, order: AnnouncementJob) -> None:
        if self._gathering.get(key) is order:
            del self._gathering[key]
        self._async_join(order)

    @callback
    def _async_join(self, order: AnnouncementJob) -> None:
        is_next = order.announcement.interrupts
        for part in order.open_parts:
            if is_next:
                self._async_make_way(part.announcer)
            elif self._line.length(part.announcer.stream) >= _MOST_WAITING:
                full = refusal(
                    translation_key="announce_queue_full",
                    name=part.announcer.name,
                    count=_MOST_WAITING,
                )
                part.end(full)
        streams = [part.announcer.stream for part in order.open_parts]
        if order.is_cancelled or not streams:
            self._async_finish(order)
            return
        rank = order.announcement.priority.rank
        self._line.join(order, streams, rank, is_next=is_next)
        self._async_advance()

    @callback
    def _async_make_way(self, announcer: SpeakerAnnouncer) -> None:
        for waiting in self._line.waiting_for(announcer.stream):
            self._async_drop(waiting, announcer)
        if holder := self._line.holder_of(announcer.stream):
            self._async_cancel(holder)

    @callback
    def _async_advance(self) -> None:
        for order in self._line.start_ready():
            order.running = self._hass.async_create_background_task(
                self._async_run(order), f"{DOMAIN} announcement {order.id}"
            )

    async def _async_run(self, order: AnnouncementJob) -> None:
        try:
            await async_run(self._hass, self.journal, order)
        finally:
            self._async_finish(order)

    @callback
    def _async_finish(self, order: AnnouncementJob) -> None:
        """Let everybody go who waits for it, and those who wait for its speakers."""
        if order.preparing:
            order.preparing.cancel()
        for part in order.parts.values():
            part.end()
            part.announcer.async_end(part)
        self._line.leave(order)
        self._async_advance()

    async def _async_wait(
        self, order: AnnouncementJob, parts: list[JobPart], *, until_end: bool
    ) -> None:
        for part in parts:
            part.callers += 1
        try:
            for part in parts:
                await part.async_wait(until_end=until_end)
        except asyncio.CancelledError:
            for part in parts:
                part.callers -= 1
                if not part.callers:
                    self._async_drop(order, part.announcer)
            raise

    @callback
    def _async_drop(self, order: AnnouncementJob, announcer: SpeakerAnnouncer) -> None:
        """Leave a speaker out while that is possible; end what nobody wants."""
        part = order.parts[announcer.stream]
        if order.running is None:
            part.end()
            announcer.async_end(part)
            self._line.withdraw(order, announcer.stream)
        if not any(each.callers for each in order.open_parts):
            self._async_cancel(order)
        self._async_advance()

    @callback
    def _async_cancel(self, order: AnnouncementJob) -> None:
        if order.is_cancelled:
            return
        order.is_cancelled = True
        if order.is_sent:
            self._hass.async_create_background_task(
                async_end_early(order), f"{DOMAIN} cancels {order.id}"
            )
        elif order.running:
            order.running.cancel()
        else:
            self._async_finish(order)


_KEY: HassKey[Holding[Announcements]] = HassKey(f"{DOMAIN}_announcements")
ANNOUNCEMENTS = SharedInstance(_KEY, Announcements.async_make)
