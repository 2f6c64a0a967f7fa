"""What an announcement is, whichever way it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yarl

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from ..const import DOMAIN

if TYPE_CHECKING:
    # What Home Assistant puts in the place of voluptuous, and its annotations name.
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
    """How urgent an announcement is; the first kind is heard first."""

    DOORBELL = "doorbell"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Return the place in the order in which kinds are heard."""
        return [*Priority].index(self)


@dataclass(frozen=True, slots=True)
class AnnouncedMedia:
    """What shall be heard. A chime is a media id, the own one, none, or by option."""

    content_id: str
    content_type: str
    chime: str | bool | None
    priority: Priority
    interrupts: bool
    title: str | None = None

    @property
    def is_speech(self) -> bool:
        """Whether a voice of Home Assistant has yet to say it."""
        return self.content_id.startswith(_SPEECH)


@dataclass(frozen=True, slots=True)
class AnnouncementRequest:
    """An announcement as somebody asks for it; where nothing is said the option holds.

    `in_group` is whether the others of a speaker's group are to say it too.
    """

    announcement: AnnouncedMedia
    volume: float | None
    in_group: bool | None
    waits: bool


def media_id(value: Any) -> str:
    """Validate a media id, given as text or as the media selector gives it."""
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
    # Players of other makes take words of their own, and one call may be for all.
    extra=vol.ALLOW_EXTRA,
)


def request_from(
    content_type: str, content_id: str, extra: Mapping[str, Any]
) -> AnnouncementRequest:
    """Read what came with `media_player.play_media`; raise a translated error."""
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
    """Return the chime that two words together ask for."""
    return is_wanted if is_wanted is False else chosen or is_wanted


def check_message(message: str | None) -> None:
    """Refuse a message without a word; None stands for one that is not known."""
    if message is not None and not message.strip():
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="message_empty"
        )
