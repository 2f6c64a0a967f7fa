"""Wait for states of an entity and for lines of the log."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any, override

import pytest

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, State, callback
from tests.ha.players import state_of


class Watch:
    """All states of an entity from now on."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        """Start to watch."""
        self._hass = hass
        self.entity_id = entity_id
        self._check: Callable[[], None] = lambda: None
        self.states = [state_of(hass, entity_id)]
        self._stop = hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)

    async def until(
        self, predicate: Callable[[State], bool], timeout_s: float = 20
    ) -> State:
        """Wait until the entity's state is as expected."""
        found = self._hass.loop.create_future()

        def check() -> None:
            if not found.done() and predicate(self.states[-1]):
                found.set_result(self.states[-1])

        self._check = check
        check()
        async with asyncio.timeout(timeout_s):
            state: State = await found
        return state

    async def until_is(self, state: str) -> State:
        """Wait until the entity is in a state."""
        return await self.until(lambda now: now.state == state)

    @property
    def names(self) -> list[str]:
        """Return the states, without repetitions."""
        names = [each.state for each in self.states]
        return [
            name for at, name in enumerate(names) if not at or names[at - 1] != name
        ]

    @callback
    def _changed(self, event: Event[Any]) -> None:
        if event.data["entity_id"] == self.entity_id and event.data["new_state"]:
            self.states.append(event.data["new_state"])
            self._check()


async def logged(caplog: pytest.LogCaptureFixture, text: str, count: int = 1) -> None:
    """Wait until the integration has logged something so often."""
    loop, found = asyncio.get_running_loop(), asyncio.Event()
    # By identity: a record that is just being written comes from both.
    said: dict[int, logging.LogRecord] = {}

    class Waiter(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(check, record)

    def check(*records: logging.LogRecord) -> None:
        said.update((id(record), record) for record in records)
        if sum(text in record.getMessage() for record in said.values()) >= count:
            found.set()

    waiter = Waiter()
    logger = logging.getLogger("custom_components.airplay")
    logger.addHandler(waiter)
    try:
        check(*caplog.records)
        async with asyncio.timeout(15):
            await found.wait()
    finally:
        logger.removeHandler(waiter)
