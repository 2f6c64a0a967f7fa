"""The queue of a player, and the actions that change and play it."""

from collections.abc import Mapping
import logging
from random import Random
from typing import Any

from homeassistant.components.media_player import MediaPlayerEnqueue, RepeatMode
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..helpers.background import Background
from ..media.browsing import async_completed
from ..media.media import async_resolve, make_item, name_of
from ..media.play_queue import PlayQueue
from ..media.queue_item import QueueFullError, QueueItem, Repeat, Verdict
from ..media.resolve import async_resolve_items
from ..raop.api import MediaError
from ..sender.error_translation import translate_error
from .commands import Aim, Intent, StreamCommands
from .members import PlayerMembers
from .queue_follower import QueueFollower
from .queue_state import QueueState
from .reported import ReportedState

_LOGGER = logging.getLogger(__name__)


class QueuePlayer:
    """Plays a queue; the following item is opened in advance."""

    def __init__(
        self,
        hass: HomeAssistant,
        queue: QueueState,
        members: PlayerMembers,
        reported: ReportedState,
        commands: StreamCommands,
        background: Background,
    ) -> None:
        """Initialize with the parts of a player."""
        self._hass = hass
        self._queue = queue
        self._members = members
        self._reported = reported
        self._commands = commands
        self.follower = QueueFollower(
            hass,
            queue,
            members,
            reported,
            commands,
            background,
            play_current=self.async_play_current,
        )

    @property
    def position_ms(self) -> int:
        """Return the position in the current item, even if it does not play."""
        position_ms = self._reported.position_ms
        return self._queue.kept_position_ms if position_ms is None else position_ms

    @callback
    def async_restore(self, queue: object, position_ms: object) -> None:
        """Restore the queue from before a restart."""
        self._queue.items = PlayQueue.from_dict(queue, Random())
        if self._queue.items.current and isinstance(position_ms, int):
            self._queue.kept_position_ms = max(0, position_ms)
        self._reported.async_notify()

    async def async_play_media(
        self,
        media_type: str,
        media_id: str,
        enqueue: MediaPlayerEnqueue | None,
        extra: Mapping[str, Any],
    ) -> None:
        """Add media to the queue; if it is to play at once, return when it plays.

        Raises HomeAssistantError: when it cannot be opened or has no room.
        Raises RaopError: when no receiver plays it.
        """
        item = async_completed(self._hass, make_item(media_type, media_id, extra))
        entity_id = self._members.leader.entity_id
        if enqueue in (MediaPlayerEnqueue.ADD, MediaPlayerEnqueue.NEXT):
            order = await async_resolve_items(self._hass, entity_id, item)
            self._async_insert(order.items, enqueue)
            return
        intent = self._commands.async_intend(Aim.PLAY)
        order = await async_resolve_items(self._hass, entity_id, item)
        if not intent.is_current():
            return
        before = self._queue.items, self._queue.playlist
        self._queue.items = self._queue.items.copy()
        try:
            if enqueue is MediaPlayerEnqueue.PLAY:
                first = self._queue.items.play_now(order.items)
            else:
                first = self._queue.items.replace(order.items, start=None)
                self._queue.playlist = order.playlist
        except QueueFullError as error:
            raise _full(error) from error
        try:
            await self._async_start(intent, first)
        except HomeAssistantError:
            # Media that cannot be played must not replace the queue.
            self._queue.items, self._queue.playlist = before
            self.follower.async_settle()
            raise

    @callback
    def _async_insert(
        self, items: list[QueueItem], enqueue: MediaPlayerEnqueue
    ) -> None:
        try:
            if enqueue is MediaPlayerEnqueue.ADD:
                self._queue.items.add(items)
            else:
                # Items that are already being sent stay before it.
                current, taken = self._queue.items.current, self._reported.taken
                if taken:
                    self._queue.items.jump(taken[-1])
                self._queue.items.add_next(items)
                if current:
                    self._queue.items.jump(current.id)
        except QueueFullError as error:
            raise _full(error) from error
        self.follower.async_settle()

    async def async_play_current(self, position_ms: int = 0) -> None:
        """Play the current item from a position.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        intent = self._commands.async_intend(Aim.PLAY)
        await self._async_start(intent, self._queue.items.current, position_ms)

    async def async_play_kept(self) -> None:
        """Play the current item from its kept position, even if it has failed before.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if current := self._queue.items.current:
            self._queue.items.jump(current.id)
            await self.async_play_current(self._queue.kept_position_ms)

    async def async_unpause(self) -> None:
        """Resume, or play the item that has become current since.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        intent = self._commands.async_intend(Aim.PLAY)
        current, playing = self._queue.items.current, self._reported.playing
        is_same = bool(playing and current and playing.item == current.id)
        position_ms = self.position_ms if is_same else 0
        if is_same and not self._queue.is_moved and await self._commands.async_resume():
            return
        await self._async_start(intent, current, position_ms)

    async def async_skip(self) -> None:
        """Go to the next item.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if self._queue.items.advance(is_user=True):
            await self.async_play_current()

    async def async_go_back(self) -> None:
        """Go to the previous item, or to the start of the playing one.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if self._queue.items.previous(0 if self._queue.start else self.position_ms):
            await self.async_play_current()

    @callback
    def async_set_shuffle(self, shuffle: bool) -> None:
        """Shuffle the upcoming items, or restore the original order."""
        self._queue.items.set_shuffle(shuffle)
        self.follower.async_settle()

    @callback
    def async_set_repeat(self, repeat: RepeatMode) -> None:
        """Repeat one item, all, or none."""
        self._queue.items.repeat = Repeat(repeat.value)
        self.follower.async_settle()

    async def _async_start(
        self, intent: Intent, item: QueueItem | None, position_ms: int = 0
    ) -> None:
        """Play an item, or else the next playable one."""
        if not intent.is_current():
            return
        self._queue.start = intent
        self._queue.kept_position_ms = position_ms
        if self.follower.opening:
            self.follower.async_interrupt()
        try:
            while item and intent.is_current():
                failure = await self._async_try(intent, item, position_ms)
                if failure is None or not intent.is_current():
                    return
                item = self._async_after_bad(item, failure)
                position_ms = self._queue.kept_position_ms = 0
        finally:
            if self._queue.start is intent:
                self._queue.start = None
                if intent.is_current():
                    self.follower.async_settle()

    async def _async_try(
        self, intent: Intent, item: QueueItem, position_ms: int
    ) -> HomeAssistantError | None:
        """Play an item; return the error if it is unplayable."""
        try:
            playable = await async_resolve(
                self._hass, self._members.leader.entity_id, item, position_ms
            )
            await self._commands.async_play(intent, playable)
        except MediaError as error:
            return translate_error(error, self._members.name, name_of(item))
        except HomeAssistantError as error:
            return error
        self._queue.is_moved = False
        return None

    @callback
    def _async_after_bad(
        self, item: QueueItem, failure: HomeAssistantError
    ) -> QueueItem:
        """Return the next item to try; raise if there is none or too many failed."""
        verdict = self._queue.items.failed(item.id)
        following = self._queue.items.advance(is_user=False)
        if verdict is Verdict.SKIP and following:
            _LOGGER.warning("%s skips an item: %s", self._members.name, failure)
            return following
        if verdict is not Verdict.GIVE_UP:
            raise failure
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="queue_given_up",
            translation_placeholders={"reason": str(failure)},
        ) from failure


def _full(error: QueueFullError) -> ServiceValidationError:
    """Return the translated error for a full queue."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="queue_full",
        translation_placeholders={"fits": str(error.fits)},
    )
