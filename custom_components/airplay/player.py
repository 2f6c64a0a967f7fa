"""What plays on one speaker or a group: commands to the sender, and its reports."""

from enum import StrEnum
import logging
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .background import Background
from .company import Company
from .media import Playable
from .now_playing import Display, NowPlaying
from .raop.errors import NoStreamError, RaopError, error_for
from .raop.messages import (
    AnnouncementFailed,
    AnnouncementStarted,
    CoverFound,
    MediaChanged,
    MemberChanged,
    NextTaken,
    Pause,
    Play,
    Progress,
    Queue,
    RemoteCommand,
    Resume,
    Started,
    Stop,
    StreamChanged,
    VolumeFound,
)
from .sender import Sender, SenderDied, SenderEvent, SenderGoneError
from .settings import BUSY_WAIT

if TYPE_CHECKING:
    from .seat import Seat

_LOGGER = logging.getLogger(__name__)

# Nothing is paused, maybe because the process that paused it is gone.
_NOTHING_PAUSED = (NoStreamError, SenderGoneError)
# More are never open and unheard at once.
_MOST_AHEAD = 8
_PLAY_S = 60.0
# These reach their speaker by themselves.
_OF_RECEIVER = (
    AnnouncementFailed,
    AnnouncementStarted,
    MemberChanged,
    RemoteCommand,
    SenderDied,
    VolumeFound,
)


class PlayerState(StrEnum):
    """What the sender's reports show."""

    IDLE = "idle"
    BUFFERING = "buffering"
    PLAYING = "playing"
    PAUSED = "paused"


_STATES = {
    "connecting": PlayerState.BUFFERING,
    "buffering": PlayerState.BUFFERING,
    "playing": PlayerState.PLAYING,
    "paused": PlayerState.PAUSED,
    "ended": PlayerState.IDLE,
}


