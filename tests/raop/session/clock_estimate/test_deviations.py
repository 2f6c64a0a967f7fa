"""Samples that do not fit."""

import pytest

from custom_components.airplay.raop.session.clock_estimate.deviations import Deviations

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
EARLY, FITS, LATE = 5 * MS + 1, 5 * MS, -5 * MS - 1


def fed(*samples: tuple[float, int]) -> list[bool]:
    """Return what each sample results in, given when and how wrong it was."""
    deviations = Deviations()
    return [
        deviations.persist(START + round(at_s * SECOND), error_ns)
        for at_s, error_ns in samples
    ]


def every(period_s: float, count: int, error_ns: int) -> list[tuple[float, int]]:
    """Return regular samples."""
    return [(n * period_s, error_ns) for n in range(count)]


@pytest.mark.parametrize("error_ns", [FITS, 0, -FITS])
def test_samples_that_fit_are_no_deviation(error_ns: int) -> None:
    assert not any(fed(*every(0.125, 200, error_ns)))
    assert not Deviations.is_early(error_ns)


def test_four_early_ones_within_two_seconds_persist() -> None:
    assert Deviations.is_early(EARLY)
    assert fed(*every(2 / 3, 4, EARLY)) == [False, False, False, True]
    assert not any(fed(*every(0.67, 10, EARLY)))


def test_early_ones_count_although_others_fit() -> None:
    mixed = [(n * 0.25, EARLY if n % 2 else FITS) for n in range(8)]

    assert fed(*mixed) == [False] * 7 + [True]


def test_late_ones_persist_after_eight_seconds() -> None:
    assert fed(*every(0.125, 65, LATE)) == [False] * 64 + [True]


def test_so_few_late_ones_do_not_persist() -> None:
    assert fed(*every(8.0 / 14, 16, LATE)) == [False] * 15 + [True]
    assert fed(*every(10.0, 15, LATE)) == [False] * 15


@pytest.mark.parametrize("between", [-FITS, EARLY])
def test_one_that_is_not_late_ends_a_row(between: int) -> None:
    row = [*every(0.125, 60, LATE), (7.6, between)]
    again = [(8.0 + at_s, error_ns) for at_s, error_ns in every(0.125, 65, LATE)]

    assert fed(*row, *again) == [False] * (61 + 64) + [True]
