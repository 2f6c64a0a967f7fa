"""A queue with items that cannot be played."""

import pytest

from custom_components.airplay.media.queue_item import Repeat, Verdict
from tests.media.short_queues import (
    a_queue,
    advance,
    current,
    item,
    items,
    played_through,
    upcoming,
)


def test_bad_current_item_is_skipped() -> None:
    queue = a_queue("abc")

    assert queue.failed("a") is Verdict.SKIP
    assert advance(queue) == "b"


def test_bad_item_ahead_is_skipped_while_the_current_one_plays() -> None:
    queue = a_queue("abc")

    assert queue.failed("b") is Verdict.SKIP
    assert upcoming(queue) == "c"
    assert played_through(queue) == "ac"


def test_previous_passes_by_a_bad_item() -> None:
    queue = a_queue("abc", at="c")
    queue.failed("b")

    assert queue.previous(0) == item("a")


def test_bad_item_at_the_end_ends_the_queue() -> None:
    queue = a_queue("ab")

    assert queue.failed("b") is Verdict.END
    assert not queue.has_next
    assert played_through(queue) == "a"


@pytest.mark.parametrize("repeat", [Repeat.ONE, Repeat.ALL])
def test_bad_items_alone_do_not_repeat(repeat: Repeat) -> None:
    queue = a_queue("ab", repeat=repeat)

    assert queue.failed("a") is Verdict.SKIP
    assert advance(queue) == "b"
    assert queue.failed("b") is Verdict.END


def test_three_bad_items_in_a_row_are_enough() -> None:
    queue = a_queue("abcde")

    assert queue.failed("a") is Verdict.SKIP
    assert advance(queue) == "b"
    assert queue.failed("b") is Verdict.SKIP
    assert advance(queue) == "c"
    assert queue.failed("c") is Verdict.GIVE_UP
    assert queue.has_given_up
    assert not queue.has_next


def test_three_bad_items_ahead_end_the_queue_behind_the_one_that_plays() -> None:
    queue = a_queue("abcde")

    assert [queue.failed(each) for each in "bcd"][-1] is Verdict.GIVE_UP
    assert advance(queue) is None
    assert current(queue) == "a"


def test_good_item_lets_the_queue_continue() -> None:
    queue = a_queue("abcdef")
    queue.failed("b")
    queue.failed("c")
    advance(queue)
    queue.played("d")

    assert queue.failed("e") is Verdict.SKIP
    assert upcoming(queue) == "f"


def test_user_can_skip_past_bad_items() -> None:
    queue = a_queue("abcde")
    for bad in "bcd":
        queue.failed(bad)

    assert advance(queue, is_user=True) == "e"
    assert not queue.has_given_up


@pytest.mark.parametrize("command", ["previous", "jump", "play_now", "replace"])
def test_every_choice_of_the_user_resets_the_failures(command: str) -> None:
    queue = a_queue("abcde", at="b")
    for bad in "cde":
        queue.failed(bad)
    match command:
        case "previous":
            queue.previous(0)
        case "jump":
            queue.jump("c")
        case "play_now":
            queue.play_now(items("x"))
        case "replace":
            queue.replace(items("xyz"))

    assert not queue.has_given_up


def test_item_that_fails_twice_counts_once() -> None:
    queue = a_queue("abc")

    assert {queue.failed("a") for _ in range(5)} == {Verdict.SKIP}


def test_report_about_a_removed_item_changes_nothing() -> None:
    queue = a_queue("ab")

    assert queue.failed("x") is Verdict.SKIP
    assert not queue.snapshot().failed


def test_next_round_tries_bad_items_again() -> None:
    queue = a_queue("abc", repeat=Repeat.ALL)
    queue.failed("b")

    assert [advance(queue) for _ in range(3)] == ["c", "a", "b"]


def test_queue_that_ended_tries_bad_items_again() -> None:
    queue = a_queue("abc")
    queue.failed("b")

    assert played_through(queue) == "ac"
    assert played_through(queue) == "abc"
