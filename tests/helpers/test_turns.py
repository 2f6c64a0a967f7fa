"""Work that is spread over several turns of the event loop."""

import asyncio
from functools import partial
import time

import pytest

from custom_components.airplay.helpers.turns import Turns


def work(done: list[int], number: int) -> None:
    """Take longer than one turn may take in all."""
    until = time.monotonic() + 0.011
    while time.monotonic() < until:
        pass
    done.append(number)


async def test_long_work_is_done_in_order_one_job_in_each_turn() -> None:
    done: list[int] = []
    turns = Turns(asyncio.get_running_loop())

    for number in range(5):
        turns.async_run(partial(work, done, number))
    assert done == [0]
    for count in range(2, 6):
        await asyncio.sleep(0)
        assert done == [*range(count)]


async def test_short_work_is_done_at_once() -> None:
    done: list[int] = []
    turns = Turns(asyncio.get_running_loop())

    for number in range(5):
        turns.async_run(partial(done.append, number))

    assert done == [*range(5)]


async def test_job_that_fails_stops_no_other() -> None:
    done: list[int] = []
    turns = Turns(asyncio.get_running_loop())
    turns.async_run(partial(work, done, 0))
    turns.async_run(partial(done.append, 1))
    await asyncio.sleep(0)

    with pytest.raises(ZeroDivisionError):
        turns.async_run(lambda: 1 // 0)  # type: ignore[arg-type]
    turns.async_run(partial(done.append, 2))

    assert done == [0, 1, 2]


async def test_only_the_latest_jobs_wait_and_none_after_the_end() -> None:
    done: list[int] = []
    turns = Turns(asyncio.get_running_loop())
    turns.async_run(partial(work, done, -1))
    for number in range(5000):
        turns.async_run(partial(done.append, number))
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert done == [-1, *range(5000 - 4096, 5000)]

    turns.async_run(partial(work, done, -1))
    turns.async_run(partial(done.append, -2))
    turns.async_close()
    await asyncio.sleep(0.01)
    assert -2 not in done
