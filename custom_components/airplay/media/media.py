"""Conversion of Home Assistant's media IDs to addresses that the sender can open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
import re
from typing import Any

import yarl

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    MediaType,
    async_process_play_media_url,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.network import NoURLAvailableError, get_url, is_hass_url

from ..const import DOMAIN
from ..raop.api import Media, MediaBounds, MediaKind, Tags
from .local import is_local_id, local_media, local_name
from .queue_item import LOCAL_PLAYLIST, QueueItem, has_secret

_SCHEMES = {"http", "https"}
# What some media sources have. In others, anything may be.
_KINDS = {"tts": MediaKind.SPEECH, "radio_browser": MediaKind.RADIO}
_PICTURE_KEYS = (
    "thumb",
    "thumbnail",
    "logo",
    "picture",
    "image",
    "media_image_url",
    "entity_picture",
)
# The sender accepts lines of limited length; longer titles serve no purpose.
_MAX_TEXT = 1000
_RANDOM = Random()
# Names of files contain question marks, too.
_QUERY = re.compile(r"\?(?=[^/?]*=)")


@dataclass(frozen=True, slots=True)
class Playable:
    """Media to play, and its media ID and type in Home Assistant.

    `picture_named_by` is the address of the server that named its picture, if one did.
    """

    media: Media
    content_id: str
    content_type: str
    picture_url: str | None = field(default=None, repr=False)
    picture_named_by: str | None = None


def new_item_id(random: Random) -> str:
    """Return a short, unique item ID."""
    return f"{random.getrandbits(48):012x}"


def make_item(
    media_type: MediaType | str,
    media_id: str,
    extra: Mapping[str, Any],
    named_by: str | None = None,
) -> QueueItem:
    """Return a queue item for a play request, with its metadata.

    `named_by` is that of the item, for entries of a playlist.
    """
    words = _words(extra)
    tags = _tags(words)
    return QueueItem(
        id=new_item_id(_RANDOM),
        content_id=_without_blanks(media_id),
        content_type=str(media_type),
        title=tags.title,
        artist=tags.artist,
        album=tags.album,
        album_artist=tags.album_artist,
        track=tags.track,
        thumb=_thumb(words),
        named_by=named_by,
    )


async def async_resolve(
    hass: HomeAssistant, entity_id: str, item: QueueItem, position_ms: int = 0
) -> Playable:
    """Resolve an item to playable media; raise a translated error if that fails."""
    media_id, media_type, name = item.content_id, item.content_type, name_of(item)
    if media_source.is_media_source_id(media_id):
        url = await _async_resolve_source(hass, entity_id, media_id, name)
        media_type = MediaType.MUSIC
    else:
        url = await _async_resolve_address(hass, item)
    return Playable(
        media=Media(
            url=url,
            name=name,
            item=item.id,
            kind=_kind(media_id),
            position_ms=position_ms,
            tags=Tags(
                title=item.title,
                artist=item.artist,
                album=item.album,
                album_artist=item.album_artist,
                track=item.track,
            ),
            bounds=_bounds(hass, item, url),
        ),
        content_id=media_id,
        content_type=media_type,
        picture_url=_picture(hass, item.thumb),
        picture_named_by=_server(item.thumb_named_by),
    )


def name_of(item: QueueItem) -> str:
    """Return the name of an item that users see."""
    media_id = item.content_id
    if not is_local_id(media_id):
        media_id = public_name(media_id)
    return item.title or local_name(media_id) or media_id


def shown_id(media_id: str) -> str:
    """Return a media ID for states, which users see and Home Assistant records.

    It is the ID itself if that can be played again without a secret: a path, an ID of a
    media source, or a web address, of which the user and the query are removed.
    """
    if is_local_id(media_id):
        return media_id
    if media_source.is_media_source_id(media_id) and not has_secret(media_id):
        return media_id
    return public_name(media_id)


def public_name(media_id: str) -> str:
    """Return a media ID without parts that may be secret: user, password, query."""
    if media_id.startswith("/"):
        return _QUERY.split(media_id, maxsplit=1)[0]
    try:
        url = yarl.URL(media_id)
        plain = url.with_query(None).with_fragment(None)
        return str(plain.with_user(None) if url.host else plain)
    except ValueError:
        return media_id.partition("?")[0].rpartition("@")[2]


async def _async_resolve_source(
    hass: HomeAssistant, entity_id: str, media_id: str, name: str
) -> str:
    local = local_media(hass, media_id)
    if local and not local.has_known_type:
        # The source resolves only what its browser shows.
        return local.path
    try:
        found = await media_source.async_resolve_media(hass, media_id, entity_id)
    except HomeAssistantError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="media_unresolvable",
            translation_placeholders={"media": name, "reason": _plain(err, media_id)},
        ) from err
    if found.path:
        return str(found.path)
    # Home Assistant's own media has no host. An address with one may come from a
    # directory of radio stations, to which anyone adds.
    return _full_url(hass, found.url, name) if found.url.startswith("/") else found.url


def _plain(error: HomeAssistantError, media_id: str) -> str:
    """Return the text of an error without the query of the media ID, which may be secret."""
    _, _, query = media_id.partition("?")
    is_query = query and not is_local_id(media_id)
    return str(error).replace(query, "…") if is_query else str(error)


async def _async_resolve_address(hass: HomeAssistant, item: QueueItem) -> str:
    media_id, name = item.content_id, name_of(item)
    if media_id.startswith("/"):
        if await hass.async_add_executor_job(_is_allowed_file, hass, media_id):
            return media_id
        return _full_url(hass, media_id, name)
    # Only known schemes: the decoder would open files, pipes, and more.
    if media_id.partition("://")[0].lower() not in _SCHEMES:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="media_address_unsupported",
            translation_placeholders={"media": name},
        )
    # What a playlist names never gets a signature, with which it could read anything.
    return media_id if item.named_by else _full_url(hass, media_id, name)


def _is_allowed_file(hass: HomeAssistant, path: str) -> bool:
    return Path(path).is_file() and hass.config.is_allowed_path(path)


def _full_url(hass: HomeAssistant, url: str, name: str) -> str:
    """Return an address that the sender process can open, signed if it is Home Assistant's."""
    try:
        return async_process_play_media_url(hass, url)
    except (HomeAssistantError, ValueError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="media_no_address",
            translation_placeholders={"media": name},
        ) from err


