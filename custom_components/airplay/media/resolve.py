"""Resolution of a play request: one item, or those of a playlist or folder."""

from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientError

from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError, BrowseMedia, MediaType
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..raop.api import (
    MediaError,
    MediaOutOfBoundsError,
    MediaUnreachableError,
    media_problem,
)
from ..sender.error_translation import translate_error
from .browsing import is_folder_type, is_sound
from .local import is_local_id, local_media
from .media import async_resolve, make_item, name_of
from .play_queue import MAX_ITEMS
from .playlist import (
    MAX_PLAYLIST_BYTES,
    Entry,
    HlsPlaylistError,
    LocalPlace,
    NotAPlaylistError,
    PlaylistError,
    is_playlist,
    is_web,
    parse_playlist,
)
from .queue_item import LOCAL_PLAYLIST, QueueItem
from .web import OutOfReachError, async_open, async_read


@dataclass(frozen=True, slots=True)
class ResolvedMedia:
    """The items of a request; `playlist` is the name of several."""

    items: list[QueueItem]
    playlist: str | None = None


async def async_resolve_items(
    hass: HomeAssistant, entity_id: str, item: QueueItem
) -> ResolvedMedia:
    """Return the items of a playlist or folder; anything else is one item."""
    if await _async_is_folder(hass, item):
        return await _async_folder(hass, item)
    if not _is_playlist(item):
        return ResolvedMedia([item])
    try:
        entries, named_by = await _async_entries(hass, entity_id, item)
    except HlsPlaylistError, NotAPlaylistError:
        return ResolvedMedia([item])
    except PlaylistError as err:
        raise _failed(item, err.key, **err.numbers) from err
    except MediaError as err:
        name = name_of(item)
        raise translate_error(err, name, name) from None
    # There may be thousands.
    items = await hass.async_add_executor_job(_items_of, entries, item, named_by)
    return ResolvedMedia(items, name_of(item))


def _is_playlist(item: QueueItem) -> bool:
    is_called = item.content_type == MediaType.PLAYLIST
    return (
        is_called or is_playlist(item.content_id) or is_playlist("", item.content_type)
    )


async def _async_is_folder(hass: HomeAssistant, item: QueueItem) -> bool:
    media_id = item.content_id
    if local := local_media(hass, media_id):
        path = Path(local.path)
        # Its source names what is wrong with a folder that does not exist.
        return await hass.async_add_executor_job(
            lambda: path.is_dir() or not (local.has_known_type or path.is_file())
        )
    is_media = media_source.is_media_source_id(media_id)
    return is_media and is_folder_type(media_id, item.content_type)


async def _async_folder(hass: HomeAssistant, item: QueueItem) -> ResolvedMedia:
    """Return the audio items of a folder, without subfolders."""
    try:
        folder = await media_source.async_browse_media(hass, item.content_id)
    except BrowseError as err:
        raise _failed(item, "media_unresolvable", reason=err) from err
    found = [
        make_item(MediaType.MUSIC, child.media_content_id, _words(child))
        for child in folder.children or ()
        if child.can_play and is_sound(child) and not _is_list(child)
    ]
    if not found:
        raise _failed(item, "media_folder_empty")
    return ResolvedMedia(found[: MAX_ITEMS + 1], item.title or folder.title)


def _is_list(child: BrowseMedia) -> bool:
    return is_playlist(child.media_content_id, child.media_content_type)


def _words(child: BrowseMedia) -> dict[str, str]:
    # The tags in a file say more than its name.
    if is_local_id(child.media_content_id):
        return {}
    words = {"title": child.title, "thumb": child.thumbnail}
    return {name: word for name, word in words.items() if word}


async def _async_entries(
    hass: HomeAssistant, entity_id: str, item: QueueItem
) -> tuple[list[Entry], str]:
    """Return the entries of a playlist, and who names them."""
    address = (await async_resolve(hass, entity_id, item)).media.url
    if address.startswith("/"):
        place = _place(hass, item.content_id, address)
        entries = await hass.async_add_executor_job(_read_local, place)
        return entries, LOCAL_PLAYLIST
    content, kind, address, server = await _async_fetch(hass, address)
    origin: str | LocalPlace = address
    if item.content_id.startswith("/"):
        # What an own address leads to is signed again.
        own = item.content_id.partition("?")[0]
        origin = LocalPlace(own, str(Path(own).parent))
    entries = await hass.async_add_executor_job(parse_playlist, content, origin, kind)
    return entries, server


def _place(hass: HomeAssistant, media_id: str, path: str) -> LocalPlace:
    """Return where a local playlist is: entries stay in the media folder around it."""
    if local := local_media(hass, media_id):
        return LocalPlace(path, local.root, local.id_prefix)
    around = [
        folder
        for folder in hass.config.allowlist_external_dirs
        if Path(path).is_relative_to(folder)
    ]
    return LocalPlace(path, max(around, key=len, default=str(Path(path).parent)))


def _read_local(place: LocalPlace) -> list[Entry]:
    entries = parse_playlist(_read(place.path), place)
    return [_existing(entry, place) for entry in entries]


def _existing(entry: Entry, place: LocalPlace) -> Entry:
    """Return an entry with the first of its meanings that is a file."""
    if not entry.others:
        return entry
    urls = (entry.url, *entry.others)
    found = (
        each for each in urls if is_web(each) or Path(place.path_of(each)).is_file()
    )
    return replace(entry, url=next(found, entry.url))


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_PLAYLIST_BYTES + 1)
    except OSError as err:
        raise PlaylistError(err.strerror or "it cannot be read") from err


async def _async_fetch(hass: HomeAssistant, url: str) -> tuple[bytes, str, str, str]:
    """Return a playlist, its type, its final address, and that of its server.

    Raise MediaError, with a text that contains no address, or NotAPlaylistError.
    """
    try:
        async with async_open(hass, url) as response:
            if response.status >= 400:
                problem, reason = media_problem(response.status)
                raise problem(reason, status=response.status)
            # Audio may never end, so it is not read just for its type.
            if response.content_type.startswith("audio/") and not is_playlist(
                url, response.content_type
            ):
                raise NotAPlaylistError("the content is audio")
            content = await async_read(response, MAX_PLAYLIST_BYTES)
            kind, address = response.content_type, str(response.url)
            return content, kind, address, response.server
    # Not from the error, which contains the address.
    except OutOfReachError:
        text = "it leads to an address that only a user may name"
        raise MediaOutOfBoundsError(text) from None
    except (ClientError, TimeoutError, ValueError) as err:
        raise MediaUnreachableError(type(err).__name__) from None


def _items_of(
    entries: list[Entry], playlist: QueueItem, named_by: str
) -> list[QueueItem]:
    return [_item_of(entry, playlist, named_by) for entry in entries]


def _item_of(entry: Entry, playlist: QueueItem, named_by: str) -> QueueItem:
    words = {
        "title": entry.title,
        "artist": entry.artist,
        "album": entry.album,
        "thumb": playlist.thumb or entry.picture,
    }
    known = {name: word for name, word in words.items() if word}
    item = make_item(MediaType.MUSIC, entry.url, known, named_by)
    return replace(item, thumb_named_by=None if playlist.thumb else named_by)


def _failed(item: QueueItem, key: str, **details: object) -> HomeAssistantError:
    placeholders = {name: str(detail) for name, detail in details.items()}
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"media": name_of(item), **placeholders},
    )
