"""Announcement requests, from any action."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yarl

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from ..const import DOMAIN

if TYPE_CHECKING:
    # Home Assistant replaces voluptuous with it, and its annotations refer to it.
    import probatio as vol
else:
    import voluptuous as vol

ATTR_VOLUME = "announce_volume"
ATTR_CHIME = "preannounce"
ATTR_CHIME_MEDIA = "preannounce_media_id"
ATTR_PRIORITY = "priority"
ATTR_INTERRUPT = "interrupt"
ATTR_GROUP = "group"
ATTR_WAIT = "wait"

_SPEECH = "media-source://tts/"


class Priority(StrEnum):
    """The priority of an announcement, the highest first."""

    DOORBELL = "doorbell"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Return the rank of the priority, 0 for the highest."""
        return [*Priority].index(self)


@dataclass(frozen=True, slots=True)
class AnnouncedMedia:
    """The media to play. A chime is a media ID, the built-in one, none, or by option."""

    content_id: str
    content_type: str
    chime: str | bool | None
    priority: Priority
    interrupts: bool
    title: str | None = None

    @property
    def is_speech(self) -> bool:
        """Whether Home Assistant's text-to-speech must create it."""
        return self.content_id.startswith(_SPEECH)


@dataclass(frozen=True, slots=True)
class AnnouncementRequest:
    """An announcement as requested; the options of the speaker apply to unset fields.

    `in_group` is whether the rest of a speaker's group announces it, too.
    """

    announcement: AnnouncedMedia
    volume: float | None
    in_group: bool | None
    waits: bool


def media_id(value: Any) -> str:
    """Validate a media ID, given as text or as the value of a media selector."""
    if isinstance(value, Mapping):
        value = value.get("media_content_id")
    return cv.string(value)


PRIORITY = vol.All(vol.Lower, vol.In([*Priority]), Priority)
_EXTRA = vol.Schema(
    {
        vol.Optional(ATTR_VOLUME): vol.Any(None, cv.small_float),
        vol.Optional(ATTR_CHIME): cv.boolean,
        vol.Optional(ATTR_CHIME_MEDIA): vol.Any(None, media_id),
        vol.Optional(ATTR_PRIORITY, default=Priority.NORMAL): PRIORITY,
        vol.Optional(ATTR_INTERRUPT, default=False): cv.boolean,
        vol.Optional(ATTR_GROUP): vol.Any(None, cv.boolean),
        vol.Optional(ATTR_WAIT, default=True): cv.boolean,
    },
    # One call may address players of several integrations, with their own keys.
    extra=vol.ALLOW_EXTRA,
)


def request_from(
    content_type: str, content_id: str, extra: Mapping[str, Any]
) -> AnnouncementRequest:
    """Parse the data of `media_player.play_media`; raise a translated error."""
    try:
        words = _EXTRA(dict(extra))
    except vol.Invalid as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="announce_extra_invalid",
            translation_placeholders={
                "field": str(err.path[0]) if err.path else "extra"
            },
        ) from err
    title = words.get("title")
    announcement = AnnouncedMedia(
        content_id=content_id,
        content_type=content_type,
        title=title if isinstance(title, str) else None,
        chime=chime_from(words.get(ATTR_CHIME), words.get(ATTR_CHIME_MEDIA)),
        priority=words[ATTR_PRIORITY],
        interrupts=words[ATTR_INTERRUPT],
    )
    if announcement.is_speech:
        check_message(yarl.URL(content_id).query.get("message"))
    return AnnouncementRequest(
        announcement,
        volume=words.get(ATTR_VOLUME),
        in_group=words.get(ATTR_GROUP),
        waits=words[ATTR_WAIT],
    )


def chime_from(is_wanted: bool | None, chosen: str | None) -> str | bool | None:
    """Return the chime from the two fields that define it."""
    return is_wanted if is_wanted is False else chosen or is_wanted


def check_message(message: str | None) -> None:
    """Refuse an empty message; None stands for an unknown message."""
    if message is not None and not message.strip():
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="message_empty"
        )
