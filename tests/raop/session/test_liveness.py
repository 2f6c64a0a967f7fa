"""Whether a receiver that used to ask for the time has fallen silent."""

import pytest

from custom_components.airplay.raop.session.liveness import SILENT_S, STEADY_S, Liveness

# As shairport-sync asks.
USUAL_S = [0.0, 0.3, 0.6, 0.9, 3.9, 6.9, 9.9]


def asked(times_s: list[float]) -> Liveness:
    pulse = Liveness()
    for at_s in times_s:
        pulse.asked(at_s)
        pulse.asked(at_s)
    return pulse


def test_a_regular_receiver_is_silent_after_two_missing_requests() -> None:
    pulse = asked(USUAL_S)

    assert not pulse.is_silent(9.9 + SILENT_S)
    assert pulse.is_silent(9.9 + SILENT_S + 0.1)


@pytest.mark.parametrize("times_s", [[], [0.0], [0.0, 0.3, 0.6, 0.9, 3.9]])
def test_a_receiver_that_asks_only_at_the_start_is_never_silent(
    times_s: list[float],
) -> None:
    assert not asked(times_s).is_silent(10_000)


@pytest.mark.parametrize("first_s", [0.0, 1000.0])
def test_a_receiver_that_asked_for_five_seconds_is_expected_to_continue(
    first_s: float,
) -> None:
    almost = asked([first_s, first_s + STEADY_S - 0.1])
    long_enough = asked([first_s, first_s + STEADY_S])

    assert not almost.is_silent(first_s + 10_000)
    assert long_enough.is_silent(first_s + 10_000)


def test_a_receiver_that_asks_rarely_has_more_time() -> None:
    pulse = asked([0.0, 10.0, 20.0])

    assert not pulse.is_silent(40)
    assert pulse.is_silent(40.1)


def test_limit_of_silence_is_half_a_minute_at_most() -> None:
    pulse = asked([0.0, 60.0])

    assert not pulse.is_silent(90)
    assert pulse.is_silent(90.1)


def test_a_receiver_that_asks_again_is_no_longer_silent() -> None:
    pulse = asked(USUAL_S)
    assert pulse.is_silent(30)

    pulse.asked(29)

    assert not pulse.is_silent(30)
