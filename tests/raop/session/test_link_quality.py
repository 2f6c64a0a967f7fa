"""The link quality that follows from a receiver's timing requests."""

import random

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.link_quality import ClockSpread, ResendShare

MS = 1_000_000
SECOND_NS = 1000 * MS
TODAY_NS = 1_800_000_000 * SECOND_NS


def test_nothing_sent_is_nothing_asked_for() -> None:
    share = ResendShare()

    assert share.update(TODAY_NS, 0, 0) == 0
    assert share.update(TODAY_NS + SECOND_NS, 100, 0) == 0


def test_share_is_that_of_the_last_ten_seconds() -> None:
    share = ResendShare()

    seen = [
        share.update(TODAY_NS + second * SECOND_NS, 100 * second, min(5 * second, 50))
        for second in range(31)
    ]

    assert seen[1] == seen[10] == 5
    assert seen[15] == 2.5
    assert seen[20] == seen[30] == 0


def test_share_is_zero_after_a_pause() -> None:
    share = ResendShare()
    share.update(TODAY_NS, 100, 10)

    assert share.update(TODAY_NS + 60 * SECOND_NS, 100, 10) == 0


def test_share_of_resends_is_100_percent_at_most() -> None:
    assert ResendShare().update(TODAY_NS, 100, 500) == 100


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=200))
def test_share_is_bounded_however_often_it_is_asked_for(counts: list[int]) -> None:
    share = ResendShare()

    for number, count in enumerate(sorted(counts)):
        assert 0 <= share.update(TODAY_NS + number, count, 2 * count) <= 100


def asked(
    count: int,
    *,
    drift: float = 0.0,
    jitter_ns: int = 0,
    interval_ns: int = 3 * SECOND_NS,
) -> tuple[ClockSpread, int]:
    """Return the questions of a receiver with its own clock, and the time then."""
    spread, chance, at_ns = ClockSpread(), random.Random(1), TODAY_NS
    for number in range(count):
        at_ns = TODAY_NS + number * interval_ns
        stamp_ns = round(number * interval_ns * (1 + drift)) + 77 * SECOND_NS
        spread.add(at_ns + chance.randint(0, jitter_ns), stamp_ns)
    return spread, at_ns


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_few_questions_give_no_estimate(count: int) -> None:
    spread, now_ns = asked(count)

    assert spread.spread_us(now_ns) is None


@pytest.mark.parametrize("drift", [0, 100e-6, -100e-6])
def test_drift_is_no_spread(drift: float) -> None:
    spread, now_ns = asked(20, drift=drift)

    assert spread.spread_us(now_ns) == 0


@pytest.mark.parametrize("drift", [0, 100e-6])
def test_spread_is_how_unevenly_questions_arrive(drift: float) -> None:
    spread, now_ns = asked(20, drift=drift, jitter_ns=10 * MS)

    found = spread.spread_us(now_ns)

    assert found is not None
    # 80 % of values that are spread evenly over 10 ms.
    assert 6_000 < found < 10_000
    assert spread.spread_us(now_ns) == found


@pytest.mark.parametrize(
    ("late_us", "expected"),
    [
        # The tenths are between the first and the last two values.
        ([0, 400, 1000, 400, 0], 760),
        ([1000, 600, 0, 600, 1000], 760),
        ([0, 1000, 1000, 0], 1000),
        ([0, 1000, 0], None),
    ],
)
def test_spread_leaves_out_a_tenth_at_each_end(
    late_us: list[int], expected: int | None
) -> None:
    spread = ClockSpread()
    for number, late in enumerate(late_us):
        at_ns = number * 3 * SECOND_NS
        spread.add(TODAY_NS + at_ns + late * 1000, at_ns)

    assert spread.spread_us(TODAY_NS + 15 * SECOND_NS) == expected


def test_the_first_question_counts_for_a_minute() -> None:
    spread = ClockSpread()
    for at_s in (0, 20, 40, 59):
        spread.add(TODAY_NS + at_s * SECOND_NS, at_s * SECOND_NS)

    assert spread.spread_us(TODAY_NS + 60 * SECOND_NS - 1) == 0
    assert spread.spread_us(TODAY_NS + 60 * SECOND_NS) is None


def test_one_question_that_was_held_up_counts_little() -> None:
    spread, now_ns = asked(19, jitter_ns=MS)

    spread.add(now_ns + 3 * SECOND_NS + 500 * MS, 77 * SECOND_NS + 57 * SECOND_NS)

    found = spread.spread_us(now_ns + 3 * SECOND_NS)
    assert found is not None
    assert found < 1_500


def test_questions_older_than_a_minute_no_longer_count() -> None:
    spread, now_ns = asked(20, jitter_ns=MS)

    assert spread.spread_us(now_ns + 40 * SECOND_NS) is not None
    assert spread.spread_us(now_ns + 60 * SECOND_NS) is None


@pytest.mark.parametrize(
    "stamps",
    [[0] * 8, [5] * 8, list(range(8)), [random.Random(3).getrandbits(62)] * 8],
    ids=["nothing", "constant", "counted", "constant at random"],
)
def test_stamps_that_are_no_time_give_no_estimate(stamps: list[int]) -> None:
    spread = ClockSpread()
    for number, stamp in enumerate(stamps):
        spread.add(TODAY_NS + number * SECOND_NS, stamp)

    assert spread.spread_us(TODAY_NS + 8 * SECOND_NS) is None


def test_random_stamps_give_no_estimate() -> None:
    spread, chance = ClockSpread(), random.Random(2)
    for number in range(20):
        spread.add(TODAY_NS + number * SECOND_NS, chance.getrandbits(62))

    assert spread.spread_us(TODAY_NS + 20 * SECOND_NS) is None


def test_questions_of_one_instant_give_no_estimate() -> None:
    spread = ClockSpread()
    for number in range(8):
        spread.add(TODAY_NS, number)

    assert spread.spread_us(TODAY_NS) is None


@given(st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 63))))
def test_arbitrary_questions_do_no_harm(asked: list[tuple[int, int]]) -> None:
    spread = ClockSpread()
    for received_ns, stamp_ns in sorted(asked):
        spread.add(received_ns, stamp_ns)

    found = spread.spread_us(max((each[0] for each in asked), default=0))

    assert found is None or found >= 0


def test_offset_is_that_of_the_request_that_took_the_shortest_time() -> None:
    spread, now_ns = asked(20, jitter_ns=5 * MS)
    shortest_us = (TODAY_NS - 77 * SECOND_NS) // 1000

    offset_us = spread.offset_us(now_ns)

    assert offset_us is not None
    assert shortest_us <= offset_us < shortest_us + 1000


def test_offset_of_filler_is_unknown() -> None:
    spread = ClockSpread()
    for number in range(20):
        spread.add(TODAY_NS + number * SECOND_NS, 0)

    assert spread.offset_us(TODAY_NS + 20 * SECOND_NS) is None
