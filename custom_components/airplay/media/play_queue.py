"""The play queue of one player: items, order, and succession; a pure model."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from itertools import chain
from random import Random
from typing import Self

from .queue_item import (
    QueueFullError,
    QueueItem,
    QueueSnapshot,
    Repeat,
    Verdict,
    is_public,
    read_queue,
    stored,
)

MAX_ITEMS = 10_000
MAX_FAILURES_IN_A_ROW = 3
GOES_BACK_WITHIN_MS = 3000


class PlayQueue:
    """Items in playing order, one of which is current unless the queue is empty."""

    def __init__(self, random: Random) -> None:
        """Initialize an empty queue; `random` shuffles."""
        self.repeat = Repeat.OFF
        self._random = random
        self._items: dict[str, QueueItem] = {}
        self._original: list[str] = []
        self._order: list[str] = []
        self._index = 0
        self._shuffle = False
        self._failed: set[str] = set()
        self._failures = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def items(self) -> tuple[QueueItem, ...]:
        """Return all items in playing order."""
        return tuple(self._items[each] for each in self._order)

    @property
    def shuffle(self) -> bool:
        """Whether the items play in a random order."""
        return self._shuffle

    @property
    def current(self) -> QueueItem | None:
        """Return the item that plays, or would play first."""
        return self._at(self._index if self._order else None)

    @property
    def position(self) -> int:
        """Return the position of the current item, from 0."""
        return self._index

    @property
    def upcoming(self) -> QueueItem | None:
        """Return the item that follows automatically; None at the end or after giving up."""
        return self._at(self._following(is_user=False))

    @property
    def has_next(self) -> bool:
        """Whether an item follows."""
        return self._following(is_user=False) is not None

    @property
    def has_given_up(self) -> bool:
        """Whether too many items failed since the last playable one or user request."""
        return self._failures >= MAX_FAILURES_IN_A_ROW

    def replace(
        self, items: Sequence[QueueItem], start: int | None = 0
    ) -> QueueItem | None:
        """Replace the items; without `start`, a shuffled queue begins at a random one."""
        fresh = self._checked(items, MAX_ITEMS)
        self.clear()
        self._items = fresh
        self._original, self._order = [*fresh], [*fresh]
        if start is None:
            start = self._random.randrange(max(1, len(fresh))) if self._shuffle else 0
        self._index = max(0, min(start, len(fresh) - 1))
        self._shuffle_rest()
        return self.current

    def add(self, items: Sequence[QueueItem]) -> None:
        """Append items, or shuffle them into the upcoming ones."""
        fresh = self._enter(items)
        self._original += fresh
        if self._shuffle:
            # The next item may be open already, to start without a gap: it stays next.
            following = self._following(is_user=True) or 0
            settled = max(self._index, following) + 1
            self._order[settled:] = self._mixed(self._order[settled:], fresh)
        else:
            self._order += fresh

    def add_next(self, items: Sequence[QueueItem]) -> None:
        """Insert items directly after the current one."""
        fresh = self._enter(items)
        at = behind = self._index + 1
        if self._order:
            behind = self._original.index(self._order[self._index]) + 1
        self._original[behind:behind] = fresh
        self._order[at:at] = fresh

    def play_now(self, items: Sequence[QueueItem]) -> QueueItem | None:
        """Insert items directly after the current one and go to the first of them."""
        was_empty = not self._order
        self.add_next(items)
        if items:
            self._failures = 0
            self._index += 0 if was_empty else 1
        return self.current

    def copy(self) -> Self:
        """Return a copy for trial changes that leave this queue unchanged."""
        shared = (self._random, *self._items.values())
        return deepcopy(self, {id(each): each for each in shared})

    def clear(self) -> None:
        """Remove all items; keep shuffle and repeat."""
        self._items = {}
        self._original, self._order = [], []
        self._index = 0
        self._failed = set()
        self._failures = 0

    def advance(self, *, is_user: bool) -> QueueItem | None:
        """Go to the following item and return it; None at the end.

        A queue that ended automatically is at its beginning again. A user skips past
        an item that repeats, and wraps around the end if necessary.
        """
        has_given_up = self.has_given_up and not is_user
        if is_user:
            self._failures = 0
        at = self._following(is_user=is_user)
        if at is None and not is_user and not has_given_up:
            self._index = 0
            self._failed = set()
        elif at is not None:
            # The next round retries the failed items.
            if at <= self._index:
                self._failed = set()
            self._index = at
        return self._at(at)

    def previous(self, position_ms: int) -> QueueItem | None:
        """Go back if early in an item, else stay; return the item to play from its start."""
        self._failures = 0
        at = self._preceding() if position_ms <= GOES_BACK_WITHIN_MS else None
        self._index = self._index if at is None else at
        return self.current

    def jump(self, item_id: str) -> QueueItem | None:
        """Go to an item and return it; None if it is not in the queue."""
        if item_id not in self._items:
            return None
        self._index = self._order.index(item_id)
        self.played(item_id)
        return self.current

    def set_shuffle(self, shuffle: bool) -> None:
        """Shuffle all but the current item, or restore the original order."""
        if shuffle == self._shuffle:
            return
        self._shuffle = shuffle
        if current := self.current:
            self._order = [*self._original]
            self._index = self._order.index(current.id)
            self._shuffle_rest()

    def played(self, item_id: str) -> None:
        """Record that an item started playing."""
        self._failed.discard(item_id)
        self._failures = 0

    def failed(self, item_id: str) -> Verdict:
        """Record that an item cannot be played; it is skipped from now on."""
        if item_id in self._items and item_id not in self._failed:
            self._failed.add(item_id)
            self._failures += 1
        if self.has_given_up:
            return Verdict.GIVE_UP
        return Verdict.SKIP if self.has_next else Verdict.END

    def snapshot(self) -> QueueSnapshot:
        """Return the current state for diagnostics."""
        current, upcoming = self.current, self.upcoming
        return QueueSnapshot(
            length=len(self._order),
            position=self._index,
            current=current.id if current else None,
            upcoming=upcoming.id if upcoming else None,
            shuffle=self._shuffle,
            repeat=self.repeat,
            failed=tuple(each for each in self._order if each in self._failed),
            has_given_up=self.has_given_up,
        )

    def as_dict(self) -> dict[str, object]:
        """Return the data to store, without items whose address contains a secret."""
        public = {each: item for each, item in self._items.items() if is_public(item)}
        original = [each for each in self._original if each in public]
        places = {each: place for place, each in enumerate(original)}
        played = sum(each in public for each in self._order[: self._index])
        return {
            "version": 1,
            "items": [stored(public[each]) for each in original],
            "order": [places[each] for each in self._order if each in public],
            "position": played if played < len(original) else 0,
            "shuffle": self._shuffle,
            "repeat": self.repeat.value,
        }

    @classmethod
    def from_dict(cls, stored: object, random: Random) -> Self:
        """Return the stored queue, or an empty one if the data is invalid."""
        queue = cls(random)
        try:
            queue._restore(stored)
        except KeyError, TypeError, ValueError, QueueFullError:
            return cls(random)
        return queue

    def _restore(self, stored: object) -> None:
        """Restore the stored data; raise one of several errors if it is invalid."""
        kept = read_queue(stored, MAX_ITEMS)
        self.replace(kept.items)
        self.repeat, self._shuffle = kept.repeat, kept.shuffle
        self._order = [self._original[place] for place in kept.order]
        self._index = kept.position

    def _checked(self, items: Sequence[QueueItem], fits: int) -> dict[str, QueueItem]:
        """Return items by ID; raise QueueFullError or, for a known ID, ValueError."""
        if len(items) > fits:
            raise QueueFullError(fits)
        fresh = {item.id: item for item in items}
        if len(fresh) < len(items):
            raise ValueError("two items have the same ID")
        return fresh

    def _enter(self, items: Sequence[QueueItem]) -> list[str]:
        fresh = self._checked(items, MAX_ITEMS - len(self._items))
        if fresh.keys() & self._items.keys():
            raise ValueError("an item is already in the queue")
        self._items |= fresh
        return [*fresh]

    def _at(self, index: int | None) -> QueueItem | None:
        return None if index is None else self._items[self._order[index]]

    def _following(self, *, is_user: bool) -> int | None:
        """Return the index of the following item; a user skips past a repeated one."""
        if self.has_given_up:
            return None
        here, length = self._index, len(self._order)
        again = range(here, min(here + 1, length))
        ahead, around = range(here + 1, length), range(min(here + 1, length))
        if self.repeat is Repeat.OFF:
            return self._first_good(ahead)
        if self.repeat is Repeat.ONE and not is_user:
            return self._first_good(chain(again, ahead, around))
        return self._first_good(chain(ahead, around))

    def _preceding(self) -> int | None:
        back = range(self._index - 1, -1, -1)
        around = range(len(self._order) - 1, self._index - 1, -1)
        return self._first_good(
            back if self.repeat is Repeat.OFF else chain(back, around)
        )

    def _first_good(self, places: Iterable[int]) -> int | None:
        good = (at for at in places if self._order[at] not in self._failed)
        return next(good, None)

    def _shuffle_rest(self) -> None:
        """Put the current item first and shuffle all others behind it."""
        if self._shuffle and self._order:
            first = self._order.pop(self._index)
            self._random.shuffle(self._order)
            self._order.insert(0, first)
            self._index = 0

    def _mixed(self, known: Sequence[str], fresh: Sequence[str]) -> list[str]:
        """Spread new items among known ones, which keep their order."""
        total = len(known) + len(fresh)
        places = set(self._random.sample(range(total), len(fresh)))
        news, olds = iter(self._random.sample(fresh, len(fresh))), iter(known)
        return [next(news if at in places else olds) for at in range(total)]
