"""Media player entity of an AirPlay receiver."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, override

from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_ENQUEUE,
    ATTR_MEDIA_EXTRA,
    MediaPlayerDeviceClass,
    MediaPlayerEnqueue,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    RepeatMode,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from .announcements.request import request_from
from .entities.group import GroupEntity
from .entities.media import MediaEntity
from .entity import ShownPart, group_action, once_in_group, translate_errors
from .player.reported import PlayerState
from .runtime import AirPlayConfigEntry

# A running announcement must not delay a volume change.
PARALLEL_UPDATES = 0

_STATES = {
    PlayerState.IDLE: MediaPlayerState.IDLE,
    PlayerState.BUFFERING: MediaPlayerState.BUFFERING,
    PlayerState.PLAYING: MediaPlayerState.PLAYING,
    PlayerState.PAUSED: MediaPlayerState.PAUSED,
}
_ALWAYS = (
    MediaPlayerEntityFeature.BROWSE_MEDIA
    | MediaPlayerEntityFeature.CLEAR_PLAYLIST
    | MediaPlayerEntityFeature.GROUPING
    | MediaPlayerEntityFeature.MEDIA_ANNOUNCE
    | MediaPlayerEntityFeature.MEDIA_ENQUEUE
    | MediaPlayerEntityFeature.PAUSE
    | MediaPlayerEntityFeature.PLAY_MEDIA
    | MediaPlayerEntityFeature.REPEAT_SET
    | MediaPlayerEntityFeature.SEARCH_MEDIA
    | MediaPlayerEntityFeature.SHUFFLE_SET
    | MediaPlayerEntityFeature.STOP
    | MediaPlayerEntityFeature.VOLUME_MUTE
    | MediaPlayerEntityFeature.VOLUME_SET
    | MediaPlayerEntityFeature.VOLUME_STEP
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the player of a receiver."""
    async_add_entities([AirPlayPlayer(entry)])


