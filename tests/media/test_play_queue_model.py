"""A queue and everything that can be done with it, in any order."""

from collections.abc import Sequence
import random
from typing import override

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.airplay.media import play_queue
from custom_components.airplay.media.play_queue import PlayQueue
from custom_components.airplay.media.queue_item import (
    QueueFullError,
    QueueItem,
    Repeat,
    Verdict,
)
from tests.media.short_queues import current, item, names_of, restored, stored, upcoming

NEW = st.lists(st.none(), max_size=4)
BOUND = 12


class QueueModel(RuleBasedStateMachine):
    """Compares a queue with a plain list in the original order and a current item."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(play_queue, "MAX_ITEMS", BOUND)
        self.queue = PlayQueue(random.Random(seed))
        self.original: list[str] = []
        self.now: str | None = None
        self.made = 0

    @override
    def teardown(self) -> None:
        if hasattr(self, "patch"):
            self.patch.undo()

    def fresh(self, count: int) -> list[QueueItem]:
        self.made += count
        return [item(str(number)) for number in range(self.made - count, self.made)]

    def fits(self, new: Sequence[QueueItem], *, beside: int) -> bool:
        return len(new) + beside <= BOUND

    @rule(new=NEW, start=st.none() | st.integers(0, 4))
    def replace(self, new: list[None], start: int | None) -> None:
        put = self.fresh(len(new))
        reached = self.queue.replace(put, start)
        self.original = [each.id for each in put]
        self.now = current(self.queue)
        assert reached == self.queue.current
        if put and start is not None:
            assert self.now == put[min(start, len(put) - 1)].id

    @rule(new=NEW)
    def add(self, new: list[None]) -> None:
        put, before = self.fresh(len(new)), names_of(self.queue)
        was_next = upcoming(self.queue)
        if not self.fits(put, beside=len(self.original)):
            with pytest.raises(QueueFullError):
                self.queue.add(put)
            return
        self.queue.add(put)
        self.original += [each.id for each in put]
        self.now = self.now or current(self.queue)
        assert [each for each in names_of(self.queue) if each in before] == before
        if before and was_next in before[before.index(self.now or "") + 1 :]:
            assert upcoming(self.queue) == was_next

    @rule(new=NEW, at_once=st.booleans())
    def add_behind_current(self, new: list[None], at_once: bool) -> None:
        put = self.fresh(len(new))
        call = self.queue.play_now if at_once else self.queue.add_next
        if not self.fits(put, beside=len(self.original)):
            with pytest.raises(QueueFullError):
                call(put)
            return
        call(put)
        ids = [each.id for each in put]
        at = self.original.index(self.now) + 1 if self.now else 0
        self.original[at:at] = ids
        if ids and (at_once or not self.now):
            self.now = ids[0]
        order = names_of(self.queue)
        behind = order.index(self.now) + 1 if self.now else 0
        rest = ids[1:] if self.now in ids else ids
        assert order[behind : behind + len(rest)] == rest

    @rule()
    def clear(self) -> None:
        self.queue.clear()
        self.original, self.now = [], None

    @rule(shuffle=st.booleans())
    def set_shuffle(self, shuffle: bool) -> None:
        self.queue.set_shuffle(shuffle)
        assert self.queue.shuffle is shuffle

    @rule(repeat=st.sampled_from(Repeat))
    def set_repeat(self, repeat: Repeat) -> None:
        self.queue.repeat = repeat

    @rule()
    def end(self) -> None:
        expected, order = self.queue.upcoming, names_of(self.queue)
        had_given_up = self.queue.has_given_up
        assert self.queue.advance(is_user=False) == expected
        if expected:
            self.now = expected.id
        elif not had_given_up:
            self.now = order[0] if order else None

    @rule()
    def press_next(self) -> None:
        reached = self.queue.advance(is_user=True)
        assert not self.queue.has_given_up
        if reached:
            assert reached.id != self.now or self.queue.repeat is not Repeat.OFF
            self.now = reached.id

    @rule(position_ms=st.sampled_from([0, 3000, 3001]))
    def press_previous(self, position_ms: int) -> None:
        places = names_of(self.queue)
        if self.queue.repeat is Repeat.OFF:
            places = places[: self.queue.position]
        could_go_back = bool({*places} - {*self.queue.snapshot().failed})
        reached = self.queue.previous(position_ms)
        if position_ms > 3000 or not could_go_back:
            assert (reached.id if reached else None) == self.now
        self.now = reached.id if reached else None

    @rule(number=st.integers(0, 60))
    def jump(self, number: int) -> None:
        reached = self.queue.jump(str(number))
        assert (reached is not None) == (str(number) in self.original)
        self.now = reached.id if reached else self.now

    @precondition(lambda self: self.original)
    @rule(at=st.integers(0, BOUND), is_good=st.booleans())
    def report(self, at: int, is_good: bool) -> None:
        name = self.original[at % len(self.original)]
        if is_good:
            self.queue.played(name)
            assert not self.queue.has_given_up
            return
        verdict = self.queue.failed(name)
        assert upcoming(self.queue) != name
        assert (verdict is Verdict.SKIP) == self.queue.has_next
        assert (verdict is Verdict.GIVE_UP) == self.queue.has_given_up

    @rule()
    def restart(self) -> None:
        again = restored(stored(self.queue))
        assert again.as_dict() == self.queue.as_dict()
        assert again.items == self.queue.items
        assert again.current == self.queue.current
        self.queue = again

    @invariant()
    def nothing_is_lost(self) -> None:
        assert sorted(names_of(self.queue)) == sorted(self.original)
        assert len(self.queue) <= BOUND

    @invariant()
    def current_item_is_the_expected_one(self) -> None:
        assert current(self.queue) == self.now

    @invariant()
    def next_is_offered_while_there_is_one(self) -> None:
        assert self.queue.has_next == (self.queue.upcoming is not None)

    @invariant()
    def original_order_can_be_had(self) -> None:
        plain = restored(stored(self.queue))
        plain.set_shuffle(False)
        assert names_of(plain) == self.original
        assert current(plain) == self.now


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(
    deadline=None, max_examples=200, stateful_step_count=40
)
