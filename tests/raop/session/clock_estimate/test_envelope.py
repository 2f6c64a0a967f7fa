"""The messages that were delayed least, and what they say about a clock."""

import random
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.clock_estimate.clock_map import ClockMap
from custom_components.airplay.raop.session.clock_estimate.envelope import Envelope

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


def filled(
    rate: float, seconds: float, late_ns: int = 0, known: float = 0.0
) -> Envelope:
    """Return an envelope of a clock's Syncs, some of them late."""
    envelope = Envelope(known)
    chance = random.Random(1)
    for number in range(round(seconds * 8)):
        left_ns = number * SECOND // 8
        delay_ns = chance.randrange(late_ns + 1)
        envelope.add_sync(START + left_ns + delay_ns, round(rate * left_ns) - delay_ns)
    return envelope


def test_without_samples_nothing_is_known() -> None:
    envelope = Envelope(50e-6)

    assert envelope.line is None
    assert envelope.clock_map is None
    assert envelope.delay_ns == 0
    assert envelope.rate == 50e-6


def test_the_first_sync_is_the_line() -> None:
    envelope = Envelope(50e-6)
    envelope.add_sync(START, -5)

    assert envelope.clock_map == envelope.line == ClockMap(START, -5, 50e-6)


def test_half_the_fastest_round_trip_is_added() -> None:
    envelope = Envelope()
    envelope.add_sync(START, -9)
    for round_trip_ns in (30, 12, 40):
        envelope.add_round_trip(START + 1, round_trip_ns)
    envelope.add_round_trip(START + SECOND, 20)

    assert envelope.delay_ns == 6
    assert envelope.clock_map == ClockMap(START, -3)


@pytest.mark.parametrize(
    ("round_trips_ns", "delay_ns"),
    [
        ((9,), 4),
        ((6, 12), 3),
        ((5, 12), 6),
        ((12, 5, 30), 6),
        ((5, 12, 5), 2),
        ((2, 5, 12), 2),
    ],
)
def test_a_round_trip_that_nothing_confirms_is_a_fault(
    round_trips_ns: tuple[int, ...], delay_ns: int
) -> None:
    """One that took less than half as long as all others."""
    within, apart = Envelope(), Envelope()
    for number, each_ns in enumerate(round_trips_ns):
        within.add_round_trip(START, each_ns)
        apart.add_round_trip(START + number * SECOND, each_ns)

    assert (within.delay_ns, apart.delay_ns) == (delay_ns, delay_ns)


def test_syncs_that_are_replaced_leave_the_round_trips() -> None:
    envelope = Envelope()
    for number, offset_ns in enumerate((0, 900, 0, -100)):
        envelope.add_sync(START + number * SECOND, offset_ns)
    envelope.add_round_trip(START + 3 * SECOND, 8)

    kept = [(START + number * SECOND, -7) for number in (0, 2)]
    envelope.replace_syncs([(START - SECOND, 5000), *kept])

    assert envelope.line
    assert envelope.line.at_ns == START + 2 * SECOND
    assert envelope.line.offset_ns == pytest.approx(-7, abs=1)
    assert envelope.delay_ns == 4


def test_a_gap_of_a_minute_leaves_nothing() -> None:
    envelope = Envelope()
    envelope.add_sync(START, 500)
    envelope.add_sync(START + 60 * SECOND, 0)

    assert envelope.line == ClockMap(START + 60 * SECOND, 0, 0.0)


def test_three_syncs_show_a_rate_and_two_do_not() -> None:
    envelope, rates = Envelope(), []
    for number in range(3):
        envelope.add_sync(START + number * 10 * SECOND, number * 500_000)
        rates.append(envelope.rate)

    assert rates == pytest.approx([0, 0, 50e-6 * 16 / 17])


def test_a_late_sync_in_the_middle_bends_no_line() -> None:
    envelope = Envelope()
    for number, offset_ns in enumerate((0, -MS, 0)):
        envelope.add_sync(START + number * 10 * SECOND, offset_ns)

    assert envelope.rate == 0


@pytest.mark.parametrize(("count", "slope"), [(59, 3e-6), (60, 1e-6)])
def test_the_edge_in_the_middle_counts(count: int, slope: float) -> None:
    """A clock that slows down: each second has a slope of its own."""
    envelope = Envelope()
    for second in range(count):
        envelope.add_sync(START + second * SECOND, -1_000 * (second - 30) ** 2)
    share = ((count - 1) / 10) ** 4

    assert envelope.rate == pytest.approx(slope * share / (1 + share), rel=1e-6)


