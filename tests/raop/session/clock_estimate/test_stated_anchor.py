"""An anchor that a receiver was given, and whether it is still right."""

import pytest

from custom_components.airplay.raop.session.clock_estimate.clock_map import (
    ClockMap,
    Timeline,
)
from custom_components.airplay.raop.session.clock_estimate.stated_anchor import (
    StatedAnchor,
)

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
THEIRS = Timeline(7, ClockMap(START, 3 * SECOND))


def test_an_anchor_is_an_instant_of_both_clocks() -> None:
    stated = StatedAnchor.on(THEIRS, START + SECOND)

    assert stated == StatedAnchor(START + SECOND, 7, START + 4 * SECOND)
    assert not stated.is_off(THEIRS, START)
    assert not stated.is_off(THEIRS, START + 3600 * SECOND)


def test_another_clock_needs_another_anchor_although_it_shows_the_same() -> None:
    stated = StatedAnchor.on(THEIRS, START)

    assert stated.is_off(Timeline(8, THEIRS.map), START)


@pytest.mark.parametrize(("by_ns", "is_off"), [(5 * MS, False), (5 * MS + 1, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_moved_by_more_than_5_ms_needs_another_anchor(
    by_ns: int, sign: int, *, is_off: bool
) -> None:
    stated = StatedAnchor.on(THEIRS, START)
    moved = Timeline(7, ClockMap(START, 3 * SECOND + sign * by_ns))

    assert stated.is_off(moved, START + 9 * SECOND) is is_off


@pytest.mark.parametrize("rate", [100e-6, -100e-6])
def test_drift_adds_up(rate: float) -> None:
    """A receiver plays on by its own clock, which runs faster or slower than ours."""
    drifting = Timeline(7, ClockMap(START, 3 * SECOND, rate))
    stated = StatedAnchor.on(drifting, START + SECOND)

    assert not stated.is_off(drifting, START + 50 * SECOND)
    assert stated.is_off(drifting, START + 52 * SECOND)
    again = StatedAnchor.on(drifting, START + 52 * SECOND)
    assert not again.is_off(drifting, START + 100 * SECOND)
