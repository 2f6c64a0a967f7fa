"""Repair notices about the way in which a receiver lets Home Assistant play."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_CREDENTIALS
from ..helpers.issues import FORCED_WAY, UNLOCKED, RepairNotice
from ..helpers.settings import Settings
from ..raop.api import (
    PtpUnavailableError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnlockedError,
    UnsupportedReceiverError,
)

# Errors that another way to play may not have.
_ABOUT_THE_WAY = (
    PtpUnavailableError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverSilentError,
    UnsupportedReceiverError,
)


class AccessNotices:
    """Explains why a receiver does not play, if the user has to choose something."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Withdraw what no longer applies to the entry."""
        self._entry = entry
        self.forced_lane = Settings.from_entry(entry).forced_lane
        self._forced = RepairNotice(hass, FORCED_WAY, entry.entry_id)
        self._unlocked = RepairNotice(hass, UNLOCKED, entry.entry_id, is_fixable=True)
        if not self.forced_lane:
            self._forced.async_withdraw()
        if not entry.data.keys() & {CONF_PASSWORD, CONF_CREDENTIALS}:
            self._unlocked.async_withdraw()

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Handle the error that prevented playback."""
        name = {"name": self._entry.title}
        if self.forced_lane and isinstance(error, _ABOUT_THE_WAY):
            self._forced.async_show(name)
        if isinstance(error, ReceiverUnlockedError):
            self._unlocked.async_show(name)

    @callback
    def async_played(self) -> None:
        """Withdraw all, because the receiver plays."""
        self._forced.async_withdraw()
        self._unlocked.async_withdraw()
