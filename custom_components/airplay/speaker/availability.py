"""Whether a speaker is available."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, callback

from ..helpers.listeners import Listeners


class Availability:
    """Tracks the availability, and calls its listeners only when that changes."""

    def __init__(self, is_available: Callable[[], bool]) -> None:
        """Initialize with the current value of `is_available`."""
        self._find = is_available
        self._listeners = Listeners[[]]()
        self.is_available = is_available()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call when the speaker becomes available or unavailable."""
        return self._listeners.async_add(listener)

    @callback
    def async_update(self) -> None:
        """Evaluate the availability again after a change."""
        is_available = self._find()
        if is_available != self.is_available:
            self.is_available = is_available
            self._listeners.async_notify()
