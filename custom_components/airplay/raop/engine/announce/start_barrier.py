"""Starts one announcement on several streams at the same instant."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ..pacing.pacer import Pacer

# Streams that are not ready so long after the first one start later, or not at all.
_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """How one stream starts; both functions run on the pacing thread."""

    # Returns the soonest instant at which the stream can play the first word.
    soonest_ns: Callable[[], int]
    # Places the announcement at an instant; returns False if its line has ended.
    place: Callable[[int], bool]


class StartBarrier:
    """Waits until all streams are ready, and places the announcement on all at once.

    That is one job on the pacing thread, which sends for all streams: no stream can
    miss the instant while another one is asked.
    """

    def __init__(self, count: int, pacer: Pacer) -> None:
        self._awaited = count
        self._pacer = pacer
        self._ready: list[Start] = []
        self._is_complete = asyncio.Event()
        self._placing: asyncio.Task[dict[Start, bool]] | None = None

    async def begin(self, start: Start) -> bool:
        """Wait for the other streams, and start with them or, if late, alone.

        Returns what `start.place` has returned.
        """
        if self._placing:
            return await self._pacer.run(lambda: _place([start])[start])
        self._ready.append(start)
        self.leave()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._is_complete.wait()
        except TimeoutError:
            self._is_complete.set()
        except asyncio.CancelledError:
            self._ready.remove(start)
            raise
        if self._placing is None:
            ready = self._ready
            self._placing = asyncio.create_task(self._pacer.run(lambda: _place(ready)))
        return (await asyncio.shield(self._placing))[start]

    def leave(self) -> None:
        """Stop being awaited by the other streams."""
        self._awaited -= 1
        if self._awaited <= 0:
            self._is_complete.set()


def _place(starts: list[Start]) -> dict[Start, bool]:
    at_ns = max(each.soonest_ns() for each in starts)
    return {each: each.place(at_ns) for each in starts}
