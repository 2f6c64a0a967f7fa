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


def make_readiness(habit: Habit = Habit.FOLLOWS, *probes_ms: int) -> Readiness:
    """Return that of a receiver which has asked at these times after the start."""
    readiness = Readiness(habit, START)
    for each in probes_ms:
        readiness.probe(START + each * MS)
    return readiness


def ready_ms(readiness: Readiness, now_ms: int) -> int:
    """Return when it can be relied on, in ms after the start."""
    return (readiness.ready_at_ns(START + now_ms * MS) - START) // MS


def test_without_a_sign_the_slowest_is_assumed() -> None:
    readiness = make_readiness()

    assert not readiness.has_evidence(START)
    assert ready_ms(readiness, 0) == 1050 + 2300


def test_a_receiver_that_measures_is_ready_a_while_after_its_first_question() -> None:
    readiness = make_readiness(Habit.FOLLOWS, 1050, 1300, 2000)

    assert readiness.has_evidence(START + 2 * SECOND)
    assert readiness.probes == 3
    assert ready_ms(readiness, 2000) == 1050 + 2300


def test_a_quick_receiver_needs_three_exchanges() -> None:
    readiness = make_readiness(Habit.FOLLOWS_QUICKLY, 500, 750)
    assert ready_ms(readiness, 750) == 500 + 2300

    readiness.probe(START + 1000 * MS)
    readiness.probe(START + 1250 * MS)

    assert ready_ms(readiness, 1250) == 1000 + 250


def test_a_receiver_that_stops_asking_is_no_evidence_and_starts_again() -> None:
    readiness = make_readiness(Habit.FOLLOWS, 1000, 1125)
    assert readiness.has_evidence(START + 6124 * MS)

    assert not readiness.has_evidence(START + 6125 * MS)
    readiness.probe(START + 8000 * MS)

    assert readiness.probes == 1
    assert ready_ms(readiness, 8000) == 8000 + 2300


def test_a_receiver_that_claims_is_ready_soon_after() -> None:
    readiness = make_readiness()
    readiness.claim(START + 5 * MS)
    readiness.claim(START + 155 * MS)

    assert readiness.has_evidence(START + 60 * SECOND)
    assert ready_ms(readiness, 200) == 5 + 600


def test_a_new_stream_voids_claims_but_keeps_measurements() -> None:
    claimed, measured = make_readiness(), make_readiness(Habit.FOLLOWS, 1000)
    claimed.claim(START)
    for readiness in (claimed, measured):
        readiness.begin(START + 2 * SECOND)

    assert not claimed.has_evidence(START + 2 * SECOND)
    assert ready_ms(claimed, 2000) == 2000 + 3350
    assert ready_ms(measured, 2000) == 1000 + 2300


def test_a_claimed_and_measured_clock_is_not_relied_on_too_soon() -> None:
    readiness = make_readiness(Habit.FOLLOWS, 20)
    readiness.claim(START)

    assert ready_ms(readiness, 20) == 20 + 2300


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
def test_the_record_determines_its_clock_habit(
    txt: dict[str, str], habit: Habit
) -> None:
    assert habit_of(merge(None, Service("Kitchen", "10.0.0.5", 7000, txt))) is habit
