"""Instances that all entries share: created by the first user, closed by the last."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant
from homeassistant.util.hass_dict import HassKey


class Closable(Protocol):
    """An object that owns tasks, sockets, or processes."""

    async def async_close(self) -> None:
        """Release everything."""


@dataclass(slots=True)
class Holding[T: Closable]:
    """The only instance within a Home Assistant, and its number of users."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    value: T | None = None
    forget_stop: CALLBACK_TYPE | None = None

    async def async_close(self) -> None:
        """Close the instance, which must no longer be used."""
        value, self.value = self.value, None
        if self.forget_stop:
            self.forget_stop()
            self.forget_stop = None
        if value is not None:
            await value.async_close()


class SharedInstance[T: Closable]:
    """One instance per Home Assistant, created for the first user, closed by the last."""

    def __init__(
        self,
        key: HassKey[Holding[T]],
        make: Callable[[HomeAssistant], Awaitable[T]],
    ) -> None:
        """Initialize with the storage key and the factory of the instance."""
        self._key = key
        self._make = make

    def current(self, hass: HomeAssistant) -> T | None:
        """Return the instance if there is one now, without using it."""
        holding = hass.data.get(self._key)
        return holding.value if holding else None

    @asynccontextmanager
    async def acquire(self, hass: HomeAssistant) -> AsyncIterator[T]:
        """Yield the instance, which lives while any such context is open."""
        holding = hass.data.setdefault(self._key, Holding())
        async with holding.lock:
            if (value := holding.value) is None:
                value = holding.value = await self._make(hass)
                holding.forget_stop = self._close_at_stop(hass, holding)
            holding.users += 1
        try:
            yield value
        finally:
            async with holding.lock:
                holding.users -= 1
                if not holding.users:
                    await holding.async_close()

    def _close_at_stop(self, hass: HomeAssistant, holding: Holding[T]) -> CALLBACK_TYPE:
        """Close at shutdown, because Home Assistant does not unload entries then."""

        async def stop(_event: Event) -> None:
            holding.forget_stop = None
            await holding.async_close()

        return hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop)
