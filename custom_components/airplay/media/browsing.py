"""The media browser: what can be played of Home Assistant's media, and search in it."""

import asyncio
from copy import copy
from dataclasses import replace
import logging
from typing import NamedTuple

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    BrowseError,
    BrowseMedia,
    MediaClass,
    MediaType,
    SearchError,
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from .local import is_local_id, local_media
from .playlist import is_playlist
from .queue_item import QueueItem

_LOGGER = logging.getLogger(__name__)

_MOST_KNOWN = 2000
_MAX_PICTURE = 2000
_MAX_TITLE = 1000
_ALL_SOURCES = "media-source://"
_SEARCH_S = 10
_FOLDER_TYPES = {"", "directory", "folder", MediaType.ALBUM, MediaType.PLAYLIST}
# Folders of these classes contain what they are called.
_WHOLE_CLASSES = {MediaClass.ALBUM, MediaClass.PLAYLIST}
_SOUND_TYPES = {
    "application/ogg",
    "application/x-ogg",
    MediaType.CHANNEL,
    MediaType.EPISODE,
    MediaType.MUSIC,
    MediaType.PODCAST,
    MediaType.TRACK,
}


class _Known(NamedTuple):
    """What the browser showed of an item."""

    title: str
    picture: str | None


_KNOWN: HassKey[dict[str, _Known]] = HassKey(f"{DOMAIN}_browsed")


@callback
def async_completed(hass: HomeAssistant, item: QueueItem) -> QueueItem:
    """Return an item of a source with the name and picture that the browser showed.

    A play request from the browser has nothing but an ID, that of a station too.
    """
    known = hass.data.get(_KNOWN, {}).get(item.content_id)
    if known is None:
        return item
    return replace(
        item, title=item.title or known.title, thumb=item.thumb or known.picture
    )


@callback
def _async_remember(hass: HomeAssistant, item: BrowseMedia) -> None:
    # The tags in a local file say more than its name.
    if not item.can_play or is_local_id(item.media_content_id):
        return
    all_known = hass.data.setdefault(_KNOWN, {})
    all_known.pop(item.media_content_id, None)
    if len(all_known) >= _MOST_KNOWN:
        del all_known[next(iter(all_known))]
    picture = item.thumbnail
    if picture and len(picture) > _MAX_PICTURE:
        picture = None
    all_known[item.media_content_id] = _Known(item.title[:_MAX_TITLE], picture)


async def async_browse(hass: HomeAssistant, media_id: str | None) -> BrowseMedia:
    """Return the media of Home Assistant that can be played."""
    found = await media_source.async_browse_media(
        hass, media_id, content_filter=is_sound
    )
    children = [_shown(hass, child) for child in found.children or ()]
    shown = copy(found)
    shown.children = children
    shown.can_play = found.can_play or (
        is_folder_type(found.media_content_id, found.media_content_type)
        and any(child.can_play and is_sound(child) for child in found.children or ())
    )
    return shown


async def async_search(hass: HomeAssistant, query: SearchMediaQuery) -> SearchMedia:
    """Return the playable results of a media source, or of all if none is given."""
    source = query.media_content_id
    try:
        found = await media_source.async_search_media(hass, source, query)
        results = list(found.result)
    except BrowseError as err:
        if source and source != _ALL_SOURCES:
            raise SearchError(str(err)) from err
        # Home Assistant searches one source at a time, but voice commands name none.
        results = await _async_search_all(hass, query)
    heard = [
        _shown(hass, item) for item in results if item.can_expand or is_sound(item)
    ]
    return SearchMedia(result=heard)


async def _async_search_all(
    hass: HomeAssistant, query: SearchMediaQuery
) -> list[BrowseMedia]:
    """Search all sources at once; those without search return nothing."""
    root = await media_source.async_browse_media(hass, None)

    async def search(source: BrowseMedia) -> list[BrowseMedia]:
        try:
            async with asyncio.timeout(_SEARCH_S):
                found = await media_source.async_search_media(
                    hass, source.media_content_id, query
                )
        except (BrowseError, TimeoutError) as err:
            _LOGGER.debug("Searching %s failed: %r", source.title, err)
            return []
        return list(found.result)

    answers = await asyncio.gather(*(search(each) for each in root.children or ()))
    return [item for answer in answers for item in answer]


def is_sound(item: BrowseMedia) -> bool:
    """Whether media is sound, or a list of it."""
    kind = item.media_content_type or ""
    is_named = kind.startswith("audio/") or kind in _SOUND_TYPES
    return is_named or is_playlist(item.media_content_id, kind)


def is_folder_type(media_id: str, media_type: str | None) -> bool:
    """Whether media of this ID and type is a folder, if it can be expanded."""
    return is_local_id(media_id) or (media_type or "") in _FOLDER_TYPES


@callback
def _shown(hass: HomeAssistant, item: BrowseMedia) -> BrowseMedia:
    """Return an item of the browser, playable if the action plays it; remember it."""
    _async_remember(hass, item)
    if item.can_play or not item.can_expand:
        return item
    is_whole = item.media_class in _WHOLE_CLASSES
    if not local_media(hass, item.media_content_id) and not (
        is_whole and is_folder_type(item.media_content_id, item.media_content_type)
    ):
        return item
    # A source may keep its items.
    shown = copy(item)
    shown.can_play = True
    _async_remember(hass, shown)
    return shown
