"""Background tasks of a session, which end with it."""

import asyncio
from collections.abc import Coroutine


class BackgroundTasks:
    """Holds tasks until they are done or canceled together; event loop.

    A session begins in one call and ends in another, so a task group cannot span it.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Cancel all unfinished tasks; may be called again."""
        for task in tuple(self._tasks):
            task.cancel()
