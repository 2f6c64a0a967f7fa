"""The order of several announcements that want the same speakers."""

from hypothesis import given, strategies as st

from custom_components.airplay.announcements.queue import AnnouncementQueue


def test_free_speakers_are_assigned_immediately() -> None:
    queue: AnnouncementQueue[str] = AnnouncementQueue()
    queue.join("dinner", ["kitchen", "hall"], 1)

    assert queue.start_ready() == ["dinner"]
    assert queue.holder_of("hall") == "dinner"
    assert queue.length("hall") == 0


def test_job_waits_until_all_its_speakers_are_free() -> None:
    queue: AnnouncementQueue[str] = AnnouncementQueue()
    queue.join("first", ["kitchen"], 1)
    queue.join("both", ["kitchen", "hall"], 1)
    queue.join("last", ["hall"], 1)

    assert queue.start_ready() == ["first"]
    assert queue.waiting_for("hall") == ["both", "last"]

    queue.leave("first")
    assert queue.start_ready() == ["both"]
    queue.leave("both")
    assert queue.start_ready() == ["last"]


def test_smaller_rank_plays_first_and_others_in_order() -> None:
    queue: AnnouncementQueue[str] = AnnouncementQueue()
    for order, rank in (("now", 1), ("low", 2), ("a", 1), ("b", 1), ("doorbell", 0)):
        queue.join(order, ["kitchen"], rank)
        queue.start_ready()

    assert queue.waiting_for("kitchen") == ["doorbell", "a", "b", "low"]


def test_next_job_keeps_its_place_before_a_smaller_rank() -> None:
    queue: AnnouncementQueue[str] = AnnouncementQueue()
    queue.join("now", ["kitchen"], 1)
    queue.start_ready()
    queue.join("doorbell", ["kitchen"], 0)
    queue.join("alarm", ["kitchen"], 2, is_next=True)

    assert queue.waiting_for("kitchen") == ["alarm", "doorbell"]


def test_job_runs_without_a_speaker_that_was_withdrawn() -> None:
    queue: AnnouncementQueue[str] = AnnouncementQueue()
    queue.join("now", ["kitchen"], 1)
    queue.start_ready()
    queue.join("both", ["kitchen", "hall"], 1)

    queue.withdraw("both", "kitchen")

    assert queue.start_ready() == ["both"]
    assert queue.holder_of("kitchen") == "now"


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
    queue: AnnouncementQueue[int] = AnnouncementQueue()
    heard: list[int] = []
    running: list[int] = []
    for number, (speakers, rank, is_next) in enumerate(orders):
        queue.join(number, speakers, rank, is_next=is_next)
    while len(heard) < len(orders):
        started = queue.start_ready()
        running += started
        taken = [speaker for each in running for speaker in orders[each][0]]
        assert len(taken) == len(set(taken))
        assert running
        ended = running.pop(ends.randrange(len(running)))  # type: ignore[attr-defined]
        queue.leave(ended)
        heard.append(ended)

    assert sorted(heard) == [*range(len(orders))]
