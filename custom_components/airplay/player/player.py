"""What a user does about what is played."""

from collections.abc import Mapping
from dataclasses import replace
import logging
from random import Random
from typing import Any, override

from homeassistant.components.media_player import MediaPlayerEnqueue, RepeatMode
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..media.media import make_item
from ..media.play_queue import PlayQueue
from ..media.queue_item import QueueFullError, QueueItem, Repeat
from ..media.resolve import async_resolve_items
from ..raop.api import MediaError, RaopError
from ..sender.error_translation import translate_error
from .queue_player import QueuePlayer
from .reported import PlayerState

_LOGGER = logging.getLogger(__name__)


class Player(QueuePlayer):
    """A player with the commands that people know; the last one wins."""

    @callback
    def async_restore(self, queue: object, position_ms: object) -> None:
        """Take up the queue that was there before a restart."""
        self.queue = PlayQueue.from_dict(queue, Random())
        if self.queue.current and isinstance(position_ms, int):
            self._kept_position_ms = max(0, position_ms)
        self.async_notify()

    async def async_play_media(
        self,
        media_type: str,
        media_id: str,
        enqueue: MediaPlayerEnqueue | None,
        extra: Mapping[str, Any],
    ) -> None:
        """Put media into the queue; done when it is heard, where it shall be at once."""
        item = make_item(media_type, media_id, extra)
        if enqueue in (MediaPlayerEnqueue.ADD, MediaPlayerEnqueue.NEXT):
            order = await async_resolve_items(self._hass, self.leader.entity_id, item)
            self._async_insert(order.items, enqueue)
            return
        intent = self.async_intend()
        order = await async_resolve_items(self._hass, self.leader.entity_id, item)
        if intent != self._intent:
            return
        before = self.queue, self.playlist
        self.queue = self.queue.copy()
        with _FullIsInvalid():
            if enqueue is MediaPlayerEnqueue.PLAY:
                self.queue.play_now(order.items)
            else:
                self.queue.replace(order.items, start=None)
                self.playlist = order.playlist
        try:
            await self._async_start(intent, self.queue.current)
        except HomeAssistantError:
            # What cannot be played at all takes nobody's place.
            self.queue, self.playlist = before
            self._async_settle()
            raise

    async def async_go_on(self) -> None:
        """Resume, or play the current item."""
        current = self.queue.current
        if current is None:
            return
        if self.is_stopping:
            await self._async_start(self.async_intend(), current)
        elif self._is_held:
            await self._async_unpause(current)
        elif self._is_at_rest:
            self.queue.jump(current.id)
            position_ms = self._kept_position_ms
            await self._async_start(self.async_intend(), current, position_ms)

    async def async_toggle(self) -> None:
        """Go on where nothing sounds or is about to, else pause."""
        if self.is_stopping or self._is_held or self._is_at_rest:
            await self.async_go_on()
        else:
            await self.async_pause()

    @override
    async def async_pause(self) -> None:
        """Pause; what is live is stopped, as it cannot wait."""
        if self.playing and self.playing.is_live:
            return await self.async_stop()
        return await super().async_pause()

    @override
    async def async_stop(self) -> None:
        """Stop; the queue stays, and the current item begins anew when it is played."""
        self._kept_position_ms = 0
        await super().async_stop()
        self._kept_position_ms = 0

    async def async_park(self) -> None:
        """Stop, and go on from here when it is played again."""
        position_ms = self.position_ms
        try:
            await self.async_stop()
        except RaopError as error:
            _LOGGER.debug("%s could not be freed: %s", self.name, error)
        self._kept_position_ms = position_ms

    async def async_skip(self) -> None:
        """Go to the next item."""
        if item := self.queue.advance(is_user=True):
            await self._async_start(self.async_intend(), item)

    async def async_go_back(self) -> None:
        """Go to the item before, or to the start of the one that plays."""
        position_ms = self.position_ms if self._pending is None else 0
        if item := self.queue.previous(position_ms):
            await self._async_start(self.async_intend(), item)

    async def async_seek(self, position_ms: int) -> None:
        """Go to a position of what plays; a paused player stays paused."""
        playing = self.playing
        if playing is None or playing.duration_ms is None:
            return
        position_ms = min(position_ms, playing.duration_ms)
        if self.state is PlayerState.PAUSED:
            self._is_moved = True
            playing.position_ms = position_ms
            self.async_notify()
            return
        media = replace(playing.playable.media, position_ms=position_ms)
        try:
            playable = replace(playing.playable, media=media)
            await self.async_play(self.async_intend(), playable)
        except MediaError as error:
            raise translate_error(error, self.name, media.name) from error

    async def async_clear(self) -> None:
        """Drop all items and stop."""
        self.queue.clear()
        self.playlist = None
        await self.async_stop()
        self.async_notify()

    @callback
    def async_set_shuffle(self, shuffle: bool) -> None:
        """Mix what is to come, or give the original order back."""
        self.queue.set_shuffle(shuffle)
        self._async_settle()

    @callback
    def async_set_repeat(self, repeat: RepeatMode) -> None:
        """Repeat one item, all, or none."""
        self.queue.repeat = Repeat(repeat.value)
        self._async_settle()

    @property
    def _is_held(self) -> bool:
        """Whether it is paused, or about to be, and goes on when it is told to."""
        is_paused = self.state is PlayerState.PAUSED and not self._starting
        return self.is_pausing or is_paused

    @property
    def _is_at_rest(self) -> bool:
        return self.is_idle and self._pending is None

    async def _async_unpause(self, current: QueueItem) -> None:
        intent = self.async_intend()
        is_same = self.playing is not None and self.playing.item == current.id
        position_ms = self.position_ms if is_same else 0
        if is_same and not self._is_moved and await self.async_resume():
            return
        if intent == self._intent:
            await self._async_start(intent, current, position_ms)

    @callback
    def _async_insert(
        self, items: list[QueueItem], enqueue: MediaPlayerEnqueue
    ) -> None:
        with _FullIsInvalid():
            if enqueue is MediaPlayerEnqueue.ADD:
                self.queue.add(items)
            else:
                # What is sent already stays before it.
                heard = self.queue.current
                if self.taken:
                    self.queue.jump(self.taken[-1])
                self.queue.add_next(items)
                if heard:
                    self.queue.jump(heard.id)
        self._async_settle()


class _FullIsInvalid:
    """Tell a user that a queue is full."""

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        """Translate the error."""
        if isinstance(error, QueueFullError):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="queue_full",
                translation_placeholders={"fits": str(error.fits)},
            ) from error
