"""Things that all entries share: made by the first user, closed by the last."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey


class Closable(Protocol):
    """Something that holds tasks, sockets or processes."""

    async def async_close(self) -> None:
        """Let go of everything."""


@dataclass(slots=True)
class Holding[T: Closable]:
    """The one instance within a Home Assistant, and how many use it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    value: T | None = None


class Shared[T: Closable]:
    """A lending desk for one instance per Home Assistant."""

    def __init__(
        self,
        key: HassKey[Holding[T]],
        make: Callable[[HomeAssistant], Awaitable[T]],
    ) -> None:
        """Take the place to keep the instance in and the way to make it."""
        self._key = key
        self._make = make

    @asynccontextmanager
    async def borrow(self, hass: HomeAssistant) -> AsyncIterator[T]:
        """Lend the instance; it lives while somebody uses it."""
        holding = hass.data.setdefault(self._key, Holding())
        async with holding.lock:
            if (value := holding.value) is None:
                value = holding.value = await self._make(hass)
            holding.users += 1
        try:
            yield value
        finally:
            async with holding.lock:
                holding.users -= 1
                if not holding.users:
                    holding.value = None
                    await value.async_close()

    def peek(self, hass: HomeAssistant) -> T | None:
        """Return the instance if somebody uses it now."""
        holding = hass.data.get(self._key)
        return holding.value if holding else None
