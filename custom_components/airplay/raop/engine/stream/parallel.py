"""Work at the same time, and work that a newer command may not cut in two."""

import asyncio
from collections.abc import Coroutine, Iterable


async def all_of(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Run coroutines in parallel; raise the first failure and cancel the rest."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for each in work:
                tasks.create_task(each)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def whole[T](work: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end, also if its caller is canceled meanwhile.

    What stops the packets of a receiver and what tells it so belong together. An error
    of the work is lost if the caller is canceled, also more than once.
    """
    task = asyncio.create_task(work)
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as err:
            canceled = err
    if canceled is None:
        return task.result()
    if not task.cancelled():
        # Mark it as retrieved; it would be logged as unexpected else.
        task.exception()
    raise canceled