def test_the_least_delayed_sync_counts_wherever_it_comes() -> None:
    for best in range(16):
        envelope = Envelope()
        for number in range(16):
            offset_ns = -1000 if number != best else -10
            envelope.add_sync(START + number * SECOND // 8, offset_ns)
        assert envelope.line
        assert envelope.line.offset_ns == -10


def test_what_is_a_minute_old_is_forgotten() -> None:
    envelope = Envelope()
    envelope.add_sync(START, 500)
    envelope.add_round_trip(START, 100)
    for second in range(1, 60):
        envelope.add_sync(START + second * SECOND, 0)
        envelope.add_round_trip(START + second * SECOND, 200)
    before, delay_ns = envelope.line, envelope.delay_ns
    envelope.add_sync(START + 60 * SECOND, 0)
    after = envelope.line
    envelope.add_sync(START + 300 * SECOND, -7)

    assert delay_ns == 50
    assert before
    assert before.timeline_ns(START) - START == pytest.approx(500, abs=1)
    assert after == ClockMap(START + 60 * SECOND, 0, 0.0)
    assert envelope.line == ClockMap(START + 300 * SECOND, -7, 0.0)
    assert envelope.delay_ns == 0


def test_older_seconds_are_closed() -> None:
    envelope = Envelope()
    envelope.add_sync(START + SECOND, -10)
    envelope.add_sync(START + SECOND - 1, 70)
    envelope.add_round_trip(START + SECOND - 1, 2)

    assert envelope.clock_map == ClockMap(START + SECOND, -10)


@pytest.mark.parametrize("rate", [150e-6, 0.0, -150e-6])
@pytest.mark.parametrize(
    ("late_ns", "error"), [(0, 3e-7), (2 * MS, 3e-6), (24 * MS, 15e-6)]
)
def test_a_minute_shows_the_rate(rate: float, late_ns: int, error: float) -> None:
    envelope = filled(rate, 60, late_ns)

    assert envelope.rate == pytest.approx(rate, abs=error)


@pytest.mark.parametrize(
    ("seconds", "share"), [(2, 0.0), (7.01, 0.115), (11.01, 0.5), (21.01, 0.941)]
)
def test_the_rate_known_before_counts_until_there_is_a_longer_measurement(
    seconds: float, share: float
) -> None:
    known, measured = 10e-6, 110e-6

    envelope = filled(measured, seconds, known=known)

    assert (envelope.rate - known) / 100e-6 == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize("rate", [1e-3, -1e-3])
@pytest.mark.parametrize(
    ("seconds", "most"), [(60, 699.4e-6), (21.01, 658.8e-6), (11.01, 175e-6)]
)
def test_no_clock_is_so_wrong(rate: float, seconds: float, most: float) -> None:
    envelope = filled(rate, seconds)

    assert abs(envelope.rate) == pytest.approx(most, abs=1e-7)


def test_the_slope_is_that_of_the_middle() -> None:
    """A clock that was quicker for the first third counts by the rest."""
    envelope = Envelope()
    for second in range(60):
        bent_ns = max(0, 20 - second) * -2_000
        envelope.add_sync(START + second * SECOND, bent_ns + second * 10_000)

    # Of the rate known before, 0, a 1213th is left after a minute.
    assert envelope.rate == pytest.approx(10e-6 * (1 - 1 / 1213), abs=1e-9)


def test_no_sample_is_above_the_line() -> None:
    chance = random.Random(3)
    envelope = Envelope()
    samples = []
    for number in range(400):
        at_ns = START + number * SECOND // 8
        samples.append((at_ns, -chance.randrange(9 * MS)))
        envelope.add_sync(*samples[-1])
    line = envelope.line
    assert line

    above = [offset - (line.timeline_ns(at) - at) for at, offset in samples]
    assert max(above) <= 50_000
    assert max(above) >= -50_000


@given(st.lists(st.tuples(st.integers(-(2**80), 2**80), st.integers(-(2**80), 2**80))))
def test_any_samples_are_taken(samples: list[Any]) -> None:
    envelope = Envelope()
    for at_ns, offset_ns in samples:
        envelope.add_sync(at_ns, offset_ns)
        envelope.add_round_trip(at_ns, abs(offset_ns))
        assert abs(envelope.rate) <= 700e-6
    assert len(envelope._seconds) <= 60
