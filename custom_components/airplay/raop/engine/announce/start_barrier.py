"""The barrier at which streams agree on the instant of a shared announcement."""

import asyncio

# A stream that is not ready this long after the first begins later, or not at all.
_PATIENCE_S = 3.0
# From the agreement to the first packets that depend on it.
_MARGIN_NS = 100_000_000


class StartBarrier:
    """Opens when each of `count` streams has arrived or left, or after a timeout."""

    def __init__(self, count: int) -> None:
        self._awaited = count
        self._is_alone = count == 1
        self._latest_ns = 0
        self._is_over = asyncio.Event()

    async def instant(self, soonest_ns: int) -> int:
        """Offer the soonest possible instant; return the one that suits all streams."""
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
        """Stop being awaited by the other streams."""
        self._awaited -= 1
        if self._awaited <= 0:
            self._is_over.set()
