"""When a receiver's clock can be relied on."""

import pytest

from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.ptp_readiness import (
    Election,
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


def elected(*announced_ms: int, leads: bool = False) -> Election:
    """Return an election with our Announces from the start, each second, and theirs."""
    election = Election(receiver_leads=leads, now_ns=START)
    for second in range(3):
        election.claim(START + second * SECOND)
    for each in announced_ms:
        election.announced(START + each * MS, 7)
    return election


@pytest.mark.parametrize(
    ("announced_ms", "leads"),
    [
        pytest.param((), False, id="quiet"),
        pytest.param((10, 200, 400), False, id="a HomePod in a group"),
        pytest.param((999, 1250, 1500), False, id="just before"),
        pytest.param((1000, 1250, 1500), True, id="just after"),
        pytest.param((250, 500, 750, 1000, 1250, 1500), True, id="a HomePod alone"),
        pytest.param((20_000, 20_750, 21_000), True, id="rarely"),
        pytest.param((1000, 20_000, 40_000), False, id="too rarely"),
        pytest.param((20_000,), False, id="once"),
        pytest.param((20_000, 20_001, 20_002), False, id="all at once"),
    ],
)
def test_who_goes_on_announcing_a_second_after_us_leads(
    announced_ms: tuple[int, ...], leads: bool
) -> None:
    election = elected(*announced_ms)

    assert election.receiver_leads is leads
    assert election.is_contested is bool(announced_ms)


def test_announcing_says_whether_it_leads() -> None:
    election = elected()

    found = [
        election.announced(START + each * MS, 7) for each in (999, 1000, 1200, 1400)
    ]

    assert found == [False, False, False, True]


def test_what_was_announced_before_us_decides_nothing() -> None:
    election = Election(receiver_leads=False, now_ns=START)
    before = election.announced(START + 5 * SECOND, 7)
    early = election.is_undecided(START + 5 * SECOND)
    election.claim(START + 6 * SECOND)

    assert not before
    assert not early
    assert election.is_undecided(START + 7 * SECOND)
    assert not election.announced(START + 6 * SECOND + 999 * MS, 7)


def test_it_is_undecided_only_while_it_may_go_on() -> None:
    quiet, loud = elected(), elected(200)

    assert not quiet.is_undecided(START + 500 * MS)
    assert loud.is_undecided(START + 1299 * MS)
    assert not loud.is_undecided(START + 1300 * MS)


def test_a_new_stream_is_judged_anew() -> None:
    election = elected(200)
    election.begin(START + 10 * SECOND)

    early = (
        election.announced(START + 12 * SECOND, 7),
        election.is_undecided(START + 12 * SECOND),
    )
    election.claim(START + 12 * SECOND)

    assert early == (False, False)
    assert not election.announced(START + 12 * SECOND + 400 * MS, 7)
    assert election.is_undecided(START + 13 * SECOND)
    assert not election.announced(START + 13 * SECOND, 7)
    assert not election.announced(START + 13 * SECOND + 200 * MS, 7)
    assert election.announced(START + 13 * SECOND + 400 * MS, 7)


def test_the_record_is_believed_until_the_receiver_is_silent_for_long() -> None:
    election = Election(receiver_leads=True, now_ns=START)
    times_ns = [election.gone_ns]
    election.begin(START + 1 * SECOND)
    times_ns.append(election.gone_ns)
    election.heard(START + 2 * SECOND)
    times_ns.append(election.gone_ns)
    election.heard(START + 3 * SECOND)
    times_ns.append(election.gone_ns)

    led = election.receiver_leads
    election.yield_to_us(START + 8 * SECOND)

    assert times_ns == [START + each * SECOND for each in (5, 6, 7, 8)]
    assert (led, election.receiver_leads) == (True, False)
    assert election.gone_ns == START + 13 * SECOND
