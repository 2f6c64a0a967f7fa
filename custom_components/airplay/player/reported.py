"""The playback state of one speaker or a group, as the sender reports it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..helpers.listeners import Listeners
from ..media.media import Playable
from ..raop.api import (
    CoverFound,
    MediaChanged,
    NextTaken,
    Started,
    StreamChanged,
    error_for,
)
from ..sender.events import SenderDied, SenderEvent
from .members import PlayerMembers
from .now_playing import Display, NowPlaying

_LOGGER = logging.getLogger(__name__)

# The maximum number of open items that do not play yet.
_MOST_AHEAD = 8


class PlayerState(StrEnum):
    """Playback states."""

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


class ReportedState:
    """The state of a stream from its events, and the requested media."""

    def __init__(self, members: PlayerMembers, display: Display) -> None:
        """Initialize without reports and requests."""
        self._members = members
        self._display = display
        self._listeners = Listeners[[]]()
        # Starts in progress, media that may follow, and requested media that does not play yet.
        self._starting = 0
        self._ahead: dict[str, Playable] = {}
        self.next: Playable | None = None
        # Items that are already being sent, but do not play yet.
        self.taken: list[str] = []
        self.state = PlayerState.IDLE
        self.playing: NowPlaying | None = None

    @property
    def is_starting(self) -> bool:
        """Whether the response to a start is pending."""
        return self._starting > 0

    @property
    def is_idle(self) -> bool:
        """Whether there is no stream and none is starting."""
        return self.state is PlayerState.IDLE and not self._starting

    @property
    def position_ms(self) -> int | None:
        """Return the position in the playing media, or None if nothing plays."""
        if self.playing is None:
            return None
        if self.playing.is_live:
            return 0
        is_running = self.state is PlayerState.PLAYING
        return self.playing.position_now_ms if is_running else self.playing.position_ms

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the state of the player changes."""
        return self._listeners.async_add(listener)

    @callback
    def async_notify(self) -> None:
        """Notify the listeners of the player."""
        self._listeners.async_notify()

    @contextmanager
    def expecting(self, playable: Playable | None) -> Iterator[None]:
        """Expect a stream to start, with new media or from its paused position."""
        self._starting += 1
        self.next = playable or self.next
        try:
            yield
        finally:
            self._starting -= 1
            if playable and self.next is playable:
                self.next = None
            self.async_notify()

    @callback
    def async_expect_behind(self, playable: Playable) -> None:
        """Expect media after the playing one."""
        self._ahead.pop(playable.media.item, None)
        self._ahead[playable.media.item] = playable
        for item in [*self._ahead][:-_MOST_AHEAD]:
            del self._ahead[item]

    @callback
    def async_hold(self, playable: Playable) -> None:
        """Show media as paused, for a pause that came before its stream."""
        self.state = PlayerState.PAUSED
        self.playing = NowPlaying(playable, tags=playable.media.tags)
        self.playing.position_ms = playable.media.position_ms
        self.async_notify()

    @callback
    def async_show(self, playable: Playable) -> None:
        """Show the picture of media that has started."""
        if self.playing and self.playing.playable is playable:
            self._display.async_show(self.playing)

    @callback
    def async_end(self) -> None:
        """Reset the state after the end of the stream."""
        self.state = PlayerState.IDLE
        self.taken.clear()
        self._display.async_end()
        self.playing = None

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Update the state from an event."""
        match event:
            case StreamChanged():
                self._async_stream_changed(event)
            case Started():
                self._async_change_media()
            case SenderDied() if self.state is not PlayerState.PAUSED:
                self.async_end()
            case NextTaken():
                self.taken.append(event.item)
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
            self.async_end()
            if event.reason == "failed" and not self._starting:
                _LOGGER.warning(
                    "%s stopped playing: %s", self._members.name, event.text
                )
                self._members.async_failed(
                    error_for(event.code or "", event.text, event.status)
                )
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
        """Switch from the previous media to the requested one."""
        if self.next:
            self.taken.clear()
            media = self.next.media
            self.playing = NowPlaying(
                self.next,
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
            # It restarted, and the following item must be sent again.
            self.taken.clear()
        if self.playing and event.item in ("", self.playing.item):
            self.playing.async_update(event)
