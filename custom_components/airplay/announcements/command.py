"""From announcements to what the sender is told, and back to what users are told."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from homeassistant.components.media_player import MediaType
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..helpers.settings import CHIME_OWN, MUSIC_PAUSE
from ..media.media import async_resolve, make_item, public_name
from ..player.members import PlayerMembers
from ..raop.errors import MediaError, MediaTooLongError, RaopError
from ..raop.messages import Announce, Media, Target
from ..sender.error_translation import translate_error
from .job import AnnouncementJob, Clips, JobPart
from .request import AnnouncedMedia

_CHIME = Media(
    url=str(Path(__file__).parents[1] / "sounds" / "chime.wav"), name="the chime"
)


async def async_make_clips(
    hass: HomeAssistant, entity_id: str, announcement: AnnouncedMedia
) -> Clips:
    """Find what is to be opened; raise a translated error where it is nothing."""
    words = {"title": announcement.title} if announcement.title else {}
    wanted = [make_item(announcement.content_type, announcement.content_id, words)]
    if isinstance(announcement.chime, str):
        wanted.append(make_item(MediaType.MUSIC, announcement.chime, {}))
    found = await asyncio.gather(
        *(async_resolve(hass, entity_id, each) for each in wanted)
    )
    message, *chimes = [playable.media for playable in found]
    return Clips(message=message, chime=chimes[0] if chimes else None)


def make_command(
    job: AnnouncementJob, parts: Sequence[JobPart], clips: Clips
) -> Announce:
    """Return the command for all speakers of an announcement.

    They are heard together, so one way must do for all that were asked for: the lowest
    music, the longest ramps, and a pause or a chime where one of them has it. Each
    amplifier has its time to wake.
    """
    settings = [each.settings for each in job.addressed]
    chime = _chime(
        job.announcement,
        clips,
        is_usual=any(each.chime == CHIME_OWN for each in settings),
    )
    return Announce(
        announcement=job.id,
        targets=_targets(parts),
        clips=(chime, clips.message) if chime else (clips.message,),
        duck_db=-max(each.duck_db for each in settings),
        ramp_ms=round(max(each.ramp_ms for each in settings)),
        pauses_music=any(each.music == MUSIC_PAUSE for each in settings),
        lead_in_ms=round(max(each.announcer.settings.lead_in_ms for each in parts)),
    )


def _targets(parts: Sequence[JobPart]) -> tuple[Target, ...]:
    """Return the speakers of each stream."""
    by_members: dict[PlayerMembers, list[JobPart]] = {}
    for part in parts:
        by_members.setdefault(part.announcer.speaker.player.members, []).append(part)
    return tuple(
        Target(
            stream=members.stream,
            addressees=tuple(
                to for each in theirs for to in each.announcer.addressees(each)
            ),
            depth_ms=members.leader.settings.depth_ms,
            is_alone=_are_some(members, theirs),
        )
        for members, theirs in by_members.items()
    )


def _are_some(members: PlayerMembers, parts: Sequence[JobPart]) -> bool:
    """Whether others hear the stream too, or will."""
    speaking = {part.announcer.stream for part in parts}
    return any(
        speaker.entry_id not in speaking and not speaker.in_use.is_in_use
        for speaker in members.speakers
    )


def explained(
    error: RaopError, job: AnnouncementJob, part: JobPart
) -> HomeAssistantError:
    """Return what a user is told of an announcement that failed at a speaker."""
    announcement, name = job.announcement, part.announcer.name
    if isinstance(error, MediaTooLongError):
        return refusal(translation_key="announce_too_long", name=name)
    if isinstance(error, MediaError) and announcement.is_speech:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="speech_failed",
            translation_placeholders={"reason": str(error) or error.code},
        )
    media = announcement.title or public_name(announcement.content_id)
    return translate_error(error, name, media)


def _chime(
    announcement: AnnouncedMedia, clips: Clips, *, is_usual: bool
) -> Media | None:
    if clips.chime:
        return clips.chime
    is_wanted = is_usual if announcement.chime is None else announcement.chime
    return _CHIME if is_wanted else None


def refusal(*, translation_key: str, name: str, **words: object) -> HomeAssistantError:
    """Return what a user is told of an announcement that is not even tried."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "name": name,
            **{word: str(value) for word, value in words.items()},
        },
    )
