"""Where streams that shall be heard together agree on an instant."""

import asyncio

# Who is not ready so long after the first comes later, or not at all.
_PATIENCE_S = 3.0
# From the agreement to the packets that hold what was agreed on.
_MARGIN_NS = 100_000_000


class StartBarrier:
    """A meeting of so many; it is over when all have come or gone, or it takes too long."""

    def __init__(self, count: int) -> None:
        self._awaited = count
        self._is_alone = count == 1
        self._latest_ns = 0
        self._is_over = asyncio.Event()

    async def instant(self, soonest_ns: int) -> int:
        """Come with the soonest instant possible; return the one that all can keep."""
        if self._is_over.is_set():
            return soonest_ns
        margin_ns = 0 if self._is_alone else _MARGIN_NS
        self._latest_ns = max(self._latest_ns, soonest_ns + margin_ns)
        self.leave()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._is_over.wait()
        except TimeoutError:
            self._is_over.set()
        return self._latest_ns

    def leave(self) -> None:
        """Be waited for no longer."""
        self._awaited -= 1
        if self._awaited <= 0:
            self._is_over.set()
