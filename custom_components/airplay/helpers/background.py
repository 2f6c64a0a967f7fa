"""Tasks of something that may end before Home Assistant, and they with it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.core import HomeAssistant, callback


class Background:
    """Runs what nobody waits for."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing to do."""
        self._hass = hass
        self._tasks: set[asyncio.Task[None]] = set()

    @callback
    def async_run(
        self, target: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Have something done; `name` is what logs call it."""
        task = self._hass.async_create_background_task(target, f"airplay {name}")
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    @callback
    def async_cancel(self) -> None:
        """End what is not done yet."""
        for task in [*self._tasks]:
            task.cancel()
