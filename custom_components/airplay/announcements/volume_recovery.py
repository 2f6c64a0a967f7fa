"""Restores the user's volume on a receiver that was left at that of an announcement."""

from collections.abc import Callable
from datetime import datetime
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..raop.api import RaopError, RestoreVolume
from ..sender.sender import Sender
from ..speaker.speaker import Speaker

_LOGGER = logging.getLogger(__name__)

# After these, a receiver is not retried until it reappears on the network.
RETRY_S = (0, 5, 15, 60, 300)


class VolumeRecovery:
    """Retries to restore a speaker's volume."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        speaker: Speaker,
        sender: Sender,
        *,
        is_allowed: Callable[[], bool],
        on_done: Callable[[], None],
    ) -> None:
        """Initialize without a volume to restore."""
        self._hass = hass
        self._entry = entry
        self._speaker = speaker
        self._device = device = speaker.device
        self._sender = sender
        self._is_allowed = is_allowed
        self._on_done = on_done
        self._is_wanted = False
        self._is_trying = False
        self._was_there = device.is_available
        self._tries = 0
        self._forget: CALLBACK_TYPE | None = None
        entry.async_on_unload(device.async_listen(self._async_heard_of))
        entry.async_on_unload(self.async_stop)

    @callback
    def async_start(self) -> None:
        """Start trying, unless already started."""
        if not self._is_wanted:
            self._is_wanted = True
            self._tries = 0
            self._async_later()

    @callback
    def async_stop(self) -> None:
        """Stop trying."""
        self._is_wanted = False
        self._async_forget()

    @callback
    def _async_forget(self) -> None:
        if self._forget:
            self._forget()
            self._forget = None

    @callback
    def _async_later(self) -> None:
        self._async_forget()
        if self._tries < len(RETRY_S):
            delay_s = RETRY_S[self._tries]
            self._tries += 1
            self._forget = async_call_later(self._hass, delay_s, self._async_due)

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._forget = None
        if not self._is_trying:
            self._entry.async_create_background_task(
                self._hass, self._async_try(), f"airplay level of {self._device.name}"
            )

    async def _async_try(self) -> None:
        self._is_trying = True
        try:
            is_done = await self._async_restore()
        finally:
            self._is_trying = False
        if not self._is_wanted:
            return
        if is_done:
            self._is_wanted = False
            self._on_done()
        else:
            self._async_later()

    async def _async_restore(self) -> bool:
        volume = self._speaker.volume
        if volume.known_level is None:
            # The volume was never set, so none was raised.
            return True
        if not self._is_allowed():
            return False
        self._speaker.async_set_own_session(is_open=True)
        try:
            stream = self._speaker.player.members.stream
            await self._sender.async_request_each(
                RestoreVolume(stream=stream, member=each)
                for each in self._speaker.members
            )
        except RaopError as error:
            _LOGGER.debug(
                "Could not restore the volume of %s: %s", self._device.name, error
            )
            return False
        finally:
            self._speaker.async_set_own_session(is_open=False)
        _LOGGER.info("Restored the volume of %s", self._device.name)
        return True

    @callback
    def _async_heard_of(self) -> None:
        is_back = self._device.is_available and not self._was_there
        self._was_there = self._device.is_available
        if is_back and self._is_wanted:
            self._tries = 0
            self._async_later()