@dataclass(slots=True)
class _Kept(ExtraStoredData):
    """State that is kept over a restart, even if the receiver was unavailable."""

    volume: float | None
    is_muted: bool
    queue: dict[str, object]
    position_ms: int

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return the data to store."""
        return asdict(self)


class AirPlayPlayer(MediaEntity, GroupEntity, RestoreEntity):
    """Shows the state of the player and passes on the user's commands."""

    _attr_name = None
    _attr_translation_key = "speaker"
    _attr_device_class = MediaPlayerDeviceClass.SPEAKER
    _attr_volume_step = 0.05
    _unrecorded_attributes = frozenset({"queue_position", "queue_size"})

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the last known volume and queue; let others address the player."""
        await super().async_added_to_hass()
        self.speaker.entity_id = self.entity_id
        if kept := await self.async_get_last_extra_data():
            known = kept.as_dict()
            self.speaker.volume.async_restore(
                known["volume"], is_muted=known["is_muted"]
            )
            self.speaker.own.queue_player.async_restore(
                known.get("queue"), known.get("position_ms")
            )

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Fall silent if the user has disabled the entity: nothing else could stop it."""
        await super().async_will_remove_from_hass()
        if self.registry_entry is None or self.registry_entry.disabled:
            await self.groups.async_withdraw(self.speaker)

    @override
    def _parts(self) -> tuple[ShownPart, ...]:
        """Return the parts, with the current player and the volume."""
        return (*super()._parts(), self.speaker, self.speaker.volume)

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData:
        """Return the data to restore after a restart."""
        volume, own = self.speaker.volume, self.speaker.own
        return _Kept(
            volume=volume.known_level,
            is_muted=volume.is_muted,
            queue=own.queue.items.as_dict(),
            position_ms=own.queue_player.position_ms,
        )

    @property
    @override
    def supported_features(self) -> MediaPlayerEntityFeature:
        """Return the currently supported features."""
        player = self.speaker.player
        queue, playing = player.queue.items, player.reported.playing
        features = _ALWAYS
        if queue.current:
            features |= MediaPlayerEntityFeature.PLAY
            features |= MediaPlayerEntityFeature.PREVIOUS_TRACK
        if queue.has_next:
            features |= MediaPlayerEntityFeature.NEXT_TRACK
        if playing and playing.duration_ms is not None:
            features |= MediaPlayerEntityFeature.SEEK
        return features

    @property
    @override
    def extra_state_attributes(self) -> dict[str, int]:
        """Return the queue position, from one, and flags for special states."""
        queue = self.player.queue.items
        attributes: dict[str, int] = {}
        if queue.current:
            attributes["queue_position"] = queue.position + 1
            attributes["queue_size"] = len(queue)
        if self.speaker.is_announcing:
            attributes["announcing"] = True
        if self.speaker.is_missed:
            attributes["connection_lost"] = True
        return attributes

    @property
    @override
    def shuffle(self) -> bool:
        """Whether the queue plays in a random order."""
        return self.player.queue.items.shuffle

    @property
    @override
    def repeat(self) -> RepeatMode:
        """Return the repeat mode."""
        return RepeatMode(self.player.queue.items.repeat.value)

    @property
    @override
    def state(self) -> MediaPlayerState:
        """Return the state of the player, unless this speaker is lost or switched away."""
        state = self.player.reported.state
        if self.speaker.is_missed and state is PlayerState.PLAYING:
            return MediaPlayerState.BUFFERING
        if self.speaker.is_away:
            return MediaPlayerState.IDLE
        return _STATES[state]

    @property
    @override
    def volume_level(self) -> float:
        """Return the volume, from 0 to 1."""
        return self.speaker.volume.level

    @property
    @override
    def is_volume_muted(self) -> bool:
        """Whether the receiver is muted."""
        return self.speaker.volume.is_muted

    @override
    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        """Play or enqueue media; return when the receiver has started.

        An announcement is different: return when all of it has played.
        """
        enqueue = kwargs.get(ATTR_MEDIA_ENQUEUE)
        extra = kwargs.get(ATTR_MEDIA_EXTRA) or {}
        if kwargs.get(ATTR_MEDIA_ANNOUNCE):
            context_id = self._context.id if self._context else None
            request = request_from(media_type, media_id, extra)
            await self.async_check_control(
                self.announcements.entity_ids([self.announcer], request)
            )
            await self.announcements.async_announce_alone(
                self.announcer, request, context_id
            )
            return
        await self._async_play(media_type, media_id, enqueue, extra)

    @group_action
    @once_in_group
    async def _async_play(
        self,
        media_type: str,
        media_id: str,
        enqueue: MediaPlayerEnqueue | None,
        extra: Mapping[str, Any],
    ) -> None:
        await self.speaker.player.queue_player.async_play_media(
            media_type, media_id, enqueue, extra
        )

    @group_action
    @override
    async def async_media_play(self) -> None:
        """Resume, or play the queue."""
        await self.speaker.async_go_on()

    @group_action
    @override
    async def async_media_pause(self) -> None:
        """Pause; radio stops, and restarts at the live position."""
        await self.player.async_pause()

    @group_action
    @once_in_group
    @override
    async def async_media_play_pause(self) -> None:
        """Toggle between play and pause, considering commands in progress."""
        await self.player.async_toggle()

    @group_action
    @once_in_group
    @override
    async def async_media_next_track(self) -> None:
        """Go to the next item."""
        await self.player.queue_player.async_skip()

    @group_action
    @once_in_group
    @override
    async def async_media_previous_track(self) -> None:
        """Go back to the start of the item, or to the previous one."""
        await self.player.queue_player.async_go_back()

    @group_action
    @override
    async def async_media_seek(self, position: float) -> None:
        """Go to a position in seconds."""
        await self.player.async_seek(round(position * 1000))

    @group_action
    @override
    async def async_clear_playlist(self) -> None:
        """Clear the queue and stop."""
        await self.player.async_clear()

    @group_action
    @override
    async def async_set_shuffle(self, shuffle: bool) -> None:
        """Play the queue in a random order, or in its original one."""
        self.player.queue_player.async_set_shuffle(shuffle)

    @group_action
    @override
    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        """Repeat one item, all, or none."""
        self.player.queue_player.async_set_repeat(repeat)

    @group_action
    @override
    async def async_media_stop(self) -> None:
        """Stop and release the receiver for other senders."""
        await self.player.async_stop()

    @translate_errors
    @override
    async def async_set_volume_level(self, volume: float) -> None:
        """Set the volume, from 0 to 1."""
        await self.speaker.volume.async_set(
            volume, is_muted=self.speaker.volume.is_muted, origin=self.origin
        )

    @translate_errors
    @override
    async def async_mute_volume(self, mute: bool) -> None:
        """Mute, or return to the previous volume."""
        await self.speaker.volume.async_set(
            self.speaker.volume.level, is_muted=mute, origin=self.origin
        )
