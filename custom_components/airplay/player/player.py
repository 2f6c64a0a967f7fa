"""The player of one speaker or a group, composed of its parts."""

from dataclasses import replace
import logging

from homeassistant.core import HomeAssistant, callback

from ..helpers.background import Background
from ..raop.api import MediaError, RaopError
from ..sender.error_translation import translate_error
from ..sender.events import SenderEvent
from ..sender.sender import Sender
from .commands import Aim, StreamCommands
from .links import LinkReports
from .members import PlayerMember, PlayerMembers
from .now_playing import Display
from .queue_player import QueuePlayer
from .queue_state import QueueState
from .reported import PlayerState, ReportedState

_LOGGER = logging.getLogger(__name__)


class Player:
    """A player with the usual commands; the last one wins.

    `members` holds the speakers, `reported` the state of the stream as the sender
    reports it, `queue` the items to play, `queue_player` the actions on them, and
    `links` the measurements of the connections.
    """

    def __init__(
        self, hass: HomeAssistant, sender: Sender, owner: PlayerMember
    ) -> None:
        """Initialize with its own stream, one speaker, and an empty queue."""
        self._background = background = Background(hass)
        self.members = members = PlayerMembers(sender, owner)
        self._display = Display(hass, sender, members, background)
        self.reported = reported = ReportedState(members, self._display)
        self.links = LinkReports(sender, members, reported, background)
        self._commands = commands = StreamCommands(sender, members, reported)
        self.queue = QueueState()
        self.queue_player = QueuePlayer(
            hass, self.queue, members, reported, commands, background
        )
        # Calls for several members that run only once.
        self.calls: set[str] = set()
        self._forget = sender.async_listen(members.stream, self._async_handle_event)

    @callback
    def async_release(self) -> None:
        """Release everything but the receivers; may be called twice."""
        forget, self._forget = self._forget, lambda: None
        forget()
        self._background.async_cancel()
        self.members.async_release()
        self.queue_player.follower.async_release()

    @callback
    def _async_handle_event(self, event: SenderEvent) -> None:
        self.links.async_handle_event(event)
        self.queue_player.follower.async_handle_event(event)

    async def async_join(self, speaker: PlayerMember) -> None:
        """Add a member to the running stream; return when it plays.

        Raises RaopError: when it cannot join.
        """
        await self.members.async_join(speaker)
        self._display.async_show_late()

    async def async_go_on(self) -> None:
        """Resume, or play the current item.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if self.queue.items.current is None:
            return
        if self._commands.is_stopping:
            await self.queue_player.async_play_current()
        elif self._is_held:
            await self.queue_player.async_unpause()
        elif self._is_at_rest:
            await self.queue_player.async_play_kept()

    async def async_toggle(self) -> None:
        """Resume or play if nothing plays or is about to, else pause.

        Raises HomeAssistantError, RaopError: when that fails.
        """
        if self._commands.is_stopping or self._is_held or self._is_at_rest:
            await self.async_go_on()
        else:
            await self.async_pause()

    async def async_pause(self) -> None:
        """Pause; live media is stopped instead.

        Raises RaopError: when the sender does not respond.
        """
        playing = self.reported.playing
        if playing and playing.is_live:
            await self.async_stop()
        else:
            await self._commands.async_pause()

    async def async_stop(self) -> None:
        """Stop; the queue stays, and its current item restarts at the next playback.

        Raises RaopError: when the sender does not respond.
        """
        self.queue.kept_position_ms = 0
        await self._commands.async_stop()
        # The end of the stream may have kept a position meanwhile.
        self.queue.kept_position_ms = 0

    async def async_park(self) -> None:
        """Stop, and keep the position for the next playback."""
        position_ms = self.queue_player.position_ms
        await self._async_free()
        self.queue.kept_position_ms = position_ms

    async def async_close(self) -> None:
        """Release the receivers and stop permanently."""
        await self._async_free()
        self.async_release()

    async def _async_free(self) -> None:
        try:
            await self.async_stop()
        except RaopError as error:
            _LOGGER.debug("Could not release %s: %s", self.members.name, error)

    async def async_seek(self, position_ms: int) -> None:
        """Go to a position of the playing media; a paused player stays paused.

        Raises HomeAssistantError, RaopError: when it cannot be played from there.
        """
        playing = self.reported.playing
        if playing is None or playing.duration_ms is None:
            return
        position_ms = min(position_ms, playing.duration_ms)
        if self.reported.state is PlayerState.PAUSED:
            self.queue.is_moved = True
            playing.position_ms = position_ms
            self.reported.async_notify()
            return
        media = replace(playing.playable.media, position_ms=position_ms)
        intent = self._commands.async_intend(Aim.PLAY)
        try:
            await self._commands.async_play(
                intent, replace(playing.playable, media=media)
            )
        except MediaError as error:
            raise translate_error(error, self.members.name, media.name) from error

    async def async_clear(self) -> None:
        """Clear the queue and stop.

        Raises RaopError: when the sender does not respond.
        """
        self.queue.items.clear()
        self.queue.playlist = None
        await self.async_stop()
        self.reported.async_notify()

    @property
    def _is_held(self) -> bool:
        """Whether it is paused or about to be, and can resume."""
        is_paused = self.reported.state is PlayerState.PAUSED
        is_at_pause = is_paused and not self.reported.is_starting
        return self._commands.is_pausing or is_at_pause

    @property
    def _is_at_rest(self) -> bool:
        return self.reported.is_idle and self.queue.start is None
