"""The queue of a player: the order of its items."""

import random

import pytest

from custom_components.airplay.media.play_queue import MAX_ITEMS, PlayQueue
from custom_components.airplay.media.queue_item import QueueFullError, Repeat
from tests.media.short_queues import (
    a_queue,
    advance,
    current,
    item,
    items,
    many,
    names,
    played_through,
    upcoming,
)


def test_empty_queue_has_no_items() -> None:
    queue = a_queue()

    assert queue.current is queue.upcoming is None
    assert not queue.has_next
    assert not len(queue)
    assert queue.previous(0) is queue.advance(is_user=True) is None
    assert queue.advance(is_user=False) is None


@pytest.mark.parametrize(("start", "first"), [(0, "a"), (2, "c"), (9, "c"), (-1, "a")])
def test_replacing_begins_at_the_chosen_item(start: int, first: str) -> None:
    queue = a_queue("xyz", at="y")

    assert queue.replace(items("abc"), start) == item(first)
    assert names(queue) == "abc"


def test_replacing_without_a_start_begins_at_the_first() -> None:
    assert a_queue().replace(items("abc"), None) == item("a")


def test_shuffled_replacing_begins_with_the_chosen_item() -> None:
    queue = a_queue("abcdefgh", shuffle=True)

    assert current(queue) == "a"
    assert names(queue) != "abcdefgh"
    assert sorted(names(queue)) == list("abcdefgh")


def test_shuffled_replacing_without_a_start_begins_anywhere() -> None:
    queue = a_queue(shuffle=True)

    assert {queue.replace(items("abc"), None) for _ in range(50)} == {*items("abc")}
    assert queue.replace([], None) is None


def test_added_items_come_last() -> None:
    queue = a_queue("abc", at="b")
    queue.add(items("xy"))

    assert names(queue) == "abcxy"
    assert current(queue) == "b"


def test_next_items_come_behind_the_current_one_and_the_newest_first() -> None:
    queue = a_queue("abc", at="b")
    queue.add_next(items("xy"))
    queue.add_next(items("z"))

    assert names(queue) == "abzxyc"
    assert current(queue) == "b"


def test_items_that_play_now_interrupt_and_keep_the_queue() -> None:
    queue = a_queue("abc", at="b")

    assert queue.play_now(items("xy")) == item("x")
    assert names(queue) == "abxyc"
    assert queue.play_now([]) == item("x")


@pytest.mark.parametrize("shuffle", [False, True])
def test_items_that_play_now_begin_an_empty_queue(shuffle: bool) -> None:
    queue = a_queue(shuffle=shuffle)

    assert queue.play_now(items("abc")) == item("a")
    assert names(queue) == "abc"


def test_clearing_keeps_only_the_modes() -> None:
    queue = a_queue("abc", at="b", shuffle=True, repeat=Repeat.ALL)
    queue.clear()

    assert not queue.items
    assert queue.shuffle
    assert queue.repeat is Repeat.ALL


def test_item_is_in_the_queue_only_once() -> None:
    queue = a_queue("abc")

    with pytest.raises(ValueError, match="already"):
        queue.add(items("xa"))
    with pytest.raises(ValueError, match="the same ID"):
        queue.replace(items("xx"))
    assert names(queue) == "abc"


def test_shuffling_keeps_the_current_item_and_can_be_undone() -> None:
    queue = a_queue("abcdefgh", at="d")

    queue.set_shuffle(True)
    assert current(queue) == "d"
    assert sorted(played_through(queue)) == list("abcdefgh")

    queue.jump("f")
    queue.set_shuffle(False)
    assert names(queue) == "abcdefgh"
    assert current(queue) == "f"


def test_shuffling_again_changes_nothing() -> None:
    queue = a_queue("abcdefgh", shuffle=True)
    order = names(queue)
    queue.set_shuffle(True)

    assert names(queue) == order


def test_empty_queue_remembers_to_shuffle() -> None:
    queue = a_queue()
    queue.set_shuffle(True)
    queue.add(items("abcdefgh"))

    assert sorted(names(queue)) == list("abcdefgh")
    assert names(queue) != "abcdefgh"


