"""The actions of the integration, besides those of media players."""

import asyncio
from typing import TYPE_CHECKING, Any

from homeassistant.components.media_player import (
    ATTR_MEDIA_VOLUME_LEVEL,
    DOMAIN as MEDIA_PLAYER_DOMAIN,
    MediaType,
)
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service

from .announcements.request import (
    PRIORITY,
    AnnouncedMedia,
    AnnouncementRequest,
    Priority,
    chime_from,
    media_id,
)
from .announcements.speech import speech_id
from .const import DOMAIN
from .entity import AirPlayEntity
from .helpers.permissions import async_check_control
from .raop.api import RaopError
from .sender.error_translation import translate_error

if TYPE_CHECKING:
    # Home Assistant replaces voluptuous with it, and its annotations refer to it.
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_ANNOUNCE = "announce"
SERVICE_SET_GROUP_VOLUME = "set_group_volume"

ATTR_MESSAGE = "message"
ATTR_TTS_ENTITY = "tts_entity_id"
ATTR_LANGUAGE = "language"
ATTR_OPTIONS = "options"
ATTR_MEDIA = "media"
ATTR_VOLUME = "volume"
ATTR_CHIME = "chime"
ATTR_CHIME_MEDIA = "chime_media"
ATTR_PRIORITY = "priority"
ATTR_INTERRUPT = "interrupt"
ATTR_GROUP = "group"
ATTR_WAIT = "wait"


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register the actions; each is called once for all of its target players."""
    service.async_register_batched_platform_entity_service(
        hass,
        DOMAIN,
        SERVICE_ANNOUNCE,
        entity_domain=MEDIA_PLAYER_DOMAIN,
        schema={
            vol.Optional(ATTR_MESSAGE): cv.string,
            vol.Optional(ATTR_TTS_ENTITY): cv.string,
            vol.Optional(ATTR_LANGUAGE): cv.string,
            vol.Optional(ATTR_OPTIONS): dict,
            vol.Optional(ATTR_MEDIA): media_id,
            vol.Optional(ATTR_VOLUME): cv.small_float,
            vol.Optional(ATTR_CHIME): cv.boolean,
            vol.Optional(ATTR_CHIME_MEDIA): media_id,
            vol.Optional(ATTR_PRIORITY, default=Priority.NORMAL): PRIORITY,
            vol.Optional(ATTR_INTERRUPT, default=False): cv.boolean,
            vol.Optional(ATTR_GROUP): cv.boolean,
            vol.Optional(ATTR_WAIT, default=True): cv.boolean,
        },
        func=_async_announce,
    )
    service.async_register_batched_platform_entity_service(
        hass,
        DOMAIN,
        SERVICE_SET_GROUP_VOLUME,
        entity_domain=MEDIA_PLAYER_DOMAIN,
        schema={vol.Required(ATTR_MEDIA_VOLUME_LEVEL): cv.small_float},
        func=_async_set_group_volume,
    )


async def _async_announce(players: list[AirPlayEntity], call: ServiceCall) -> None:
    """Announce on all players at the same instant."""
    _take_context(players, call)
    words = call.data
    request = AnnouncementRequest(
        AnnouncedMedia(
            content_id=_content_id(call.hass, words),
            content_type=MediaType.MUSIC,
            chime=chime_from(words.get(ATTR_CHIME), words.get(ATTR_CHIME_MEDIA)),
            priority=words[ATTR_PRIORITY],
            interrupts=words[ATTR_INTERRUPT],
        ),
        volume=words.get(ATTR_VOLUME),
        in_group=words.get(ATTR_GROUP),
        waits=words[ATTR_WAIT],
    )
    announcers = [player.announcer for player in players]
    announcements = players[0].announcements
    speaking = announcements.entity_ids(announcers, request)
    await async_check_control(call.hass, call.context, speaking)
    await announcements.async_announce(announcers, request)


async def _async_set_group_volume(
    players: list[AirPlayEntity], call: ServiceCall
) -> None:
    """Set the volume of each group of the players; a failure stops no other."""
    _take_context(players, call)
    for player in players:
        await player.async_check_control(player.group_entity_ids)
    level = call.data[ATTR_MEDIA_VOLUME_LEVEL]
    groups = {player.player.members: player for player in players}
    results = await asyncio.gather(
        *(
            each.async_set_level(level, player.origin)
            for each, player in groups.items()
        ),
        return_exceptions=True,
    )
    for members, failure in zip(groups, results, strict=True):
        if isinstance(failure, RaopError):
            raise translate_error(failure, members.name) from failure
        if failure:
            raise failure


def _take_context(players: list[AirPlayEntity], call: ServiceCall) -> None:
    """Set the context of the call, which Home Assistant does only for single calls."""
    for player in players:
        player.async_set_context(call.context)


def _content_id(hass: HomeAssistant, words: dict[str, Any]) -> str:
    if (ATTR_MESSAGE in words) == (ATTR_MEDIA in words):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="announce_what"
        )
    if ATTR_MEDIA in words:
        chosen: str = words[ATTR_MEDIA]
        return chosen
    return speech_id(
        hass,
        words[ATTR_MESSAGE],
        words.get(ATTR_TTS_ENTITY),
        words.get(ATTR_LANGUAGE),
        words.get(ATTR_OPTIONS),
    )
