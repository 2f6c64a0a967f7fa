"""Streams that start one announcement at the same instant."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from custom_components.airplay.raop.engine.announce import start_barrier
from custom_components.airplay.raop.engine.announce.start_barrier import (
    Start,
    StartBarrier,
)
from custom_components.airplay.raop.engine.pacing.pacer import Pacer


class FakePacer:
    """Runs jobs at once, and counts them."""

    def __init__(self) -> None:
        self.jobs = 0

    async def run[T](self, job: Callable[[], T]) -> T:
        """Run a job."""
        self.jobs += 1
        return job()


@pytest.fixture
def pacer() -> FakePacer:
    """Return a pacing thread whose jobs are counted."""
    return FakePacer()


def barrier_of(count: int, pacer: FakePacer) -> StartBarrier:
    return StartBarrier(count, cast("Pacer", pacer))


def start(soonest_ns: int, placed: list[int], *, has_line: bool = True) -> Start:
    """Return a start that lists the instant at which it was placed."""

    def place(at_ns: int) -> bool:
        placed.append(at_ns)
        return has_line

    return Start(lambda: soonest_ns, place)


async def begin_all(barrier: StartBarrier, starts: Sequence[Start]) -> list[bool]:
    return await asyncio.gather(*(barrier.begin(each) for each in starts))


async def test_streams_start_at_the_latest_instant_in_one_job(pacer: FakePacer) -> None:
    placed: list[int] = []
    starts = [start(at_ns, placed) for at_ns in (5, 9, 7)]

    assert await begin_all(barrier_of(3, pacer), starts) == [True] * 3

    assert placed == [9] * 3
    assert pacer.jobs == 1


async def test_one_stream_starts_as_soon_as_it_can(pacer: FakePacer) -> None:
    placed: list[int] = []

    assert await barrier_of(1, pacer).begin(start(4, placed))

    assert placed == [4]


async def test_stream_whose_line_has_ended_is_reported_to_it_alone(
    pacer: FakePacer,
) -> None:
    placed: list[int] = []
    starts = [start(5, placed), start(6, placed, has_line=False)]

    assert await begin_all(barrier_of(2, pacer), starts) == [True, False]


async def test_stream_that_leaves_is_not_awaited(pacer: FakePacer) -> None:
    placed: list[int] = []
    barrier = barrier_of(2, pacer)

    waiting = asyncio.create_task(barrier.begin(start(5, placed)))
    await asyncio.sleep(0)
    assert not placed
    barrier.leave()

    assert await waiting
    assert placed == [5]


async def test_stream_that_is_late_starts_alone(
    pacer: FakePacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_barrier, "_PATIENCE_S", 0.01)
    placed: list[int] = []
    barrier = barrier_of(2, pacer)

    assert await barrier.begin(start(5, placed))
    assert await barrier.begin(start(3, placed))

    assert placed == [5, 3]
    assert pacer.jobs == 2


async def test_streams_that_are_ready_start_when_one_has_waited_long_enough(
    pacer: FakePacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_barrier, "_PATIENCE_S", 0.01)
    placed: list[int] = []
    barrier = barrier_of(3, pacer)
    first = asyncio.create_task(barrier.begin(start(5, placed)))
    await asyncio.sleep(0)
    monkeypatch.setattr(start_barrier, "_PATIENCE_S", 60)

    async with asyncio.timeout(20):
        assert await barrier.begin(start(8, placed))

    assert await first
    assert placed == [8, 8]


async def test_stream_that_is_stopped_while_it_waits_is_not_placed(
    pacer: FakePacer,
) -> None:
    placed: list[int] = []
    barrier = barrier_of(2, pacer)

    stopped = asyncio.create_task(barrier.begin(start(100, placed)))
    await asyncio.sleep(0)
    stopped.cancel()

    assert await barrier.begin(start(5, placed))
    assert placed == [5]
    assert stopped.cancelled()
