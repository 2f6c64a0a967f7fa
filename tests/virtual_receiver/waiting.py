"""Waiting for something to become true, without guessing how long."""

import asyncio
from collections.abc import Callable
import contextlib


class Waiters:
    """Wake all waiters at every change and whenever a frame is due."""

    def __init__(self, next_due_s: Callable[[], float | None]) -> None:
        """Use a function that returns the seconds until the next event."""
        self._next_due_s = next_due_s
        self._changes: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Report that something has changed."""
        for change in self._changes:
            if not change.done():
                change.set_result(None)

    async def wait(self, predicate: Callable[[], bool], timeout_s: float) -> None:
        """Wait until a predicate is true; raise TimeoutError when it never is."""
        async with asyncio.timeout(timeout_s):
            while not predicate():
                await self._change()

    async def _change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._changes.add(change)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._next_due_s()):
                    await change
        finally:
            self._changes.discard(change)
