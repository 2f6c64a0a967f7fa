"""Synchronization of a queue with its stream."""

import asyncio
from collections.abc import Awaitable, Callable
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..helpers.background import Background
from ..helpers.issues import QUEUE_GIVEN_UP, RepairNotice
from ..media.media import async_resolve, name_of
from ..media.queue_item import QueueItem, Verdict
from ..raop.api import (
    MediaChanged,
    MediaError,
    NextFailed,
    NextTaken,
    RaopError,
    StreamChanged,
    error_for,
)
from ..sender.error_translation import translate_error
from ..sender.events import SenderDied, SenderEvent
from .commands import StreamCommands
from .members import PlayerMembers
from .queue_state import QueueState
from .reported import PlayerState, ReportedState

_LOGGER = logging.getLogger(__name__)

# Another item started: the following one must be sent again.
_UNTOLD = ""


class QueueFollower:
    """Moves the queue to the playing item, and opens the next one in advance."""

    def __init__(
        self,
        hass: HomeAssistant,
        queue: QueueState,
        members: PlayerMembers,
        reported: ReportedState,
        commands: StreamCommands,
        background: Background,
        *,
        play_current: Callable[[], Awaitable[None]],
    ) -> None:
        """Initialize with a queue that does not play; `play_current` starts an item."""
        self._hass = hass
        self._queue = queue
        self._members = members
        self._reported = reported
        self._commands = commands
        self._background = background
        self._play_current = play_current
        self._notice = RepairNotice(hass, QUEUE_GIVEN_UP, members.stream)
        # The following item that was last sent.
        self._queued: str | None = None
        self.opening: asyncio.Task[None] | None = None

    @callback
    def async_release(self) -> None:
        """Delete the repair notice about failed items."""
        self._notice.async_withdraw()

    @callback
    def async_interrupt(self) -> None:
        """Stop opening an item, which would follow the item that starts now."""
        if self.opening:
            self.opening.cancel()
            self._queued = _UNTOLD

    @callback
    def async_settle(self) -> None:
        """Move the queue to the playing item, and open the next one."""
        reported, items = self._reported, self._queue.items
        playing, is_paused = reported.playing, reported.state is PlayerState.PAUSED
        if playing and not self._queue.start and not is_paused:
            current, upcoming = items.current, items.upcoming
            if current and current.id == playing.item:
                pass
            elif upcoming and upcoming.id == playing.item:
                items.advance(is_user=False)
            else:
                items.jump(playing.item)
        self._async_follow()
        reported.async_notify()

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Update the state from an event, and then the queue."""
        queue, reported = self._queue, self._reported
        ended, position_ms = reported.playing, reported.position_ms
        is_handed_over = (
            isinstance(event, MediaChanged) and event.item in reported.taken
        )
        reported.async_handle_event(event)
        if ended and not reported.playing and not queue.start:
            queue.kept_position_ms = position_ms or 0
        match event:
            case MediaChanged():
                if not is_handed_over and not event.is_live:
                    self._queued = _UNTOLD
                self.async_settle()
            case NextTaken():
                self._queued = None
                self.async_settle()
            case NextFailed():
                error = error_for(event.code, event.text, event.status)
                self._async_next_failed(event.item, error)
            case StreamChanged(state="playing") if reported.playing:
                queue.kept_position_ms = 0
                self._notice.async_withdraw()
                queue.items.played(reported.playing.item)
            case StreamChanged(state="ended") if ended and not queue.start:
                self._queued = None
                self._async_ended(event)
            case SenderDied():
                self._queued = None

    @callback
    def _async_ended(self, event: StreamChanged) -> None:
        """Continue automatically with the next item if it did not follow in time."""
        items = self._queue.items
        current = items.current
        error = error_for(event.code or "", event.text, event.status)
        is_bad = isinstance(error, MediaError)
        if event.reason == "failed" and not is_bad:
            return
        self._queue.kept_position_ms = 0
        if event.reason == "stopped" or self._reported.is_starting:
            return
        if is_bad and current and items.failed(current.id) is Verdict.GIVE_UP:
            media = name_of(current)
            self._async_give_up(str(translate_error(error, self._members.name, media)))
        elif items.advance(is_user=False):
            self._background.async_run(
                self._async_start_alone(), f"next {self._members.name}"
            )
        self._reported.async_notify()

    async def _async_start_alone(self) -> None:
        try:
            await self._play_current()
        except HomeAssistantError as error:
            self._async_give_up(str(error))
        except RaopError as error:
            _LOGGER.warning("%s stopped playing: %s", self._members.name, error)

    @callback
    def _async_give_up(self, reason: str) -> None:
        """Report to the user by a repair notice, because no action is waiting."""
        _LOGGER.error("%s stopped playing its queue: %s", self._members.name, reason)
        self._notice.async_make(self._members.name, reason)

    @callback
    def _async_follow(self) -> None:
        """Open the following item, unless the sender has it already."""
        current, playing = self._queue.items.current, self._reported.playing
        if playing is None or playing.is_live:
            return
        if current and current.id != playing.item:
            return
        wanted = self._find_following()
        wanted_id = wanted.id if wanted else None
        if wanted_id == self._queued:
            return
        self._queued = wanted_id
        if self.opening:
            self.opening.cancel()
        self.opening = self._background.async_run(
            self._async_open(wanted), f"queue {self._members.name}"
        )

    def _find_following(self) -> QueueItem | None:
        """Return the item that follows those that are already being sent."""
        items, taken = self._queue.items, self._reported.taken
        if items.has_given_up or not taken:
            return items.upcoming
        ahead = items.copy()
        for item in taken:
            ahead.jump(item)
        return ahead.upcoming

    async def _async_open(self, item: QueueItem | None) -> None:
        try:
            playable = None
            if item:
                playable = await async_resolve(
                    self._hass, self._members.leader.entity_id, item
                )
            await self._commands.async_queue(playable)
        except HomeAssistantError as error:
            if item:
                self._async_next_failed(item.id, error)
        except RaopError as error:
            _LOGGER.debug(
                "Could not queue the next item on %s: %s", self._members.name, error
            )

    @callback
    def _async_next_failed(
        self, item_id: str, error: RaopError | HomeAssistantError
    ) -> None:
        items = self._queue.items
        names = {each.id: name_of(each) for each in items.items}
        if item_id not in names:
            return
        if isinstance(error, RaopError):
            error = translate_error(error, self._members.name, names[item_id])
        if items.failed(item_id) is Verdict.GIVE_UP:
            self._async_give_up(str(error))
        else:
            _LOGGER.warning(
                "%s skips %s: %s", self._members.name, names[item_id], error
            )
        self.opening = None
        self.async_settle()
