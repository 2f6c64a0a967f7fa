"""The session clock."""

import time

import pytest

from custom_components.airplay.raop.engine.net import clock

HOUR_NS = 3600 * 1_000_000_000
# Far less than any step, far more than a thread ever waits for its turn.
TOLERANCE_NS = 2_000_000_000


@pytest.mark.parametrize(
    "step_ns", [0, 10_000_000_000, -HOUR_NS, 30 * 365 * 24 * HOUR_NS]
)
def test_a_step_of_the_wall_clock_moves_only_displayed_times(
    monkeypatch: pytest.MonkeyPatch, step_ns: int
) -> None:
    before_ns = clock.now_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + step_ns)

    after_ns = clock.now_ns()
    arrived_ns = clock.of_realtime(real() + step_ns - 1_000_000)

    assert 0 <= after_ns - before_ns < TOLERANCE_NS
    assert abs(arrived_ns - (clock.now_ns() - 1_000_000)) < TOLERANCE_NS
    assert abs(clock.to_unix(after_ns) * 1e9 - real() - step_ns) < TOLERANCE_NS


def test_session_time_is_near_unix_time_and_runs_with_the_monotonic_clock() -> None:
    now_ns = clock.now_ns()

    assert abs(clock.monotonic_of(now_ns) - time.monotonic_ns()) < TOLERANCE_NS
    assert clock.monotonic_of(now_ns + 5) - clock.monotonic_of(now_ns) == 5
    assert abs(now_ns - time.time_ns()) < 60 * 1_000_000_000


@pytest.fixture
def hesitant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread wait for its turn between the next looks at the clock."""
    real = time.monotonic_ns
    pauses_ns = iter([0, 20_000_000, 0, 10_000_000])
    paused_ns = 0

    def hesitant() -> int:
        nonlocal paused_ns
        paused_ns += next(pauses_ns, 0)
        return real() + paused_ns

    monkeypatch.setattr(time, "monotonic_ns", hesitant)


# Of 30 ms that are lost between looks, all go by for the monotonic clock alone.


def test_a_stamp_is_converted_by_clocks_that_were_read_together(
    request: pytest.FixtureRequest,
) -> None:
    stamp_ns, now_ns = time.time_ns(), clock.now_ns()
    request.getfixturevalue("hesitant")

    assert abs(clock.of_realtime(stamp_ns) - now_ns - 30_000_000) < 1_000_000


def test_displayed_times_come_from_clocks_that_were_read_together(
    request: pytest.FixtureRequest,
) -> None:
    unix_ns, now_ns = time.time_ns(), clock.now_ns()
    request.getfixturevalue("hesitant")

    told_ns = clock.to_unix(now_ns) * 1e9

    assert abs(told_ns - unix_ns + 30_000_000) < 1_000_000


def test_a_wanted_instant_is_converted_by_clocks_that_were_read_together(
    request: pytest.FixtureRequest,
) -> None:
    unix_ns, now_ns = time.time_ns(), clock.now_ns()
    request.getfixturevalue("hesitant")

    wanted_ns = clock.of_unix(unix_ns / 1e9)

    assert abs(wanted_ns - now_ns - 30_000_000) < 1_000_000
