"""When a clock is known well enough."""

import pytest

from custom_components.airplay.raop.session.clock_estimate.clock_map import ClockMap
from custom_components.airplay.raop.session.clock_estimate.estimate import Estimate

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


def sure_after(offsets_ns: list[int], every_ns: int, *, answered: bool) -> int | None:
    """Return the number of the Sync, from 1, after which the estimate is good enough."""
    estimate = Estimate()
    if answered:
        estimate.add_round_trip(START, 2 * MS)
    for number, offset_ns in enumerate(offsets_ns):
        assert estimate.add_sync(START + number * every_ns, offset_ns)
        if estimate.is_sure:
            return number + 1
    return None


def test_nothing_is_known_before_the_first_sync() -> None:
    estimate = Estimate(30e-6)

    assert estimate.clock_map is None
    assert estimate.rate == 30e-6
    assert not estimate.is_sure


@pytest.mark.parametrize(
    ("offsets_ns", "count"),
    [
        ([0, 0, 0, 0], 4),
        ([0, -MS // 2, 0, 0], 4),
        ([0, -MS // 2 - 1, 0, 0, 0], None),
        ([0, -MS // 2 - 1, 0, 0, 0, 0], 6),
    ],
)
def test_four_alike_are_enough(offsets_ns: list[int], count: int | None) -> None:
    assert sure_after(offsets_ns, SECOND // 8, answered=True) == count
    assert sure_after(offsets_ns, SECOND // 8, answered=False) is None


def test_after_a_while_eight_are_enough() -> None:
    uneven = [-3 * MS * (number % 2) for number in range(20)]

    assert sure_after(uneven, SECOND // 8, answered=False) == 14
    assert sure_after(uneven, SECOND // 4, answered=False) == 8
    assert sure_after(uneven, SECOND // 5, answered=False) == 9
    assert sure_after(uneven, SECOND // 5 - 1, answered=False) == 10


def test_an_early_sync_is_left_out_until_others_confirm_it() -> None:
    estimate = Estimate()
    for number in range(9):
        estimate.add_sync(START + number * SECOND // 5, 0)
    known = estimate.clock_map

    found = [
        estimate.add_sync(START + 2 * SECOND + number, 6 * MS) for number in range(4)
    ]

    assert found == [True, True, True, False]
    assert estimate.clock_map == known == ClockMap(START + SECOND, 0, 0.0)


def test_what_is_early_in_the_beginning_is_taken() -> None:
    estimate = Estimate()
    for number in range(8):
        assert estimate.add_sync(START + number * SECOND // 8, 6 * MS * number)

    assert estimate.clock_map
    assert estimate.clock_map.timeline_ns(START) - START == 42 * MS


@pytest.mark.parametrize(
    ("early_ns", "offset_ns"), [(100 * MS, 70 * MS), (100 * MS + 1, -30 * MS)]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_sync_much_earlier_than_all_others_is_a_fault(
    early_ns: int, offset_ns: int, *, is_first: bool
) -> None:
    estimate = Estimate()
    offsets_ns = [-30 * MS, early_ns - 30 * MS]
    for number, each_ns in enumerate(sorted(offsets_ns, reverse=is_first)):
        estimate.add_sync(START + number * SECOND // 8, each_ns)

    assert estimate.clock_map
    assert estimate.clock_map.offset_ns == offset_ns


def test_two_early_syncs_confirm_each_other() -> None:
    estimate = Estimate()
    for number, offset_ns in enumerate((0, 900 * MS, 0, 0, 850 * MS)):
        estimate.add_sync(START + number * SECOND // 8, offset_ns)

    assert estimate.clock_map
    assert estimate.clock_map.offset_ns == 900 * MS
