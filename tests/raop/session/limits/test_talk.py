"""How much a receiver may send on one connection."""

import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.limits.talk import TalkBudget


def test_a_knob_that_is_turned_for_an_hour_is_within_the_budget() -> None:
    budget = TalkBudget()

    for number in range(20 * 3600):
        budget.count_call(number / 20)
        budget.count_bytes(500, number / 20)


def test_too_many_requests_are_an_error() -> None:
    budget = TalkBudget()
    for _ in range(200):
        budget.count_call(1.0)

    with pytest.raises(ReceiverProtocolError, match="too many requests"):
        budget.count_call(1.0)


def test_too_many_bytes_are_an_error() -> None:
    budget = TalkBudget()
    budget.count_bytes(1024 * 1024, 1.0)

    with pytest.raises(ReceiverProtocolError, match="too much"):
        budget.count_bytes(1024, 1.0)
