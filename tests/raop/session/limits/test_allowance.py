"""A budget that refills."""

from custom_components.airplay.raop.session.limits.allowance import Allowance


def test_it_begins_full_and_refills_by_the_second() -> None:
    budget = Allowance(2, 3)

    assert [budget.spend(10.0) for _ in range(4)] == [True, True, True, False]
    assert not budget.spend(10.4)
    assert budget.spend(10.5)
    assert budget.left(1000.0) == 3


def test_amounts_are_spent_as_a_whole_or_not() -> None:
    budget = Allowance(1, 10)

    assert not budget.spend(0.0, 11)
    assert budget.spend(0.0, 10)
    assert not budget.spend(0.5, 1)


def test_a_clock_that_goes_back_refills_nothing() -> None:
    budget = Allowance(1, 1)

    assert budget.spend(100.0)
    assert not budget.spend(50.0)
    assert not budget.spend(100.5)
    assert budget.spend(101.0)


def test_what_was_used_beyond_the_rest_counts_against_the_future() -> None:
    budget = Allowance(1, 2)

    budget.charge(10.0, 5)
    assert budget.left(10.0) == -3
    assert not budget.spend(13.9)
    assert budget.spend(14.0)
