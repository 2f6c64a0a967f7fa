"""The only way to play that the user permits, and the notice if it does not play."""

from collections.abc import Awaitable, Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..helpers.background import Background
from ..helpers.issues import FORCED_WAY, RepairNotice
from ..helpers.settings import Settings
from ..raop.api import (
    PtpUnavailableError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnreachableError,
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


class ForcedWay:
    """The lane that the user has chosen, if any, with its repair notice."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        probe: Callable[[], Awaitable[object]],
    ) -> None:
        """Initialize from the options; `probe` finds out whether any way answers."""
        self.lane = Settings.from_entry(entry).forced_lane
        self._name = entry.title
        self._probe = probe
        self._background = Background(hass)
        self._notice = RepairNotice(hass, FORCED_WAY, entry.entry_id)
        if not self.lane:
            self._notice.async_withdraw()
        entry.async_on_unload(self._background.async_cancel)

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Show the notice if another way may not have the error that prevented playback.

        A receiver that does not answer by this way may answer by another one.
        """
        if not self.lane:
            return
        if isinstance(error, _ABOUT_THE_WAY):
            self._async_show()
        elif isinstance(error, ReceiverUnreachableError):
            self._background.async_run(self._async_ask(), f"probe of {self._name}")

    @callback
    def async_played(self) -> None:
        """Withdraw the notice."""
        self._background.async_cancel()
        self._notice.async_withdraw()

    async def _async_ask(self) -> None:
        try:
            await self._probe()
        except RaopError:
            return
        self._async_show()

    @callback
    def _async_show(self) -> None:
        self._notice.async_show({"name": self._name})
