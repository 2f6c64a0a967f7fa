"""Whether a speaker can be used, or plays now."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, callback

from ..helpers.listeners import Listeners


class Availability:
    """Follows what it depends on, and calls its listeners only when it changes."""

    def __init__(self, is_available: Callable[[], bool]) -> None:
        """Begin with what holds now; `is_available` works it out anew."""
        self._find = is_available
        self._listeners = Listeners[[]]()
        self.is_available = is_available()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call when it is available again, or no more."""
        return self._listeners.async_add(listener)

    @callback
    def async_update(self) -> None:
        """Work it out anew, because something has changed that it depends on."""
        is_available = self._find()
        if is_available != self.is_available:
            self.is_available = is_available
            self._listeners.async_notify()