def _without_blanks(media_id: str) -> str:
    """Return a web address without blanks around it; they may be part of other IDs."""
    plain = media_id.strip()
    return plain if plain.partition("://")[0].lower() in _SCHEMES else media_id


def _kind(media_id: str) -> MediaKind:
    """Return what is known of media before it is opened."""
    if not media_source.is_media_source_id(media_id):
        return MediaKind.ANY
    domain = media_id.partition("://")[2].partition("/")[0]
    return _KINDS.get(domain, MediaKind.ANY)


def _bounds(hass: HomeAssistant, item: QueueItem, url: str) -> MediaBounds:
    """Return what the media may open besides its own address."""
    return MediaBounds(
        own_server=_own_server(hass, url),
        folders=tuple(sorted(hass.config.allowlist_external_dirs)),
        named_by=_server(item.named_by),
    )


def _server(named_by: str | None) -> str | None:
    """Return the server that named something; a user's file is like the user."""
    return None if named_by == LOCAL_PLAYLIST else named_by


def _own_server(hass: HomeAssistant, url: str) -> str | None:
    """Return host and port of an address if it is Home Assistant's own.

    Its certificate is often for another name, or self-signed.
    """
    if url.startswith("/") or not is_hass_url(hass, url):
        return None
    address = yarl.URL(url)
    return f"{address.host}:{address.port}"


def _words(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten the metadata of a request: plain keys win over those of Cast."""
    metadata = extra.get("metadata")
    cast = dict(metadata) if isinstance(metadata, Mapping) else {}
    return cast | {key: value for key, value in extra.items() if key != "metadata"}


def _tags(words: Mapping[str, Any]) -> Tags:
    track = words.get("track", words.get("trackNumber"))
    return Tags(
        title=_text(words, "title", "media_title"),
        artist=_text(words, "artist", "media_artist"),
        album=_text(words, "album", "albumName", "media_album_name"),
        album_artist=_text(words, "album_artist", "albumArtist"),
        track=track if type(track) is int else None,
    )


def _text(words: Mapping[str, Any], *keys: str) -> str | None:
    for key in keys:
        if isinstance(word := words.get(key), str) and word.strip():
            return word.strip()[:_MAX_TEXT]
    return None


def _thumb(words: Mapping[str, Any]) -> str | None:
    url = _text(words, *_PICTURE_KEYS)
    images = words.get("images")
    if url is None and isinstance(images, list) and images:
        url = _text(images[0], "url") if isinstance(images[0], Mapping) else None
    return url


def _picture(hass: HomeAssistant, url: str | None) -> str | None:
    """Return the address of a picture, unsigned: whoever sees the player may see it."""
    if url is None:
        return None
    try:
        full = yarl.URL(f"{get_url(hass)}{url}" if url.startswith("/") else url)
    except NoURLAvailableError, ValueError:
        return None
    return str(full) if full.scheme in _SCHEMES and full.host else None
