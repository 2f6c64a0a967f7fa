"""The player that an AirPlay receiver is in Home Assistant."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.media_player import (
    ATTR_MEDIA_EXTRA,
    BrowseMedia,
    MediaPlayerDeviceClass,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from .entity import AirPlayEntity, translate_errors, translated
from .media import async_browse, async_resolve
from .models import AirPlayConfigEntry
from .player import PlayerState
from .raop.errors import RaopError
from .raop.messages import Tags

# An announcement that plays must not hold up a change of the volume.
PARALLEL_UPDATES = 0

_STATES = {
    PlayerState.IDLE: MediaPlayerState.IDLE,
    PlayerState.BUFFERING: MediaPlayerState.BUFFERING,
    PlayerState.PLAYING: MediaPlayerState.PLAYING,
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the one player of a receiver."""
    async_add_entities([AirPlayPlayer(entry)])


@dataclass(slots=True)
class _Kept(ExtraStoredData):
    """What outlives a restart, also when the receiver was away before it."""

    volume: float | None
    is_muted: bool

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what is stored."""
        return asdict(self)


class AirPlayPlayer(AirPlayEntity, MediaPlayerEntity, RestoreEntity):
    """Shows what the player does and hands it what the user wants."""

    _attr_name = None
    _attr_translation_key = "speaker"
    _attr_device_class = MediaPlayerDeviceClass.SPEAKER
    _attr_volume_step = 0.05
    _attr_supported_features = (
        MediaPlayerEntityFeature.BROWSE_MEDIA
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.STOP
        | MediaPlayerEntityFeature.VOLUME_MUTE
        | MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.VOLUME_STEP
    )

    @override
    async def async_added_to_hass(self) -> None:
        """Take the last known volume, which is never guessed louder."""
        await super().async_added_to_hass()
        if kept := await self.async_get_last_extra_data():
            known = kept.as_dict()
            self.player.volume.async_restore(
                known["volume"], is_muted=known["is_muted"]
            )

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData:
        """Return what is taken up again after a restart."""
        volume = self.player.volume
        return _Kept(volume.known_level, volume.is_muted)

    @property
    @override
    def state(self) -> MediaPlayerState:
        """Return what the sender sees at the receiver."""
        return _STATES[self.player.state]

    @property
    @override
    def volume_level(self) -> float:
        """Return the level, from 0 to 1."""
        return self.player.volume.level

    @property
    @override
    def is_volume_muted(self) -> bool:
        """Whether the receiver is muted."""
        return self.player.volume.is_muted

    @property
    @override
    def media_content_id(self) -> str | None:
        """Return the id that was asked to play."""
        playing = self.player.playing
        return playing.playable.content_id if playing else None

    @property
    @override
    def media_content_type(self) -> MediaType | str | None:
        """Return the kind of media."""
        playing = self.player.playing
        return playing.playable.content_type if playing else None

    @property
    @override
    def media_duration(self) -> int | None:
        """Return the length in seconds; radio has none."""
        playing = self.player.playing
        if playing is None or playing.duration_ms is None:
            return None
        return round(playing.duration_ms / 1000)

    @property
    @override
    def media_position(self) -> int | None:
        """Return the position that was heard when it was updated last."""
        playing = self.player.playing
        if playing is None or playing.position_at is None:
            return None
        return round(playing.position_ms / 1000)

    @property
    @override
    def media_position_updated_at(self) -> datetime | None:
        """Return when the position was heard."""
        playing = self.player.playing
        return playing.position_at if playing else None

    @property
    @override
    def media_title(self) -> str | None:
        """Return the title, for radio that of the song."""
        playing = self.player.playing
        return playing.tags.title or playing.station if playing else None

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
        playing = self.player.playing
        return playing.station if playing else None

    @property
    @override
    def media_image_url(self) -> str | None:
        """Return the picture that came with the order to play."""
        playing = self.player.playing
        return playing.playable.picture_url if playing else None

    @property
    @override
    def media_image_hash(self) -> str | None:
        """Return what changes with the picture."""
        playing = self.player.playing
        if playing and playing.cover_hash:
            return playing.cover_hash
        return super().media_image_hash

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        """Return the picture inside the media, or fetch the one of the order."""
        playing = self.player.playing
        if playing and playing.cover_hash and playing.cover:
            return playing.cover.content, playing.cover.content_type
        return await super().async_get_media_image()

    @override
    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        """Play media; done when the receiver has started."""
        intent = self.player.async_intend()
        playable = await async_resolve(
            self.hass,
            self.entity_id,
            media_type,
            media_id,
            kwargs.get(ATTR_MEDIA_EXTRA) or {},
        )
        try:
            await self.player.async_play(intent, playable)
        except RaopError as error:
            raise translated(error, self.speaker.name, playable.media.name) from error

    @translate_errors
    @override
    async def async_media_stop(self) -> None:
        """Stop and leave the receiver free for others."""
        await self.player.async_stop()

    @translate_errors
    @override
    async def async_set_volume_level(self, volume: float) -> None:
        """Set the level, from 0 to 1."""
        await self.player.volume.async_set(volume, is_muted=self.player.volume.is_muted)

    @translate_errors
    @override
    async def async_mute_volume(self, mute: bool) -> None:
        """Mute, or go back to the level that was."""
        await self.player.volume.async_set(self.player.volume.level, is_muted=mute)

    @override
    async def async_browse_media(
        self,
        media_content_type: MediaType | str | None = None,
        media_content_id: str | None = None,
    ) -> BrowseMedia:
        """Browse what of Home Assistant's media can be heard."""
        return await async_browse(self.hass, media_content_id)

    @property
    def _tags(self) -> Tags:
        playing = self.player.playing
        return playing.tags if playing else Tags()
