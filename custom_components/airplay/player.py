"""What one speaker plays: commands to the sender, and what it reports back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import hashlib
import logging

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .artwork import Picture, async_fetch_picture, async_scale_picture, decode_cover
from .media import Playable
from .models import AirPlayConfigEntry
from .raop.errors import RaopError, error_for
from .raop.messages import (
    CoverFound,
    MediaChanged,
    Play,
    Progress,
    SetArtwork,
    Started,
    Stop,
    StreamChanged,
    Tags,
)
from .sender import Sender, SenderDied, SenderEvent
from .settings import Settings
from .speaker import Speaker
from .volume import Volume

_LOGGER = logging.getLogger(__name__)


class PlayerState(StrEnum):
    """What the sender's reports show."""

    IDLE = "idle"
    BUFFERING = "buffering"
    PLAYING = "playing"


_STATES = {
    "connecting": PlayerState.BUFFERING,
    "buffering": PlayerState.BUFFERING,
    "playing": PlayerState.PLAYING,
    "ended": PlayerState.IDLE,
}


@dataclass(slots=True)
class NowPlaying:
    """The media that plays, and what is known of it by now."""

    playable: Playable
    tags: Tags
    duration_ms: int | None = None
    station: str | None = None
    cover: Picture | None = None
    cover_hash: str | None = None
    position_ms: int = 0
    position_at: datetime | None = None


class Player:
    """Plays on one speaker; the last command wins."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AirPlayConfigEntry,
        speaker: Speaker,
        sender: Sender,
    ) -> None:
        """Listen to the speaker's stream, which is named after its entry."""
        self._hass = hass
        self._entry = entry
        self._speaker = speaker
        self._sender = sender
        self._stream = entry.entry_id
        self._listeners: list[Callable[[], None]] = []
        self._intent = 0
        self._starting = 0
        self._next: Playable | None = None
        self._shows_picture = False
        self.state = PlayerState.IDLE
        self.playing: NowPlaying | None = None
        self.progress: Progress | None = None
        self.settings = Settings.from_entry(entry)
        self.volume = Volume(
            hass,
            entry,
            speaker,
            sender,
            is_idle=lambda: self.is_idle,
            on_change=self._async_tell,
        )
        entry.async_on_unload(sender.async_listen(self._stream, self._async_take))

    @property
    def is_idle(self) -> bool:
        """Whether there is no stream and none is on its way."""
        return self.state is PlayerState.IDLE and not self._starting

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever something of the player changes."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_intend(self) -> int:
        """Announce a command that takes time to prepare; return its number."""
        self._intent += 1
        return self._intent

    async def async_play(self, intent: int, playable: Playable) -> None:
        """Play media unless another command came since; return when it is heard."""
        if intent != self._intent:
            return
        self._starting += 1
        self._next = playable
        member = self._speaker.member(
            self.volume.known_level, is_muted=self.volume.is_muted
        )
        try:
            await self._sender.async_request(
                Play(
                    stream=self._stream,
                    members=(member,),
                    media=playable.media,
                    depth_ms=self.settings.depth_ms,
                    crossfade_ms=self.settings.crossfade_ms,
                )
            )
        except RaopError as error:
            self._speaker.async_failed(error)
            raise
        finally:
            self._starting -= 1
            if self._next is playable:
                self._next = None
            self._async_tell()
        if self.playing and self.playing.playable is playable:
            self._async_show_picture()

    async def async_stop(self) -> None:
        """Stop, also what is still being started, and free the receiver."""
        self.async_intend()
        if not self.is_idle:
            await self._sender.async_request(Stop(stream=self._stream))

    async def async_close(self) -> None:
        """Free the receiver before the entry goes."""
        try:
            await self.async_stop()
        except RaopError as error:
            _LOGGER.debug("%s could not be freed: %s", self._speaker.name, error)

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        match event:
            case StreamChanged():
                self._async_stream_changed(event)
            case Started():
                self._async_change_media()
            case SenderDied():
                self._async_end()
            case Progress():
                self.progress = event
                return
            case MediaChanged() if self.playing:
                self.playing.tags = event.tags
                self.playing.duration_ms = None if event.is_live else event.duration_ms
                self.playing.station = event.station
            case CoverFound() if self.playing:
                self._async_cover_found(self.playing, event)
            case _:
                return
        self._async_tell()

    @callback
    def _async_stream_changed(self, event: StreamChanged) -> None:
        self.state = _STATES.get(event.state, self.state)
        if self.state is PlayerState.IDLE:
            self._async_end()
            if event.reason == "failed" and not self._starting:
                _LOGGER.warning(
                    "%s stopped playing: %s", self._speaker.name, event.text
                )
                self._speaker.async_failed(error_for(event.code or "", event.text))
            return
        if event.state == "connecting":
            self._async_change_media()
        if self.playing:
            self.playing.position_ms = event.position_ms
            self.playing.position_at = (
                dt_util.utc_from_timestamp(event.at) if event.at else dt_util.utcnow()
            )

    @callback
    def _async_change_media(self) -> None:
        """Show what was asked for; until now the media before it was heard."""
        if self._next:
            position_at = self.playing.position_at if self.playing else None
            self.playing = NowPlaying(
                self._next, tags=self._next.media.tags, position_at=position_at
            )

    @callback
    def _async_end(self) -> None:
        self.state = PlayerState.IDLE
        self.progress = None
        self._shows_picture = False
        self.playing = None

    @callback
    def _async_cover_found(self, playing: NowPlaying, event: CoverFound) -> None:
        playing.cover = decode_cover(event.picture, event.content_type)
        if playing.cover and not playing.playable.picture_url:
            digest = hashlib.sha256(playing.cover.content, usedforsecurity=False)
            playing.cover_hash = digest.hexdigest()[:16]
            self._async_show_picture()

    @callback
    def _async_show_picture(self) -> None:
        """Have the receiver show the picture, behind everything else."""
        if self.playing and self._speaker.receiver.takes_artwork:
            self._entry.async_create_background_task(
                self._hass,
                self._async_send_picture(self.playing),
                f"airplay picture {self._speaker.name}",
            )

    async def _async_send_picture(self, playing: NowPlaying) -> None:
        picture = playing.cover
        if url := playing.playable.picture_url:
            picture = await async_fetch_picture(self._hass, url)
        encoded = await async_scale_picture(self._hass, picture) if picture else ""
        if self.playing is not playing or self.is_idle:
            return
        if not encoded and not self._shows_picture:
            return
        try:
            await self._sender.async_request(
                SetArtwork(stream=self._stream, picture=encoded)
            )
        except RaopError as error:
            _LOGGER.debug("%s shows no picture: %s", self._speaker.name, error)
        self._shows_picture = bool(encoded)

    @callback
    def _async_tell(self) -> None:
        for listener in [*self._listeners]:
            listener()
