"""Work that a newer command may not cut in two."""

import asyncio
import gc

import pytest

from custom_components.airplay.raop.engine.stream.parallel import whole
from custom_components.airplay.raop.errors import ReceiverUnreachableError


async def test_the_result_and_the_error_of_the_work_are_those_of_the_whole() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ReceiverUnreachableError("gone")

    assert await whole(answer()) == 42
    with pytest.raises(ReceiverUnreachableError, match="gone"):
        await whole(fail())


@pytest.mark.parametrize("times", [1, 2])
async def test_work_ends_before_a_caller_that_is_canceled(times: int) -> None:
    unexpected: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unexpected.append(context))
    begun, may_end, steps = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        steps.append("done")
        raise ReceiverUnreachableError("gone")

    caller = asyncio.create_task(whole(work()))
    await begun.wait()
    for _ in range(times):
        caller.cancel()
        await asyncio.sleep(0)
        assert not caller.done()
    may_end.set()
    await asyncio.wait([caller])

    assert caller.cancelled()
    assert steps == ["done"]
    del caller
    gc.collect()
    assert unexpected == []
