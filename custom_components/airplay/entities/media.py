"""The media features of a player."""

from datetime import datetime
from typing import override

from homeassistant.components.media_player import (
    BrowseMedia,
    MediaPlayerEntity,
    MediaType,
    SearchMedia,
    SearchMediaQuery,
)

from ..entity import AirPlayEntity
from ..media.browsing import async_browse, async_search
from ..media.local import is_local_id, local_name
from ..media.media import shown_id
from ..raop.api import Tags


class MediaEntity(AirPlayEntity, MediaPlayerEntity):
    """Shows the media of a player, from the request and its tags, and what to play."""

    @property
    @override
    def media_playlist(self) -> str | None:
        """Return the playlist or folder that the queue came from."""
        player = self.player
        return player.queue.playlist if player.reported.playing else None

    @property
    @override
    def media_content_id(self) -> str | None:
        """Return the requested media ID, without a login or a signature."""
        playing = self.player.reported.playing
        return shown_id(playing.playable.content_id) if playing else None

    @property
    @override
    def media_content_type(self) -> MediaType | str | None:
        """Return the media type."""
        playing = self.player.reported.playing
        return playing.playable.content_type if playing else None

    @property
    @override
    def media_duration(self) -> int | None:
        """Return the length in seconds; radio has none."""
        playing = self.player.reported.playing
        if playing is None or playing.duration_ms is None:
            return None
        return round(playing.duration_ms / 1000)

    @property
    @override
    def media_position(self) -> int | None:
        """Return the playback position at its last update."""
        playing = self.player.reported.playing
        if playing is None or playing.position_at is None:
            return None
        return round(playing.position_ms / 1000)

    @property
    @override
    def media_position_updated_at(self) -> datetime | None:
        """Return the time of the last position update."""
        playing = self.player.reported.playing
        return playing.position_at if playing else None

    @property
    @override
    def media_title(self) -> str | None:
        """Return the title; for radio, that of the song.

        Local media without a title has the name that the browser shows.
        """
        playing = self.player.reported.playing
        if playing is None:
            return None
        media_id = playing.playable.content_id
        name = local_name(media_id) if is_local_id(media_id) else None
        return playing.tags.title or playing.station or name

    @property
    @override
    def media_artist(self) -> str | None:
        """Return the artist."""
        return self._tags.artist

    @property
    @override
    def media_album_name(self) -> str | None:
        """Return the album."""
        return self._tags.album

    @property
    @override
    def media_album_artist(self) -> str | None:
        """Return the album's artist."""
        return self._tags.album_artist

    @property
    @override
    def media_track(self) -> int | None:
        """Return the number within the album."""
        return self._tags.track

    @property
    @override
    def media_channel(self) -> str | None:
        """Return the radio station."""
        playing = self.player.reported.playing
        return playing.station if playing else None

    @property
    @override
    def media_image_url(self) -> str | None:
        """Return the picture that came with the play request."""
        playing = self.player.reported.playing
        return playing.playable.picture_url if playing else None

    @property
    @override
    def media_image_hash(self) -> str | None:
        """Return a hash that changes with the picture."""
        playing = self.player.reported.playing
        if playing and playing.cover_hash:
            return playing.cover_hash
        return super().media_image_hash

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        """Return the picture of the play request, or the one embedded in the media.

        Home Assistant's own fetch would return whatever it finds at the address.
        """
        playing = self.player.reported.playing
        picture = await playing.async_picture(self.hass) if playing else None
        return (picture.content, picture.content_type) if picture else (None, None)

    @override
    async def async_browse_media(
        self,
        media_content_type: MediaType | str | None = None,
        media_content_id: str | None = None,
    ) -> BrowseMedia:
        """Browse the audio media of Home Assistant."""
        return await async_browse(self.hass, media_content_id)

    @override
    async def async_search_media(self, query: SearchMediaQuery) -> SearchMedia:
        """Search a media source for audio."""
        return await async_search(self.hass, query)

    @property
    def _tags(self) -> Tags:
        playing = self.player.reported.playing
        return playing.tags if playing else Tags()
