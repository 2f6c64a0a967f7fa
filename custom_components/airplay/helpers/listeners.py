"""Collections of callbacks."""

from collections.abc import Callable
from functools import partial

from homeassistant.core import CALLBACK_TYPE, callback


class Listeners[**P]:
    """Calls listeners in the order they were added; calls may add and remove some."""

    def __init__(self) -> None:
        """Initialize without listeners."""
        self._listeners: list[Callable[P, None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    @callback
    def async_add(self, listener: Callable[P, None]) -> CALLBACK_TYPE:
        """Add a listener; return a function that removes it."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    @callback
    def async_notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all listeners."""
        for listener in [*self._listeners]:
            listener(*args, **kwargs)


class KeyedListeners[**P]:
    """Listeners grouped by key."""

    def __init__(self) -> None:
        """Initialize without listeners."""
        self._by_key: dict[str, Listeners[P]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    @callback
    def async_add(self, key: str, listener: Callable[P, None]) -> CALLBACK_TYPE:
        """Add a listener; return a function that removes it."""
        listeners = self._by_key.setdefault(key, Listeners())
        forget = listeners.async_add(listener)

        def leave() -> None:
            forget()
            if not listeners:
                del self._by_key[key]

        return leave

    @callback
    def async_notify(self, key: str, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the listeners of one key."""
        if listeners := self._by_key.get(key):
            listeners.async_notify(*args, **kwargs)

    @callback
    def async_notify_all(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the listeners of all keys."""
        for key in [*self._by_key]:
            self.async_notify(key, *args, **kwargs)
