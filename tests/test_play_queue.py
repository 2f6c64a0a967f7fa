"""The queue of a player: order, transport, bad items and storage."""

from collections.abc import Sequence
from dataclasses import FrozenInstanceError, asdict
import json
import random
from typing import Any, override

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.airplay import play_queue
from custom_components.airplay.play_queue import MAX_ITEMS, PlayQueue
from custom_components.airplay.queue_item import (
    QueueFullError,
    QueueItem,
    Repeat,
    Verdict,
    new_item_id,
)


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
    """Return what is heard from the current item to the end."""
    heard = [current(queue) or ""]
    while following := advance(queue):
        heard.append(following)
    return "".join(heard)


# Order


def test_empty_queue_has_nothing() -> None:
    queue = a_queue()

    assert queue.current is queue.upcoming is None
    assert not queue.has_next
    assert not queue.has_previous
    assert not len(queue)
    assert queue.previous(0) is queue.advance(is_user=True) is None
    assert queue.advance(is_user=False) is None


@pytest.mark.parametrize(("start", "first"), [(0, "a"), (2, "c"), (9, "c"), (-1, "a")])
def test_replacing_begins_where_it_is_told(start: int, first: str) -> None:
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


@pytest.mark.parametrize(
    ("removed", "left", "now"),
    [("a", "bc", "b"), ("b", "ac", "c"), ("c", "ab", "b"), ("x", "abc", "b")],
)
def test_removing_keeps_the_current_item_or_takes_the_one_behind(
    removed: str, left: str, now: str
) -> None:
    queue = a_queue("abc", at="b")

    assert queue.remove(removed) == (item(removed) if removed in "abc" else None)
    assert (names(queue), current(queue)) == (left, now)


def test_removing_the_last_item_while_it_plays_leads_to_the_beginning() -> None:
    queue = a_queue("ab", at="b")
    queue.remove("b")
    assert current(queue) == "a"

    queue.remove("a")
    assert current(queue) is None


def test_item_is_in_the_queue_only_once() -> None:
    queue = a_queue("abc")

    with pytest.raises(ValueError, match="already"):
        queue.add(items("xa"))
    with pytest.raises(ValueError, match="one id"):
        queue.replace(items("xx"))
    assert names(queue) == "abc"


# Shuffle


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


def test_items_added_while_shuffled_are_mixed_in_behind_what_follows() -> None:
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


def test_items_added_while_shuffled_do_not_displace_what_follows_bad_ones() -> None:
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


# Transport


def test_queue_plays_in_order_and_stands_at_its_beginning_again() -> None:
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


def test_repeating_one_plays_it_again_until_the_user_goes_on() -> None:
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
    assert not queue.has_previous
    assert queue.previous(0) == item("a")

    around = a_queue("abc", repeat=Repeat.ALL)
    assert around.has_previous
    assert around.previous(0) == item("c")


def test_jumping_reaches_only_what_is_there() -> None:
    queue = a_queue("abc")

    assert queue.jump("c") == item("c")
    assert queue.jump("x") is None
    assert current(queue) == "c"


# Bounds


def test_queue_that_is_full_says_how_many_fit_and_loses_nothing() -> None:
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


# Bad items


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


def test_good_item_lets_the_queue_go_on() -> None:
    queue = a_queue("abcdef")
    queue.failed("b")
    queue.failed("c")
    advance(queue)
    queue.played("d")

    assert queue.failed("e") is Verdict.SKIP
    assert upcoming(queue) == "f"


def test_user_goes_on_behind_bad_items() -> None:
    queue = a_queue("abcde")
    for bad in "bcd":
        queue.failed(bad)

    assert advance(queue, is_user=True) == "e"
    assert not queue.has_given_up


@pytest.mark.parametrize("command", ["previous", "jump", "play_now", "replace"])
def test_every_choice_of_the_user_gives_a_new_chance(command: str) -> None:
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


def test_report_about_an_item_that_is_gone_changes_nothing() -> None:
    queue = a_queue("ab")

    assert queue.failed("x") is Verdict.SKIP
    assert not queue.snapshot().failed


def test_removed_item_is_no_longer_bad() -> None:
    queue = a_queue("abc")
    queue.failed("b")
    queue.remove("b")
    queue.add(items("b"))

    assert played_through(queue) == "acb"


def test_next_round_tries_bad_items_again() -> None:
    queue = a_queue("abc", repeat=Repeat.ALL)
    queue.failed("b")

    assert [advance(queue) for _ in range(3)] == ["c", "a", "b"]


def test_queue_that_ended_tries_bad_items_again() -> None:
    queue = a_queue("abc")
    queue.failed("b")

    assert played_through(queue) == "ac"
    assert played_through(queue) == "abc"


# Items, diagnostics, storage


def test_item_says_what_is_known_in_the_words_of_play_media() -> None:
    known = item("a", title="So What", track=1, thumb="/cover.jpg", duration_ms=5)

    assert known.extra == {"title": "So What", "track": 1, "thumb": "/cover.jpg"}


def test_item_does_not_change_and_keeps_its_address_out_of_logs() -> None:
    known = item("a", content_id="http://user:hidden@a.example/", thumb="hidden")

    assert "hidden" not in repr(known)
    with pytest.raises(FrozenInstanceError):
        known.title = "other"  # type: ignore[misc]


def test_ids_are_short_and_differ() -> None:
    numbers = random.Random(1)
    ids = {new_item_id(numbers) for _ in range(MAX_ITEMS)}

    assert len(ids) == MAX_ITEMS
    assert {len(each) for each in ids} == {12}


