"""The session clock."""

import time

import pytest

from custom_components.airplay.raop.engine import clock

HOUR_NS = 3600 * 1_000_000_000
TOLERANCE_NS = 50_000_000


@pytest.mark.parametrize(
    "step_ns", [0, 10_000_000_000, -HOUR_NS, 30 * 365 * 24 * HOUR_NS]
)
def test_a_step_of_the_wall_clock_moves_only_what_is_told_to_people(
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


def test_session_time_looks_like_unix_time_and_runs_with_the_monotonic_clock() -> None:
    now_ns = clock.now_ns()

    assert abs(clock.monotonic_of(now_ns) - time.monotonic_ns()) < TOLERANCE_NS
    assert clock.monotonic_of(now_ns + 5) - clock.monotonic_of(now_ns) == 5
    assert abs(now_ns - time.time_ns()) < 60 * 1_000_000_000
