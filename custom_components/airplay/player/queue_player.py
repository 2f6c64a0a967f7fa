"""What a player plays one after another."""

import asyncio
import logging
from random import Random
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..helpers.issues import QUEUE_GIVEN_UP, RepairNotice
from ..media.media import async_resolve, name_of
from ..media.play_queue import PlayQueue
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
from ..sender.sender import Sender, SenderDied, SenderEvent
from .commands import StreamCommands
from .reported import PlayerState

if TYPE_CHECKING:
    from ..speaker.speaker import Speaker

_LOGGER = logging.getLogger(__name__)

# Another item began: whatever the sender was told to let follow, it is told anew.
_UNTOLD = ""


class QueuePlayer(StreamCommands):
    """Plays a queue; what follows is opened ahead of time."""

    def __init__(self, hass: HomeAssistant, sender: Sender, owner: Speaker) -> None:
        """Begin with nothing to play."""
        super().__init__(hass, sender, owner)
        self._pending: int | None = None
        self._queued: str | None = None
        self._opening: asyncio.Task[None] | None = None
        self._is_moved = False
        self._kept_position_ms = 0
        self._notice = RepairNotice(hass, QUEUE_GIVEN_UP, self.stream)
        self.queue: PlayQueue = PlayQueue(Random())
        self.playlist: str | None = None

    @override
    @callback
    def async_release(self) -> None:
        """Let go of everything, and say no more."""
        super().async_release()
        self._notice.async_withdraw()

    @property
    def position_ms(self) -> int:
        """Return where the current item stands, also when it is only remembered."""
        playing = self.playing
        if playing is None:
            return self._kept_position_ms
        if playing.is_live:
            return 0
        is_running = self.state is PlayerState.PLAYING
        return playing.position_now_ms if is_running else playing.position_ms

    async def _async_start(
        self, intent: int, item: QueueItem | None, position_ms: int = 0
    ) -> None:
        """Play an item, or else the first good one behind it."""
        self._pending = intent
        self._kept_position_ms = position_ms
        if self._opening:
            # It would follow the item that comes now.
            self._opening.cancel()
            self._queued = _UNTOLD
        self.async_notify()
        try:
            while item and intent == self._intent:
                failure = await self._async_try(intent, item, position_ms)
                if failure is None or intent != self._intent:
                    return
                item = self._async_after_bad(item, failure)
                position_ms = self._kept_position_ms = 0
        finally:
            if self._pending == intent:
                self._pending = None
                if intent == self._intent:
                    self._async_settle()

    async def _async_try(
        self, intent: int, item: QueueItem, position_ms: int
    ) -> HomeAssistantError | None:
        """Play an item; return what makes it unplayable."""
        try:
            playable = await async_resolve(
                self._hass, self.leader.entity_id, item, position_ms
            )
            await self.async_play(intent, playable)
        except MediaError as error:
            return translate_error(error, self.name, name_of(item))
        except HomeAssistantError as error:
            return error
        self._is_moved = False
        return None

    @callback
    def _async_after_bad(
        self, item: QueueItem, failure: HomeAssistantError
    ) -> QueueItem:
        """Return what is tried next; raise where it is enough."""
        verdict = self.queue.failed(item.id)
        following = self.queue.advance(is_user=False)
        if verdict is Verdict.SKIP and following:
            _LOGGER.warning("%s skips an item: %s", self.name, failure)
            return following
        if verdict is not Verdict.GIVE_UP:
            raise failure
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="queue_given_up",
            translation_placeholders={"reason": str(failure)},
        ) from failure

    @override
    @callback
    def _async_follow_stream(self, event: SenderEvent) -> None:
        is_handed_over = isinstance(event, MediaChanged) and event.item in self.taken
        if _is_end(event) and self.playing and self._pending is None:
            self._kept_position_ms = self.position_ms
        ended = self.playing
        super()._async_follow_stream(event)
        match event:
            case MediaChanged():
                if not is_handed_over and not event.is_live:
                    self._queued = _UNTOLD
                self._async_settle()
            case NextTaken():
                self._queued = None
                self._async_settle()
            case NextFailed():
                error = error_for(event.code, event.text, event.status)
                self._async_next_failed(event.item, error)
            case StreamChanged(state="playing") if self.playing:
                self._kept_position_ms = 0
                self._notice.async_withdraw()
                self.queue.played(self.playing.item)
            case StreamChanged(state="ended") if ended and self._pending is None:
                self._queued = None
                self._async_ended(event)
            case SenderDied():
                self._queued = None

    @callback
    def _async_ended(self, event: StreamChanged) -> None:
        """Go on by itself where something is left that did not follow in time."""
        current = self.queue.current
        error = error_for(event.code or "", event.text, event.status)
        is_bad = isinstance(error, MediaError)
        if event.reason == "failed" and not is_bad:
            return
        self._kept_position_ms = 0
        if event.reason == "stopped" or self._starting:
            return
        if is_bad and current and self.queue.failed(current.id) is Verdict.GIVE_UP:
            media = name_of(current)
            self._async_give_up(str(translate_error(error, self.name, media)))
        elif item := self.queue.advance(is_user=False):
            intent = self.async_intend()
            self._background.async_run(
                self._async_start_alone(intent, item), f"next {self.name}"
            )
        self.async_notify()

    async def _async_start_alone(self, intent: int, item: QueueItem) -> None:
        try:
            await self._async_start(intent, item)
        except HomeAssistantError as error:
            self._async_give_up(str(error))
        except RaopError as error:
            _LOGGER.warning("%s stopped playing: %s", self.name, error)

    @callback
    def _async_give_up(self, reason: str) -> None:
        """Tell the user, who is not waiting for anything."""
        _LOGGER.error("%s stops playing its queue: %s", self.name, reason)
        self._notice.async_make(self.name, reason)

    @callback
    def _async_settle(self) -> None:
        """Let the queue stand where it is heard, and have opened what follows."""
        playing = self.playing
        if playing and self._pending is None and self.state is not PlayerState.PAUSED:
            current, upcoming = self.queue.current, self.queue.upcoming
            if current and current.id == playing.item:
                pass
            elif upcoming and upcoming.id == playing.item:
                self.queue.advance(is_user=False)
            else:
                self.queue.jump(playing.item)
        self._async_follow()
        self.async_notify()

    @callback
    def _async_follow(self) -> None:
        current, playing = self.queue.current, self.playing
        if playing is None or playing.is_live:
            return
        if current and current.id != playing.item:
            return
        wanted = self._following
        if (wanted.id if wanted else None) == self._queued:
            return
        self._queued = wanted.id if wanted else None
        if self._opening:
            self._opening.cancel()
        self._opening = self._background.async_run(
            self._async_open(wanted), f"queue {self.name}"
        )

    @property
    def _following(self) -> QueueItem | None:
        """Return what follows that which is sent already."""
        if self.queue.has_given_up or not self.taken:
            return self.queue.upcoming
        ahead = self.queue.copy()
        for item in self.taken:
            ahead.jump(item)
        return ahead.upcoming

    async def _async_open(self, item: QueueItem | None) -> None:
        try:
            playable = None
            if item:
                playable = await async_resolve(self._hass, self.leader.entity_id, item)
            await self.async_queue(playable)
        except HomeAssistantError as error:
            if item:
                self._async_next_failed(item.id, error)
        except RaopError as error:
            _LOGGER.debug("%s opens nothing ahead: %s", self.name, error)

    @callback
    def _async_next_failed(
        self, item_id: str, error: RaopError | HomeAssistantError
    ) -> None:
        names = {each.id: name_of(each) for each in self.queue.items}
        if item_id not in names:
            return
        if isinstance(error, RaopError):
            error = translate_error(error, self.name, names[item_id])
        if self.queue.failed(item_id) is Verdict.GIVE_UP:
            self._async_give_up(str(error))
        else:
            _LOGGER.warning("%s skips %s: %s", self.name, names[item_id], error)
        self._opening = None
        self._async_settle()


def _is_end(event: SenderEvent) -> bool:
    is_ended = isinstance(event, StreamChanged) and event.state == "ended"
    return is_ended or isinstance(event, SenderDied)
