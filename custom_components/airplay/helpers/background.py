"""Background tasks that end with their owner, before Home Assistant does."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.core import HomeAssistant, callback


class Background:
    """Runs tasks that no caller awaits."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without tasks."""
        self._hass = hass
        self._tasks: set[asyncio.Task[None]] = set()

    @callback
    def async_run(
        self, target: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Start a task; `name` identifies it in logs."""
        task = self._hass.async_create_background_task(target, f"airplay {name}")
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    @callback
    def async_cancel(self) -> None:
        """Cancel the tasks that are still running."""
        for task in [*self._tasks]:
            task.cancel()
