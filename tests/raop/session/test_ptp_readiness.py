"""When a receiver's clock can be relied on."""

import pytest

from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.ptp_readiness import (
    Habit,
    Readiness,
    habit_of,
)

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


def readiness(habit: Habit = Habit.FOLLOWS, *probes_ms: int) -> Readiness:
    """Return that of a receiver which has asked at these times after the start."""
    it = Readiness(habit, START)
    for each in probes_ms:
        it.probe(START + each * MS)
    return it


def ready_ms(it: Readiness, now_ms: int) -> int:
    """Return when it can be relied on, in ms after the start."""
    return (it.ready_at_ns(START + now_ms * MS) - START) // MS


def test_without_a_sign_the_slowest_is_assumed() -> None:
    it = readiness()

    assert not it.has_evidence(START)
    assert ready_ms(it, 0) == 1050 + 2300


def test_a_receiver_that_measures_is_seated_a_while_after_its_first_question() -> None:
    it = readiness(Habit.FOLLOWS, 1050, 1300, 2000)

    assert it.has_evidence(START + 2 * SECOND)
    assert it.probes == 3
    assert ready_ms(it, 2000) == 1050 + 2300


def test_a_quick_receiver_needs_three_exchanges() -> None:
    it = readiness(Habit.FOLLOWS_QUICKLY, 500, 750)
    assert ready_ms(it, 750) == 500 + 2300

    it.probe(START + 1000 * MS)
    it.probe(START + 1250 * MS)

    assert ready_ms(it, 1250) == 1000 + 250


def test_a_receiver_that_asks_no_more_is_no_evidence_and_begins_anew() -> None:
    it = readiness(Habit.FOLLOWS, 1000, 1125)
    assert it.has_evidence(START + 6124 * MS)

    assert not it.has_evidence(START + 6125 * MS)
    it.probe(START + 8000 * MS)

    assert it.probes == 1
    assert ready_ms(it, 8000) == 8000 + 2300


def test_a_receiver_that_claims_is_ready_soon_after() -> None:
    it = readiness()
    it.claim(START + 5 * MS)
    it.claim(START + 155 * MS)

    assert it.has_evidence(START + 60 * SECOND)
    assert ready_ms(it, 200) == 5 + 600


def test_a_new_stream_makes_claims_void_but_not_what_is_measured() -> None:
    claimed, measured = readiness(), readiness(Habit.FOLLOWS, 1000)
    claimed.claim(START)
    for it in (claimed, measured):
        it.begin(START + 2 * SECOND)

    assert not claimed.has_evidence(START + 2 * SECOND)
    assert ready_ms(claimed, 2000) == 2000 + 3350
    assert ready_ms(measured, 2000) == 1000 + 2300


def test_who_claims_and_measures_is_not_relied_on_too_soon() -> None:
    it = readiness(Habit.FOLLOWS, 20)
    it.claim(START)

    assert ready_ms(it, 20) == 20 + 2300


POD = {"model": "AudioAccessory5,1", "srcvers": "980.77.2", "igl": "1"}


@pytest.mark.parametrize(
    ("txt", "habit"),
    [
        pytest.param(POD, Habit.LEADS, id="a HomePod alone"),
        pytest.param(POD | {"tsid": "A-B"}, Habit.FOLLOWS_QUICKLY, id="in a pair"),
        pytest.param(POD | {"pgid": "A-B"}, Habit.FOLLOWS_QUICKLY, id="in a group"),
        pytest.param(POD | {"igl": "0"}, Habit.FOLLOWS_QUICKLY, id="not leading"),
        pytest.param(POD | {"osvers": "26.6"}, Habit.FOLLOWS_QUICKLY, id="older"),
        pytest.param({"model": "AppleTV6,2"}, Habit.FOLLOWS_QUICKLY, id="Apple TV"),
        pytest.param({"model": "Move 2"}, Habit.FOLLOWS, id="another maker's"),
        pytest.param({}, Habit.FOLLOWS, id="unknown"),
    ],
)
def test_what_it_is_says_how_it_deals_with_clocks(
    txt: dict[str, str], habit: Habit
) -> None:
    assert habit_of(merge(None, Service("Kitchen", "10.0.0.5", 7000, txt))) is habit
