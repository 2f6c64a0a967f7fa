"""The run of one announcement: resolution, playback, and cancellation."""

import asyncio
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..raop.api import CancelAnnouncement, RaopError
from ..sender.errors import SenderGoneError
from .command import async_make_clips, make_command
from .job import AnnouncementJob, Clips
from .volume_journal import VolumeJournal

_LOGGER = logging.getLogger(__name__)

# The longest announcement, with the time before and after its sound.
_LONGEST_S = 420
_END_S = 10
# The address of a message may expire five minutes after its creation.
_STALE_S = 120


@callback
def async_prepare(hass: HomeAssistant, job: AnnouncementJob) -> asyncio.Task[Clips]:
    """Start resolving the media, which does not depend on the speakers."""
    job.prepared_at = hass.loop.time()
    job.preparing = hass.async_create_background_task(
        async_make_clips(hass, job.first.entity_id, job.announcement),
        f"{DOMAIN} announcement",
    )
    # Retrieve the error, because a canceled job never awaits the task.
    job.preparing.add_done_callback(lambda task: task.cancelled() or task.exception())
    return job.preparing


async def async_run(
    hass: HomeAssistant, journal: VolumeJournal, job: AnnouncementJob
) -> None:
    """Play an announcement; report failures to its callers."""
    try:
        await _async_sound(hass, journal, job)
    except HomeAssistantError as error:
        for part in job.open_parts.values():
            part.end(None if job.is_cancelled else error)
    except Exception:
        # The callers must not treat it as played.
        _LOGGER.exception("Announcement ended unexpectedly")
        _async_fail(job, RaopError("it ended unexpectedly"))


async def async_ended(job: AnnouncementJob) -> None:
    """Wait until an announcement has released its speakers, with a timeout."""
    if job.running:
        await asyncio.wait([job.running], timeout=_END_S)


async def async_end_early(job: AnnouncementJob) -> None:
    """Have the sender cancel a running announcement."""
    try:
        await job.first.sender.async_request(CancelAnnouncement(announcement=job.id))
    except RaopError as error:
        _LOGGER.debug("Could not cancel an announcement: %s", error)
    await async_ended(job)
    if job.running:
        # Its speakers must not remain blocked.
        job.running.cancel()


async def _async_sound(
    hass: HomeAssistant, journal: VolumeJournal, job: AnnouncementJob
) -> None:
    is_stale = hass.loop.time() - job.prepared_at > _STALE_S
    preparing = job.preparing
    if preparing is None or is_stale:
        preparing = async_prepare(hass, job)
    clips = await preparing
    for announcer, part in job.open_parts.items():
        announcer.async_admit(part)
    await journal.async_written()
    parts = job.open_parts
    if job.is_cancelled or not parts:
        return
    job.is_sent = True
    for announcer, part in parts.items():
        announcer.async_begin(part)
    try:
        await job.first.sender.async_request(
            make_command(job, parts, clips), within_s=_LONGEST_S
        )
    except SenderGoneError as error:
        _async_fail(job, error)
    except RaopError as error:
        _async_fail(job, error)
        _async_replied(job)
    else:
        _async_replied(job)


@callback
def _async_fail(job: AnnouncementJob, error: RaopError) -> None:
    if not job.is_cancelled:
        for announcer, part in job.open_parts.items():
            announcer.async_fail(part, error)


@callback
def _async_replied(job: AnnouncementJob) -> None:
    """Record that the sender has finished with the volumes of an announcement."""
    for announcer, part in job.parts.items():
        announcer.async_replied(part)
