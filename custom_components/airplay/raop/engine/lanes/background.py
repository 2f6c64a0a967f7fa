"""Work that goes on beside a session and ends with it."""

import asyncio
from collections.abc import Coroutine


class BackgroundTasks:
    """Keeps tasks until they are done or cancelled together; event loop.

    A session begins in one call and ends in another, so that no task group can span
    it.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin something soon."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Cancel what is not done; may be called again."""
        for task in tuple(self._tasks):
            task.cancel()
