"""What one speaker or a group is told to play: commands to the sender."""

import logging
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ..helpers.settings import BUSY_WAIT
from ..media.media import Playable
from ..raop.api import NoStreamError, Pause, Play, Queue, RaopError, Resume, Stop
from ..sender.sender import Sender, SenderGoneError
from .now_playing import NowPlaying
from .reported import PlayerState, ReportedState

if TYPE_CHECKING:
    from ..speaker.speaker import Speaker

_LOGGER = logging.getLogger(__name__)

# Nothing is paused, maybe because the process that paused it is gone.
_NOTHING_PAUSED = (NoStreamError, SenderGoneError)
# More are never open and unheard at once.
_MOST_AHEAD = 8
_PLAY_S = 60.0


class StreamCommands(ReportedState):
    """Plays on one speaker or on several together; the last command wins."""

    def __init__(self, hass: HomeAssistant, sender: Sender, owner: Speaker) -> None:
        """Begin with nothing asked for."""
        super().__init__(hass, sender, owner)
        self._intent = 0
        # The numbers of a pause and of a stop that are on their way.
        self._pausing: int | None = None
        self._stopping: int | None = None

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
        for speaker in self.members:
            speaker.in_use.async_wake()
        return self._intent

    async def async_play(self, intent: int, playable: Playable) -> None:
        """Play media unless another command came since; return when it is heard."""
        if intent != self._intent:
            return
        if self.settings.when_busy == BUSY_WAIT and self.is_idle:
            await self.leader.in_use.async_wait(lambda: intent == self._intent)
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
                        each for speaker in self.members for each in speaker.members
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
            self.async_notify()
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
            self.async_notify()

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
            self.async_notify()
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
            self.async_notify()

    async def async_close(self) -> None:
        """Free the receivers; nothing is played here any more."""
        try:
            await self.async_stop()
        except RaopError as error:
            _LOGGER.debug("%s could not be freed: %s", self.name, error)
        self.async_release()
