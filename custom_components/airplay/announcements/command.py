"""Creation of the sender's command for an announcement."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from homeassistant.components.media_player import MediaType
from homeassistant.core import HomeAssistant

from ..helpers.settings import CHIME_OWN, MUSIC_PAUSE
from ..media.media import async_resolve, make_item
from ..player.members import PlayerMembers
from ..raop.api import Announce, Media, MediaKind, Target
from .job import AnnouncementJob, Clips
from .job_part import JobPart
from .request import AnnouncedMedia
from .speaker_announcer import SpeakerAnnouncer

_CHIME = Media(
    url=str(Path(__file__).parents[1] / "sounds" / "chime.wav"), name="the chime"
)

type _Parts = Mapping[SpeakerAnnouncer, JobPart]


async def async_make_clips(
    hass: HomeAssistant, entity_id: str, announcement: AnnouncedMedia
) -> Clips:
    """Resolve the media of an announcement; raise a translated error if that fails."""
    words = {"title": announcement.title} if announcement.title else {}
    wanted = [make_item(announcement.content_type, announcement.content_id, words)]
    if isinstance(announcement.chime, str):
        wanted.append(make_item(MediaType.MUSIC, announcement.chime, {}))
    found = await asyncio.gather(
        *(async_resolve(hass, entity_id, each) for each in wanted)
    )
    # Whatever it is, somebody waits for it as for a voice.
    message, *chimes = [
        replace(playable.media, kind=MediaKind.SPEECH) for playable in found
    ]
    return Clips(message=message, chime=chimes[0] if chimes else None)


def make_command(job: AnnouncementJob, parts: _Parts, clips: Clips) -> Announce:
    """Return the command for all speakers of an announcement.

    All of them play together, so the settings of the addressed ones are combined: the
    lowest music, the longest ramps, and a pause or a chime if one of them has it. The
    lead-in is long enough for every amplifier.
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
        lead_in_ms=round(max(each.settings.lead_in_ms for each in parts)),
    )


def _targets(parts: _Parts) -> tuple[Target, ...]:
    """Return the speakers of each stream."""
    by_members: dict[PlayerMembers, dict[SpeakerAnnouncer, JobPart]] = {}
    for announcer, part in parts.items():
        members = announcer.speaker.player.members
        by_members.setdefault(members, {})[announcer] = part
    return tuple(
        Target(
            stream=members.stream,
            addressees=tuple(
                addressee
                for announcer, part in theirs.items()
                for addressee in announcer.addressees(part)
            ),
            depth_ms=members.leader.settings.depth_ms,
            is_alone=_are_some(members, theirs.keys()),
        )
        for members, theirs in by_members.items()
    )


def _are_some(members: PlayerMembers, announcers: Iterable[SpeakerAnnouncer]) -> bool:
    """Whether the stream has, or will have, members without this announcement."""
    speaking = {each.stream for each in announcers}
    return any(
        speaker.entry_id not in speaking and not speaker.in_use.is_in_use
        for speaker in members.speakers
    )


def _chime(
    announcement: AnnouncedMedia, clips: Clips, *, is_usual: bool
) -> Media | None:
    if clips.chime:
        return clips.chime
    is_wanted = is_usual if announcement.chime is None else announcement.chime
    return _CHIME if is_wanted else None
