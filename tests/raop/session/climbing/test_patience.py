"""How long the answers of one start may take together."""

from custom_components.airplay.raop.errors import SlowReceiverError
from custom_components.airplay.raop.session.climbing.patience import CLIMB_S, Patience

# Sound or its reason comes within 12 s; the line and the clock need the rest.
BOUND_S, LINE_S = 12.0, 2.0
# The longest that receivers are known to need: one that wakes up accepts the connection
# within 3 s, and the slowest log in and set up within 2 s more.
LONGEST_S = 5.0


def test_the_bound_leaves_time_for_real_receivers_and_for_the_line() -> None:
    assert 2 * LONGEST_S <= CLIMB_S <= BOUND_S - LINE_S


def test_patience_is_over_when_all_answers_took_too_long_together() -> None:
    patience = Patience(10.0)
    for step in ("OPTIONS", "ANNOUNCE", "SETUP"):
        patience.spend(step, 2.9)

    seen = [(round(patience.left_s, 1), patience.is_over)]
    patience.spend("RECORD", 1.3)
    seen.append((round(patience.left_s, 1), patience.is_over))

    assert seen == [(1.3, False), (0.0, True)]


def test_the_error_names_what_was_slow_in_its_order() -> None:
    patience = Patience(4.0)
    for step, took_s in (
        ("OPTIONS", 0.49),
        ("ANNOUNCE", 0.5),
        ("SETUP", 1.25),
        ("RECORD", 2.9),
    ):
        patience.spend(step, took_s)

    error = patience.error

    assert isinstance(error, SlowReceiverError)
    assert str(error) == (
        "the receiver takes too long to answer: ANNOUNCE 0.5 s, SETUP 1.2 s, RECORD 2.9 s"
    )


def test_the_error_names_the_slowest_of_many() -> None:
    patience = Patience()
    for number in range(8):
        patience.spend(f"STEP{number}", 0.5 + number / 10)

    assert "STEP1 " not in str(patience.error)
    assert [f"STEP{each} " in str(patience.error) for each in range(2, 8)] == [True] * 6


def test_a_new_command_has_all_the_time_again() -> None:
    patience = Patience(3.0)
    patience.spend("SETUP", 3.0)

    patience.renew()

    assert not patience.is_over
    assert patience.left_s == 3.0
    assert "many steps" in str(patience.error)
