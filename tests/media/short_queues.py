"""Queues whose items have names of one letter."""

import json
import random
from typing import Any

from custom_components.airplay.media.play_queue import PlayQueue
from custom_components.airplay.media.queue_item import QueueItem, Repeat


def item(name: str, **words: Any) -> QueueItem:
    words = {"content_id": f"media-source://songs/{name}", **words}
    return QueueItem(id=name, content_type="music", **words)


def items(names: str) -> list[QueueItem]:
    return [item(name) for name in names]


def many(count: int) -> list[QueueItem]:
    return [item(str(number)) for number in range(count)]


def a_queue(names: str = "", at: str | None = None, **settings: Any) -> PlayQueue:
    """Return a queue of items with one-letter names."""
    queue = PlayQueue(random.Random(4))
    queue.set_shuffle(settings.get("shuffle", False))
    queue.repeat = settings.get("repeat", Repeat.OFF)
    queue.replace(items(names))
    if at:
        queue.jump(at)
    return queue


def names(queue: PlayQueue) -> str:
    return "".join(each.id for each in queue.items)


def current(queue: PlayQueue) -> str | None:
    return queue.current.id if queue.current else None


def upcoming(queue: PlayQueue) -> str | None:
    return queue.upcoming.id if queue.upcoming else None


def advance(queue: PlayQueue, *, is_user: bool = False) -> str | None:
    reached = queue.advance(is_user=is_user)
    return reached.id if reached else None


def played_through(queue: PlayQueue) -> str:
    """Return the items that play from the current one to the end."""
    heard = [current(queue) or ""]
    while following := advance(queue):
        heard.append(following)
    return "".join(heard)


def stored(queue: PlayQueue) -> Any:
    return json.loads(json.dumps(queue.as_dict()))


def restored(kept: object) -> PlayQueue:
    return PlayQueue.from_dict(kept, random.Random(5))


def names_of(queue: PlayQueue) -> list[str]:
    return [each.id for each in queue.items]
