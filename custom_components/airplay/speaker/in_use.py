"""Whether a receiver plays for another sender, from all its reports."""

import asyncio
from collections.abc import Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, callback

from ..discovery.device import AirPlayDevice
from ..helpers.listeners import Listeners
from ..raop.api import (
    Button,
    MemberChanged,
    ReceiverBusyError,
    ReceiverTakenError,
    RemoteCommand,
    StreamChanged,
)
from ..sender.events import SenderDied, SenderEvent

_LONGEST_WAIT_S = 600
_TAKEN = (ReceiverBusyError.code, ReceiverTakenError.code)
_SWITCHES: dict[str, bool] = {Button.SWITCHED_AWAY: True, Button.SWITCHED_BACK: False}


class InUseElsewhere:
    """Follows a receiver's refusals, its source switch, and its record.

    Many receivers never announce an active session in their record. After a session of
    this sender, the record counts only once it has shown the end of that session.
    """

    def __init__(
        self,
        entry: ConfigEntry,
        device: AirPlayDevice,
        *,
        is_idle: Callable[[], bool],
    ) -> None:
        """Initialize from the record, as no session of this sender exists yet."""
        self._device = device
        self._is_idle = is_idle
        self._listeners = Listeners[[]]()
        self._is_busy = False
        self._is_switched_away = False
        # Until a session of this sender begins, or the record shows that of another end.
        self._is_taken = False
        self._was_active = False
        self._is_ours = False
        self._was_in_use = False
        self._changed = asyncio.Event()
        entry.async_on_unload(device.async_listen(self._async_look))

    @property
    def is_in_use(self) -> bool:
        """Whether it is in use elsewhere."""
        by_record = self._is_idle() and not self._is_ours and self._is_active
        is_elsewhere = self._is_switched_away or self._is_taken
        return self._is_busy or is_elsewhere or by_record

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call when the use elsewhere starts or ends."""
        return self._listeners.async_add(listener)

    async def async_wait(self) -> None:
        """Wait until its record announces that it is free, or until a timeout."""
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                while self._is_active and not self._is_ours:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    @callback
    def async_left(self) -> None:
        """Forget a refusal, because the refused request is over."""
        self._is_busy = False
        self.async_update()

    @property
    def _is_active(self) -> bool:
        return self._device.receiver.has_session

    @callback
    def _async_look(self) -> None:
        if not self._is_active and self._is_idle():
            self._is_ours = False
        if self._was_active and not self._is_active:
            self._is_taken = False
        self._was_active = self._is_active
        self._changed.set()
        self.async_update()

    @callback
    def async_update(self) -> None:
        """Notify listeners if the use has changed, also by this sender's own playback."""
        if self.is_in_use != self._was_in_use:
            self._was_in_use = not self._was_in_use
            self._listeners.async_notify()

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Update the use from an event of the receiver or its stream."""
        match event:
            case SenderDied() | StreamChanged(state="ended"):
                self._is_busy = False
            case MemberChanged():
                self._is_busy = event.state == "busy" or event.code in _TAKEN
                # A stream ends with it if the speaker plays alone.
                self._is_taken |= event.code == ReceiverTakenError.code
                if event.state == "connected":
                    self._is_switched_away = self._is_taken = False
                    self._is_ours = True
            case RemoteCommand():
                if event.command in _SWITCHES:
                    self._is_switched_away = _SWITCHES[event.command]
        self.async_update()