def test_snapshot_tells_the_state_and_nothing_private() -> None:
    queue = a_queue("abcd", at="b", repeat=Repeat.ALL)
    queue.failed("c")

    assert asdict(queue.snapshot()) == {
        "length": 4,
        "position": 1,
        "current": "b",
        "upcoming": "d",
        "shuffle": False,
        "repeat": "all",
        "failed": ("c",),
        "has_given_up": False,
    }
    assert asdict(a_queue().snapshot())["current"] is None


def stored(queue: PlayQueue) -> Any:
    return json.loads(json.dumps(queue.as_dict()))


def restored(kept: object) -> PlayQueue:
    return PlayQueue.from_dict(kept, random.Random(5))


@pytest.mark.parametrize("shuffle", [False, True])
def test_queue_comes_back_from_storage(shuffle: bool) -> None:
    queue = a_queue("abcdefgh", at="c", shuffle=shuffle, repeat=Repeat.ALL)
    queue.add_next([item("x", title="So What", artist="Miles", duration_ms=545_000)])
    again = restored(stored(queue))

    assert again.items == queue.items
    assert again.snapshot() == queue.snapshot()
    again.set_shuffle(False)
    queue.set_shuffle(False)
    assert again.items == queue.items


def test_empty_queue_comes_back_with_its_modes() -> None:
    again = restored(stored(a_queue(shuffle=True, repeat=Repeat.ONE)))

    assert (len(again), again.shuffle, again.repeat) == (0, True, Repeat.ONE)


@pytest.mark.parametrize(
    "address",
    [
        "http://user:pw@a.example/live",
        "http://user@a.example/live",
        "/media/local/a.mp3?authSig=abc",
        "https://a.example/a.mp3?x=1&X-Amz-Signature=abc",
        "https://a.example/a.mp3?access_token=abc",
        "https://a.example/a.mp3?TOKEN=",
        "https://a.example/a.mp3?key=abc",
        "http://[a.example/?x=1",
    ],
)
def test_secrets_are_not_stored(address: str) -> None:
    queue = a_queue("ab")
    queue.add_next([item("s", content_id=address), item("t", thumb=address)])
    queue.jump("s")
    kept = stored(queue)
    again = restored(kept)

    assert address not in json.dumps(kept)
    assert again.items == (item("a"), item("t"), item("b"))
    assert current(again) == "t"


def test_secret_item_at_the_end_leaves_the_queue_at_its_beginning() -> None:
    queue = a_queue("ab")
    queue.add([item("s", content_id="http://a.example/?token=1")])
    queue.jump("s")

    assert current(restored(stored(queue))) == "a"


@pytest.mark.parametrize(
    "address",
    [
        "media-source://tts/cloud?message=My+password&language=en",
        "https://a.example/live?author=me&monkey=1&id=5",
        "/media/music/me@home [live].mp3",
    ],
)
def test_addresses_without_secrets_are_stored(address: str) -> None:
    queue = a_queue()
    queue.add([item("a", content_id=address)])

    assert restored(stored(queue)).items == queue.items


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"items": None},
        {"items": [None, None, None]},
        {"items": [{}, {}, {}]},
        {"items": [{"id": "a"}] * 3},
        {"order": [0, 1]},
        {"order": [0, 1, 1]},
        {"order": [0, 1, 3]},
        {"order": [0, 1, "2"]},
        {"order": [0, 1, True]},
        {"order": [0, 1, []]},
        {"order": [2, 1, 0], "shuffle": False},
        {"position": 3},
        {"position": -1},
        {"position": "0"},
        {"shuffle": "yes"},
        {"repeat": "twice"},
        {"repeat": None},
    ],
)
def test_stored_queue_without_sense_is_empty(changes: dict[str, object]) -> None:
    kept = stored(a_queue("abc", shuffle=True)) | changes

    again = restored(kept)
    assert again.as_dict() == a_queue().as_dict()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "b"},
        {"id": 1},
        {"title": None},
        {"title": "x" * 9000},
        {"track": True},
        {"track": 10**30},
        {"duration_ms": 1.5},
        {"surprise": "x"},
    ],
)
def test_stored_item_without_sense_empties_the_queue(
    changes: dict[str, object],
) -> None:
    kept = stored(a_queue("ab"))
    kept["items"][0] |= changes

    assert not restored(kept).items


def test_stored_queue_that_is_too_long_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = stored(a_queue("abc"))
    monkeypatch.setattr(play_queue, "MAX_ITEMS", 2)

    assert not restored(kept).items


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
)


@settings(deadline=None)
@given(kept=JSON, part=st.sampled_from([*PlayQueue(random.Random(1)).as_dict()]))
def test_arbitrary_storage_never_raises(kept: object, part: str) -> None:
    assert not restored(kept).items
    restored(stored(a_queue("abc", shuffle=True)) | {part: kept})


# Everything in any order

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
        could_go_back = self.queue.has_previous
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
    @rule(at=st.integers(0, BOUND))
    def remove(self, at: int) -> None:
        name = self.original[at % len(self.original)]
        order = names_of(self.queue)
        self.queue.remove(name)
        self.original.remove(name)
        if name == self.now:
            rest = order[order.index(name) + 1 :] or order[:-1]
            self.now = rest[0] if rest else None

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


def names_of(queue: PlayQueue) -> list[str]:
    return [each.id for each in queue.items]


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(
    deadline=None, max_examples=200, stateful_step_count=40
)
