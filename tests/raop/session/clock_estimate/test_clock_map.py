"""The mapping of session time to a receiver's time."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.clock_estimate.clock_map import (
    SAME,
    ClockMap,
)

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


@given(
    st.integers(0, 2**61),
    st.integers(-(2**61), 2**61),
    st.floats(-200e-6, 200e-6),
    st.integers(-3600 * SECOND, 3600 * SECOND),
)
def test_a_clock_is_its_offset_and_the_drift_since(
    at_ns: int, offset_ns: int, rate: float, later_ns: int
) -> None:
    clock_map = ClockMap(at_ns, offset_ns, rate)
    ahead_ns = clock_map.timeline_ns(at_ns + later_ns) - (at_ns + later_ns)

    assert ahead_ns - offset_ns == round(rate * later_ns)


def test_our_own_clock_is_the_timeline() -> None:
    assert SAME.timeline_ns(START) == START


def test_the_distance_of_two_maps_depends_on_their_rates() -> None:
    one, other = ClockMap(START, 5 * MS, 100e-6), ClockMap(START, 2 * MS)

    assert one.ahead_of_ns(other, START) == 3 * MS
    assert one.ahead_of_ns(other, START + 10 * SECOND) == 4 * MS
    assert other.ahead_of_ns(one, START) == -3 * MS


@pytest.mark.parametrize(
    ("ahead_ns", "elapsed_ns", "moved_ns"),
    [
        pytest.param(20 * MS, SECOND, MS, id="far"),
        pytest.param(-20 * MS, SECOND, -MS, id="far behind"),
        pytest.param(20 * MS, SECOND // 8, MS // 8, id="from one Sync to the next"),
        pytest.param(400_000, SECOND // 8, 50_000, id="close"),
        pytest.param(400_000, SECOND, 400_000, id="close enough"),
        pytest.param(20 * MS, 3600 * SECOND, MS, id="after a gap"),
        pytest.param(20 * MS, -SECOND, 0, id="back in time"),
        pytest.param(0, SECOND, 0, id="there"),
    ],
)
def test_a_map_is_approached(ahead_ns: int, elapsed_ns: int, moved_ns: int) -> None:
    now_ns = START + elapsed_ns
    better = ClockMap(now_ns, 7 * SECOND + ahead_ns, 20e-6)

    moved = ClockMap(START, 7 * SECOND).toward(better, now_ns)

    assert moved == ClockMap(now_ns, 7 * SECOND + moved_ns, 20e-6)


def test_a_map_that_moves_keeps_its_drift_until_then() -> None:
    moved = ClockMap(START, 0, 100e-6).toward(
        ClockMap(START + SECOND, 100_000), START + SECOND
    )

    assert moved == ClockMap(START + SECOND, 100_000, 0.0)
