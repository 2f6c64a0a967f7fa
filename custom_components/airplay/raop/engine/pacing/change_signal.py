"""Wakes coroutines after a change on any thread."""

import asyncio
from collections.abc import Callable
import contextlib

from ..net import clock


class ChangeSignal:
    """Lets coroutines wait for facts that other threads and receivers change.

    Code that changes such a fact notifies afterward; code that waits for one checks it
    again after each notification. No change is lost in between, because notifications
    run on the event loop: if a fact changes after the check, its notification comes
    after `wait` has begun.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Wake all waiting coroutines; event loop only."""
        waiting, self._waiting = self._waiting, set()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def notify_threadsafe(self) -> None:
        """Wake all waiting coroutines, from any thread; no effect on a closed loop."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.notify)

    async def wait(self, until_ns: int | None = None) -> None:
        """Wait for the next notification, or until a session time if that is sooner."""
        woken: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(woken)
        timeout_s = None if until_ns is None else (until_ns - clock.now_ns()) / 1e9
        try:
            async with asyncio.timeout(timeout_s):
                await woken
        except TimeoutError:
            return
        finally:
            self._waiting.discard(woken)

    async def wait_for(self, is_true: Callable[[], bool], until_ns: int) -> bool:
        """Wait for a fact until a session time; return whether it is true."""
        while not is_true():
            if clock.now_ns() >= until_ns:
                return False
            await self.wait(until_ns)
        return True