class Player(Company):
    """Plays on one speaker or on several together; the last command wins."""

    def __init__(self, hass: HomeAssistant, sender: Sender, owner: Seat) -> None:
        """Listen to a stream of its own, which is meant for one speaker at first."""
        super().__init__(sender, owner)
        self._hass = hass
        self._background = Background(hass)
        self._intent = 0
        self._starting = 0
        self._next: Playable | None = None
        self._ahead: dict[str, Playable] = {}
        # Items that are sent already, but not heard.
        self.taken: list[str] = []
        # The numbers of a pause and of a stop that are on their way.
        self._pausing: int | None = None
        self._stopping: int | None = None
        self.state = PlayerState.IDLE
        self.playing: NowPlaying | None = None
        self.progress: Progress | None = None
        self._display = Display(hass, sender, self, self._background)
        self._forget = sender.async_listen(self.stream, self._async_take)

    @property
    def is_idle(self) -> bool:
        """Whether there is no stream and none is on its way."""
        return self.state is PlayerState.IDLE and not self._starting

    @property
    def is_pausing(self) -> bool:
        """Whether a pause is on its way, and nothing was asked for since."""
        return self._pausing == self._intent

    @property
    def is_stopping(self) -> bool:
        """Whether a stop is on its way, and nothing was asked for since."""
        return self._stopping == self._intent

    @callback
    def async_intend(self) -> int:
        """Announce a command that takes time to prepare; return its number."""
        self._intent += 1
        for seat in self.members:
            seat.occupancy.async_wake()
        return self._intent

    async def async_play(self, intent: int, playable: Playable) -> None:
        """Play media unless another command came since; return when it is heard."""
        if intent != self._intent:
            return
        if self.settings.when_busy == BUSY_WAIT and self.is_idle:
            await self.leader.occupancy.async_wait(lambda: intent == self._intent)
            if intent != self._intent:
                return
        patience_s = self.settings.patience_s
        self._starting += 1
        self._next = playable
        try:
            await self._sender.async_request(
                Play(
                    stream=self.stream,
                    members=tuple(
                        each for seat in self.members for each in seat.members
                    ),
                    media=playable.media,
                    depth_ms=self.settings.depth_ms,
                    crossfade_ms=self.settings.crossfade_ms,
                    patience_s=patience_s,
                ),
                within_s=_PLAY_S + patience_s if patience_s else None,
            )
        except RaopError as error:
            self._async_failed(error)
            raise
        finally:
            self._starting -= 1
            if self._next is playable:
                self._next = None
            self.async_tell()
        if self.playing and self.playing.playable is playable:
            self._display.async_show(self.playing)

    async def async_queue(self, playable: Playable | None) -> None:
        """Have media follow without a gap, or nothing."""
        if playable:
            self._ahead.pop(playable.media.item, None)
            self._ahead[playable.media.item] = playable
            for item in [*self._ahead][:-_MOST_AHEAD]:
                del self._ahead[item]
        media = playable.media if playable else None
        await self._sender.async_request(
            Queue(
                stream=self.stream,
                media=media,
                crossfade_ms=self.settings.crossfade_ms,
            )
        )

    async def async_pause(self) -> None:
        """Fall silent at once, and keep the receiver for a while."""
        intent = self.async_intend()
        if self.state is PlayerState.PAUSED and not self._starting:
            return
        if self.is_idle:
            return
        pending = self._next
        self._pausing = intent
        try:
            await self._sender.async_request(
                Pause(stream=self.stream, keep_s=self.settings.keep_paused_s)
            )
        finally:
            if self._pausing == intent:
                self._pausing = None
        if intent == self._intent and pending and self.state is PlayerState.IDLE:
            # It came so early that there was no stream yet.
            self.state = PlayerState.PAUSED
            self.playing = NowPlaying(pending, tags=pending.media.tags)
            self.playing.position_ms = pending.media.position_ms
            self.async_tell()

    async def async_resume(self) -> bool:
        """Go on where it was paused; return whether there was something to go on."""
        self._starting += 1
        try:
            await self._sender.async_request(Resume(stream=self.stream))
        except _NOTHING_PAUSED:
            return False
        except RaopError as error:
            self._async_failed(error)
            raise
        finally:
            self._starting -= 1
            self.async_tell()
        return True

    async def async_stop(self) -> None:
        """Stop, also what is still being started or announced; free the receiver."""
        intent = self._stopping = self.async_intend()
        try:
            if not self.is_idle or any(each.has_own_session for each in self.members):
                await self._sender.async_request(Stop(stream=self.stream))
        finally:
            if self._stopping == intent:
                self._stopping = None
        if intent == self._intent and self.state is PlayerState.PAUSED:
            # The sender knows nothing of what was paused before it was started.
            self._async_end()
            self.async_tell()

    async def async_close(self) -> None:
        """Free the receivers; nothing is played here any more."""
        try:
            await self.async_stop()
        except RaopError as error:
            _LOGGER.debug("%s could not be freed: %s", self.name, error)
        self.async_release()

    @callback
    def async_release(self) -> None:
        """Let go of everything but the receivers; may be done twice."""
        forget, self._forget = self._forget, lambda: None
        forget()
        self._background.async_cancel()

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        if not isinstance(event, _OF_RECEIVER):
            for seat in self._hearers:
                seat.async_take(event)
        self._async_follow_stream(event)

    @callback
    def _async_follow_stream(self, event: SenderEvent) -> None:
        match event:
            case StreamChanged():
                self._async_stream_changed(event)
            case Started():
                self._async_change_media()
            case SenderDied() if self.state is not PlayerState.PAUSED:
                self._async_end()
            case NextTaken():
                self.taken.append(event.item)
            case Progress():
                self.progress = event
                return
            case MediaChanged():
                self._async_media_changed(event)
            case CoverFound() if self.playing:
                if self.playing.async_take_cover(event):
                    self._display.async_show(self.playing)
            case _:
                return
        self.async_tell()

    @callback
    def _async_stream_changed(self, event: StreamChanged) -> None:
        self.state = _STATES.get(event.state, self.state)
        if self.state is PlayerState.IDLE:
            self._async_end()
            if event.reason == "failed" and not self._starting:
                _LOGGER.warning("%s stopped playing: %s", self.name, event.text)
                self._async_failed(error_for(event.code or "", event.text))
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
            self.taken.clear()
            media = self._next.media
            self.playing = NowPlaying(
                self._next,
                tags=media.tags,
                position_ms=media.position_ms,
                position_at=self.playing.position_at if self.playing else None,
            )

    @callback
    def _async_media_changed(self, event: MediaChanged) -> None:
        if event.item in self.taken and event.item in self._ahead:
            del self.taken[: self.taken.index(event.item) + 1]
            playable = self._ahead[event.item]
            self.playing = NowPlaying(
                playable, tags=event.tags, position_at=dt_util.utcnow()
            )
            self._display.async_show(self.playing)
        elif self.playing and self.playing.item == event.item and not event.is_live:
            # It began anew, and what was to follow has to be told again.
            self.taken.clear()
        if self.playing and event.item in ("", self.playing.item):
            self.playing.async_take(event)

    @callback
    def _async_end(self) -> None:
        self.state = PlayerState.IDLE
        self.progress = None
        self.taken.clear()
        self._display.async_end()
        self.playing = None

    @override
    async def async_join(self, seat: Seat) -> None:
        """Let a member hear what plays now; return when it does."""
        await super().async_join(seat)
        self._display.async_show_late()

    @callback
    def _async_failed(self, error: RaopError) -> None:
        """Take note of why the stream could not be heard; groups learn it by member."""
        if not self.is_group:
            self.leader.speaker.async_failed(error)
