"""Following a receiver that keeps its own clock, for minutes behind a busy network."""

import pytest

from .busy_wifi import (
    MS,
    START,
    Delay,
    Network,
    busy,
    congested,
    p99,
    quiet,
    reliable,
    stalling,
)

BUSY_MS, CONGESTED_MS = 1.0, 2.5


@pytest.mark.parametrize("delay", [busy, congested])
def test_a_usable_clock_is_known_within_two_seconds(delay: Delay) -> None:
    times_s = sorted(Network(delay, seed).run_until_reliable() for seed in range(100))

    assert times_s[98] <= 2.0


@pytest.mark.parametrize(
    ("delay", "most_ms"), [(busy, BUSY_MS), (congested, CONGESTED_MS)]
)
@pytest.mark.parametrize(
    ("seed", "rate"), [(1, 0.0), (2, 0.0), (3, 0.0), (4, 100e-6), (5, -100e-6)]
)
def test_a_busy_network_neither_steps_the_clock_nor_shifts_it(
    delay: Delay, most_ms: float, seed: int, rate: float
) -> None:
    network = reliable(delay=delay, seed=seed, rate=rate)
    since_ns = network.followed.reliable_at_ns
    errors_ms = network.errors_ms(600, every_s=0.25)

    assert p99(errors_ms) <= most_ms
    assert network.steps == 0
    assert network.followed.reliable_at_ns == since_ns


@pytest.mark.parametrize("delay", [busy, congested])
def test_a_better_estimate_moves_the_map_slowly(delay: Delay) -> None:
    network = reliable(delay=delay, seed=7)
    for _ in range(120):
        before = network.followed.map
        network.run_for(1)
        after = network.followed.map
        assert before
        assert after
        assert abs(after.ahead_of_ns(before, network.now_ns)) <= 1.3 * MS


def test_messages_that_are_all_late_for_seconds_do_not_move_it() -> None:
    network = reliable(delay=stalling)
    errors_ms = network.errors_ms(120)

    assert max(abs(each) for each in errors_ms) < 1.5
    assert network.steps == 0


def test_it_survives_a_minute_without_messages() -> None:
    network = reliable(delay=busy, rate=20e-6)
    network.run_for(60)
    since_ns = network.followed.reliable_at_ns
    network.is_silent = True
    network.run_for(90)
    silent_ns = network.error_ns
    network.is_silent = False
    errors_ms = network.errors_ms(30)

    assert abs(silent_ns) < 1 * MS
    assert max(abs(each) for each in errors_ms) < 2
    assert network.followed.reliable_at_ns == since_ns


@pytest.mark.parametrize("delay", [quiet, busy])
@pytest.mark.parametrize("rate", [500e-6, -500e-6])
def test_a_clock_that_begins_to_be_slewed_is_followed(
    delay: Delay, rate: float
) -> None:
    """As the kernel does with our clock while this machine sets it."""
    network = reliable(delay=delay)
    network.run_for(60)
    network.ahead_ns -= round(rate * (network.now_ns - START))
    network.rate = rate
    first_ms = network.errors_ms(40)
    later_ms = network.errors_ms(40)

    assert max(abs(each) for each in first_ms) < 12
    assert max(abs(each) for each in later_ms) < 2
