"""The actions of the integration, besides those of media players."""

import asyncio
from typing import TYPE_CHECKING, Any

from homeassistant.components.media_player import (
    ATTR_MEDIA_VOLUME_LEVEL,
    DOMAIN as MEDIA_PLAYER_DOMAIN,
    MediaType,
)
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    service,
)
from homeassistant.util.json import JsonObjectType

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
from .discovery.entry_data import member_from, receiver_from
from .entity import AirPlayEntity
from .helpers.permissions import async_check_control
from .raop.api import Member, RaopError
from .runtime import AirPlayRuntime
from .sender.error_translation import translate_error
from .sender.sender import SENDER
from .speaker.check import async_check, response_of

if TYPE_CHECKING:
    # Home Assistant replaces voluptuous with it, and its annotations refer to it.
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_ANNOUNCE = "announce"
SERVICE_DIAGNOSE = "diagnose"
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
ATTR_EACH_METHOD = "each_method"


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
    # Not of entities: those that are unavailable, or not loaded, would be left out.
    hass.services.async_register(
        DOMAIN,
        SERVICE_DIAGNOSE,
        _async_diagnose,
        schema=cv.make_entity_service_schema(
            {vol.Optional(ATTR_EACH_METHOD, default=False): cv.boolean}
        ),
        supports_response=SupportsResponse.ONLY,
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


async def _async_diagnose(call: ServiceCall) -> ServiceResponse:
    """Check each speaker, also those that are not loaded; return what is wrong."""
    hass = call.hass
    entry_ids = await service.async_extract_config_entry_ids(call)
    registry = er.async_get(hass)
    players = {
        each.entity_id: entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.entry_id in entry_ids
        for each in er.async_entries_for_config_entry(registry, entry.entry_id)
        if each.domain == MEDIA_PLAYER_DOMAIN
    }
    if not players:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="diagnose_what"
        )
    await async_check_control(hass, call.context, players)
    tries_each = call.data[ATTR_EACH_METHOD]
    results = await asyncio.gather(
        *(
            _async_check_entry(hass, entry, tries_each=tries_each)
            for entry in players.values()
        )
    )
    return dict(zip(players, results, strict=True))


async def _async_check_entry(
    hass: HomeAssistant, entry: ConfigEntry, *, tries_each: bool
) -> JsonObjectType:
    """Return the result for the speaker of an entry."""
    try:
        async with SENDER.acquire(hass) as sender:
            found = await async_check(sender, _members_of(entry), tries_each=tries_each)
    except RaopError as error:
        raise translate_error(error, entry.title) from error
    return response_of(found)


def _members_of(entry: ConfigEntry) -> tuple[Member, ...]:
    """Return the receivers of an entry, also of one that could not be set up."""
    if entry.state is ConfigEntryState.LOADED:
        runtime: AirPlayRuntime = entry.runtime_data
        return runtime.speaker.members
    return (member_from(entry.data, receiver_from(entry.data), entry.title),)


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
