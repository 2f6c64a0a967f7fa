"""The logged and stored forms of a queue and its items."""

from dataclasses import FrozenInstanceError, asdict
import json
import random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.airplay.media import play_queue
from custom_components.airplay.media.media import new_item_id
from custom_components.airplay.media.play_queue import MAX_ITEMS, PlayQueue
from custom_components.airplay.media.queue_item import Repeat
from tests.media.short_queues import a_queue, current, item, restored, stored


def test_item_is_immutable_and_keeps_its_address_out_of_logs() -> None:
    known = item("a", content_id="http://user:hidden@a.example/", thumb="hidden")

    assert "hidden" not in repr(known)
    with pytest.raises(FrozenInstanceError):
        known.title = "other"  # type: ignore[misc]


def test_ids_are_short_and_differ() -> None:
    numbers = random.Random(1)
    ids = {new_item_id(numbers) for _ in range(MAX_ITEMS)}

    assert len(ids) == MAX_ITEMS
    assert {len(each) for each in ids} == {12}


def test_snapshot_contains_the_state_without_private_data() -> None:
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


@pytest.mark.parametrize("shuffle", [False, True])
def test_queue_is_restored_from_storage(shuffle: bool) -> None:
    queue = a_queue("abcdefgh", at="c", shuffle=shuffle, repeat=Repeat.ALL)
    queue.add_next([item("x", title="So What", artist="Miles", duration_ms=545_000)])
    again = restored(stored(queue))

    assert again.items == queue.items
    assert again.snapshot() == queue.snapshot()
    again.set_shuffle(False)
    queue.set_shuffle(False)
    assert again.items == queue.items


def test_empty_queue_is_restored_with_its_modes() -> None:
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
def test_invalid_stored_queue_is_empty(changes: dict[str, object]) -> None:
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
def test_invalid_stored_item_empties_the_queue(
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
