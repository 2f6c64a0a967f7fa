"""Work on what comes from outside, a little in each turn of the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable

from homeassistant.core import callback

_MOST_IN_TURN_S = 0.01
_MOST_WAITING = 4096


class Turns:
    """Runs jobs in order: at once, or in later turns if they take more than 10 ms.

    If more than 4096 wait, the oldest ones are dropped.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Initialize without jobs."""
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque(maxlen=_MOST_WAITING)
        self._spent_s = 0.0
        self._next: asyncio.Handle | None = None

    @callback
    def async_run(self, job: Callable[[], None]) -> None:
        """Run a job after those that wait."""
        self._waiting.append(job)
        self._async_work()

    @callback
    def async_close(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
        if self._next:
            self._next.cancel()

    @callback
    def _async_turn(self) -> None:
        self._next = None
        self._spent_s = 0.0
        if self._waiting:
            self._async_work()

    @callback
    def _async_work(self) -> None:
        if self._next is None:
            self._next = self._loop.call_soon(self._async_turn)
        while self._waiting and self._spent_s < _MOST_IN_TURN_S:
            job = self._waiting.popleft()
            began = self._loop.time()
            try:
                job()
            finally:
                self._spent_s += self._loop.time() - began
