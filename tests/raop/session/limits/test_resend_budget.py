"""How many packets are sent again; `engine/pacing/test_resends.py` has whole links."""

from custom_components.airplay.raop.session.limits.resend_budget import ResendBudget


def test_so_many_packets_at_once_and_so_many_a_second() -> None:
    budget = ResendBudget()

    assert [budget.grants(number, 0.0) for number in range(600)].count(True) == 500
    assert [budget.grants(number, 1.0) for number in range(600)].count(True) == 200


def test_one_packet_is_granted_eight_times_and_counted_anew_for_another() -> None:
    budget = ResendBudget()

    assert [budget.grants(5, 0.0) for _ in range(20)].count(True) == 8
    assert budget.grants(6, 0.0)
    assert budget.grants(5 + 1024, 0.0)


def test_second_copies_end_before_first_ones() -> None:
    budget = ResendBudget()
    for number in range(260):
        budget.grants(number, 0.0)

    assert not budget.grants_copy(1, 0.0)
    assert budget.grants(1, 0.0)
    assert budget.grants_copy(1, 1.0)
