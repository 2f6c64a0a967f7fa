"""Check that fixtures detect the faults that they exist for."""

import asyncio

import pytest


@pytest.mark.parametrize("is_later", [False, True])
async def test_loop_reports_calls_from_another_thread(*, is_later: bool) -> None:
    loop = asyncio.get_running_loop()

    def meddle() -> None:
        if is_later:
            loop.call_later(0, print)
        else:
            loop.call_soon(print)

    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        await asyncio.to_thread(meddle)


async def test_future_reports_a_result_set_by_another_thread() -> None:
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(print)

    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        await asyncio.to_thread(future.set_result, None)
