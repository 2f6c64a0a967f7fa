"""Who is heard next, where several announcements want the same speakers."""

from hypothesis import given, strategies as st

from custom_components.airplay.announcements.queue import AnnouncementQueue


def test_free_speakers_are_taken_at_once() -> None:
    line: AnnouncementQueue[str] = AnnouncementQueue()
    line.join("dinner", ["kitchen", "hall"], 1)

    assert line.start_ready() == ["dinner"]
    assert line.holder_of("hall") == "dinner"
    assert line.length("hall") == 0


def test_order_waits_until_all_its_speakers_are_free() -> None:
    line: AnnouncementQueue[str] = AnnouncementQueue()
    line.join("first", ["kitchen"], 1)
    line.join("both", ["kitchen", "hall"], 1)
    line.join("last", ["hall"], 1)

    assert line.start_ready() == ["first"]
    assert line.waiting_for("hall") == ["both", "last"]

    line.leave("first")
    assert line.start_ready() == ["both"]
    line.leave("both")
    assert line.start_ready() == ["last"]


def test_smaller_rank_plays_first_and_others_in_order() -> None:
    line: AnnouncementQueue[str] = AnnouncementQueue()
    for order, rank in (("now", 1), ("low", 2), ("a", 1), ("b", 1), ("doorbell", 0)):
        line.join(order, ["kitchen"], rank)
        line.start_ready()

    assert line.waiting_for("kitchen") == ["doorbell", "a", "b", "low"]


def test_order_that_is_next_stands_before_a_smaller_rank() -> None:
    line: AnnouncementQueue[str] = AnnouncementQueue()
    line.join("now", ["kitchen"], 1)
    line.start_ready()
    line.join("doorbell", ["kitchen"], 0)
    line.join("alarm", ["kitchen"], 2, is_next=True)

    assert line.waiting_for("kitchen") == ["alarm", "doorbell"]


def test_order_goes_without_a_speaker_that_was_withdrawn() -> None:
    line: AnnouncementQueue[str] = AnnouncementQueue()
    line.join("now", ["kitchen"], 1)
    line.start_ready()
    line.join("both", ["kitchen", "hall"], 1)

    line.withdraw("both", "kitchen")

    assert line.start_ready() == ["both"]
    assert line.holder_of("kitchen") == "now"


ORDERS = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from("abcd"), min_size=1),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=12,
)


@given(orders=ORDERS, ends=st.randoms(use_true_random=False))
def test_every_announcement_plays_once_and_never_two_on_one_speaker(
    orders: list[tuple[frozenset[str], int, bool]], ends: st.DataObject
) -> None:
    line: AnnouncementQueue[int] = AnnouncementQueue()
    heard: list[int] = []
    running: list[int] = []
    for number, (speakers, rank, is_next) in enumerate(orders):
        line.join(number, speakers, rank, is_next=is_next)
    while len(heard) < len(orders):
        started = line.start_ready()
        running += started
        taken = [speaker for each in running for speaker in orders[each][0]]
        assert len(taken) == len(set(taken))
        assert running
        ended = running.pop(ends.randrange(len(running)))  # type: ignore[attr-defined]
        line.leave(ended)
        heard.append(ended)

    assert sorted(heard) == [*range(len(orders))]
