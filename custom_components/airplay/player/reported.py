"""What plays on one speaker or a group, as the sender reports it."""

from enum import StrEnum
import logging
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..helpers.background import Background
from ..media.media import Playable
from ..raop.api import (
    AnnouncementFailed,
    AnnouncementStarted,
    CoverFound,
    Measure,
    MediaChanged,
    MemberChanged,
    NextTaken,
    Progress,
    RaopError,
    RemoteCommand,
    Started,
    StreamChanged,
    VolumeFound,
    error_for,
)
from ..sender.sender import Sender, SenderDied, SenderEvent
from .members import PlayerMembers
from .now_playing import Display, NowPlaying

if TYPE_CHECKING:
    from ..speaker.speaker import Speaker

_LOGGER = logging.getLogger(__name__)

# These reach their speaker by themselves.
_OF_RECEIVER = (
    AnnouncementFailed,
    AnnouncementStarted,
    MemberChanged,
    RemoteCommand,
    SenderDied,
    VolumeFound,
)


_MEASURE_S = 5.0


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


class ReportedState(PlayerMembers):
    """Follows the stream of one speaker or of several together."""

    def __init__(self, hass: HomeAssistant, sender: Sender, owner: Speaker) -> None:
        """Listen to a stream of its own, which is meant for one speaker at first."""
        super().__init__(sender, owner)
        self._hass = hass
        self._background = Background(hass)
        # What is asked for and not heard yet, and what may follow it.
        self._starting = 0
        self._next: Playable | None = None
        self._ahead: dict[str, Playable] = {}
        # Items that are sent already, but not heard.
        self.taken: list[str] = []
        self.state = PlayerState.IDLE
        self.playing: NowPlaying | None = None
        self.progress: Progress | None = None
        self._measured: Progress | None = None
        self._is_measuring = False
        self._display = Display(hass, sender, self, self._background)
        self._forget = sender.async_listen(self.stream, self._async_take)

    @property
    def is_idle(self) -> bool:
        """Whether there is no stream and none is on its way."""
        return self.state is PlayerState.IDLE and not self._starting

    @callback
    def async_release(self) -> None:
        """Let go of everything but the receivers; may be done twice."""
        forget, self._forget = self._forget, lambda: None
        forget()
        self._background.async_cancel()

    @callback
    def async_measure_soon(self) -> None:
        """Have the links of the receivers measured, unless that is under way."""
        if not self._is_measuring:
            self._is_measuring = True
            self._background.async_run(self._async_measure(), f"measures {self.name}")

    async def _async_measure(self) -> None:
        try:
            await self.async_measure()
        finally:
            self._is_measuring = False

    async def async_measure(self) -> Progress | None:
        """Have the links of the receivers measured; return the newest report."""
        if self.state is not PlayerState.PLAYING:
            return self.progress
        before = self._measured
        try:
            await self._sender.async_request(
                Measure(stream=self.stream), within_s=_MEASURE_S
            )
        except RaopError as error:
            _LOGGER.debug("The links of %s are not measured: %s", self.name, error)
        is_new = self._measured is not before
        return self._measured if is_new else self.progress

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        if not isinstance(event, _OF_RECEIVER):
            for speaker in self._hearers:
                speaker.async_handle_event(event)
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
                if any(each.is_measured for each in event.members):
                    self._measured = event
                return
            case MediaChanged():
                self._async_media_changed(event)
            case CoverFound() if self.playing:
                if self.playing.async_update_cover(event):
                    self._display.async_show(self.playing)
            case _:
                return
        self.async_notify()

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
            self.playing.async_update(event)

    @callback
    def _async_end(self) -> None:
        self.state = PlayerState.IDLE
        self.progress = self._measured = None
        self.taken.clear()
        self._display.async_end()
        self.playing = None

    @override
    async def async_join(self, speaker: Speaker) -> None:
        """Let a member hear what plays now; return when it does."""
        await super().async_join(speaker)
        self._display.async_show_late()

    @callback
    def _async_failed(self, error: RaopError) -> None:
        """Take note of why the stream could not be heard; groups learn it by member."""
        if not self.is_group:
            self.leader.device.async_failed(error)
