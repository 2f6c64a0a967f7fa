"""A limit on how often something is done."""

from collections.abc import Callable
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

_BURST = 10
_PERIOD_S = 0.5


class Throttle:
    """Does something at once, ten times in a row, and then every half second.

    The last of many requests is always followed by the action.
    """

    def __init__(self, hass: HomeAssistant, action: Callable[[], None]) -> None:
        """Initialize without requests."""
        self._hass = hass
        self._action = action
        # When the burst is all available again, by the time of the event loop.
        self._rested_at = 0.0
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def async_request(self) -> None:
        """Do it now, or as soon as it may be done."""
        if self._timer:
            return
        now = self._hass.loop.time()
        wait_s = self._rested_at - now - (_BURST - 1) * _PERIOD_S
        if wait_s > 0:
            self._timer = async_call_later(self._hass, wait_s, self._async_elapsed)
            return
        self._rested_at = max(self._rested_at, now) + _PERIOD_S
        self._action()

    @callback
    def async_cancel(self) -> None:
        """Forget a request that waits."""
        if self._timer:
            self._timer()
            self._timer = None

    @callback
    def _async_elapsed(self, _now: datetime) -> None:
        self._timer = None
        self._rested_at = self._hass.loop.time() + _BURST * _PERIOD_S
        self._action()
