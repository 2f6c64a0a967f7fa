"""Repair notices about the way in which a receiver lets Home Assistant play."""

from collections.abc import Awaitable, Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_CREDENTIALS
from ..helpers.issues import UNLOCKED, RepairNotice
from ..raop.api import RaopError, ReceiverUnlockedError
from .forced_way import ForcedWay


class AccessNotices:
    """Explains why a receiver does not play, if the user has to choose something."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        probe: Callable[[], Awaitable[object]],
    ) -> None:
        """Withdraw what no longer applies to the entry; see `ForcedWay` for `probe`."""
        self._name = entry.title
        self._forced = ForcedWay(hass, entry, probe)
        # The only way to play that the user permits.
        self.forced_lane = self._forced.lane
        self._unlocked = RepairNotice(hass, UNLOCKED, entry.entry_id, is_fixable=True)
        if not entry.data.keys() & {CONF_PASSWORD, CONF_CREDENTIALS}:
            self._unlocked.async_withdraw()

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Handle the error that prevented playback."""
        self._forced.async_failed(error)
        if isinstance(error, ReceiverUnlockedError):
            self._unlocked.async_show({"name": self._name})

    @callback
    def async_played(self) -> None:
        """Withdraw all, because the receiver plays."""
        self._forced.async_played()
        self._unlocked.async_withdraw()
