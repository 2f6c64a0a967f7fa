"""How long Home Assistant's event loop is held at once by what comes from outside."""

import asyncio
import time

HELD_S = 0.1


class Held:
    """How long the loop was held at once, in CPU time of its thread.

    Other programs on this machine may hold it longer.
    """

    def __init__(self) -> None:
        """Start to measure."""
        self.longest_s = 0.0
        self._task = asyncio.create_task(self._measure())

    async def stop(self) -> float:
        """Return the longest time."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.longest_s

    async def _measure(self) -> None:
        while True:
            began = time.thread_time()
            # Once in every turn of the loop, so that none is missed.
            await asyncio.sleep(0)
            self.longest_s = max(self.longest_s, time.thread_time() - began)