def test_items_added_while_shuffled_are_mixed_in_behind_the_next_item() -> None:
    queue = a_queue("abcdefgh", shuffle=True)
    queue.advance(is_user=True)
    before = names(queue)
    queue.add(items("STUVWXYZ"))
    after = names(queue)

    assert after[:3] == before[:3]
    assert [each for each in after if each in before] == list(before)
    assert not after.endswith("STUVWXYZ")
    assert not after[3:].startswith(before[3:])
    queue.set_shuffle(False)
    assert names(queue) == "abcdefghSTUVWXYZ"


def test_items_added_while_shuffled_do_not_displace_items_behind_bad_ones() -> None:
    queue = a_queue("abcdefgh", shuffle=True)
    for bad in names(queue)[1:3]:
        queue.failed(bad)
    before = names(queue)
    queue.add(items("STUVWXYZ"))

    assert names(queue)[:4] == before[:4]
    assert upcoming(queue) == before[3]


def test_next_items_of_a_shuffled_queue_come_next_and_keep_their_place() -> None:
    queue = a_queue("abcdefgh", shuffle=True)
    queue.jump("c")
    queue.add_next(items("xy"))

    assert (upcoming(queue), advance(queue), advance(queue)) == ("x", "x", "y")
    queue.set_shuffle(False)
    assert names(queue) == "abcxydefgh"


def test_same_random_numbers_give_the_same_order() -> None:
    assert names(a_queue("abcdefgh", shuffle=True)) == names(
        a_queue("abcdefgh", shuffle=True)
    )


def test_queue_plays_in_order_and_returns_to_its_beginning() -> None:
    queue = a_queue("abc")

    assert played_through(queue) == "abc"
    assert current(queue) == "a"


def test_next_at_the_end_changes_nothing() -> None:
    queue = a_queue("abc", at="c")

    assert not queue.has_next
    assert advance(queue, is_user=True) is None
    assert current(queue) == "c"


def test_repeating_all_begins_again() -> None:
    queue = a_queue("abc", at="c", repeat=Repeat.ALL)

    assert upcoming(queue) == "a"
    assert advance(queue) == "a"


def test_repeating_one_plays_it_again_until_the_user_skips() -> None:
    queue = a_queue("ab", repeat=Repeat.ONE)

    assert (upcoming(queue), advance(queue), advance(queue)) == ("a", "a", "a")
    assert advance(queue, is_user=True) == "b"
    assert queue.has_next
    assert advance(queue, is_user=True) == "a"


@pytest.mark.parametrize("repeat", [Repeat.ONE, Repeat.ALL])
def test_single_item_repeats(repeat: Repeat) -> None:
    queue = a_queue("a", repeat=repeat)

    assert advance(queue) == advance(queue, is_user=True) == "a"


@pytest.mark.parametrize(("position_ms", "reached"), [(3000, "a"), (3001, "b")])
def test_previous_goes_back_early_and_restarts_later(
    position_ms: int, reached: str
) -> None:
    assert a_queue("abc", at="b").previous(position_ms) == item(reached)


def test_previous_at_the_beginning_restarts_or_goes_around() -> None:
    queue = a_queue("abc")
    assert queue.previous(0) == item("a")

    around = a_queue("abc", repeat=Repeat.ALL)
    assert around.previous(0) == item("c")


def test_jumping_reaches_only_existing_items() -> None:
    queue = a_queue("abc")

    assert queue.jump("c") == item("c")
    assert queue.jump("x") is None
    assert current(queue) == "c"


def test_full_queue_reports_how_many_fit_and_loses_nothing() -> None:
    queue = PlayQueue(random.Random(1))
    queue.replace(many(MAX_ITEMS - 2))

    for put in (queue.add, queue.add_next, queue.play_now):
        with pytest.raises(QueueFullError, match="2 more") as full:
            put(items("abc"))
        assert full.value.fits == 2
    with pytest.raises(QueueFullError) as full:
        queue.replace(many(MAX_ITEMS + 1))
    assert full.value.fits == MAX_ITEMS
    assert list(queue.items) == many(MAX_ITEMS - 2)

    queue.add(items("ab"))
    assert len(queue) == MAX_ITEMS


def test_thousands_of_items_are_mixed_in() -> None:
    queue = PlayQueue(random.Random(1))
    queue.set_shuffle(True)
    queue.replace(many(MAX_ITEMS // 2))
    queue.add([item(f"x{number}") for number in range(MAX_ITEMS // 2)])

    assert len({*queue.items}) == MAX_ITEMS
