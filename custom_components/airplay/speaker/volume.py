"""The volume of one receiver: its value, muting, and maximum."""

from collections.abc import Callable
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import DEFAULT_VOLUME
from ..discovery.device import AirPlayDevice
from ..helpers.listeners import Listeners
from ..player.origin import Origin
from ..raop.api import (
    Button,
    MemberChanged,
    RaopError,
    RemoteCommand,
    SetVolume,
    VolumeFound,
)
from ..sender.events import SenderEvent
from ..sender.sender import Sender
from .volume_owner import OwnedLevel, VolumeOwner

_LOGGER = logging.getLogger(__name__)


class SpeakerVolume:
    """A volume from 0 to 1, never above the maximum.

    Unless a volume was set or restored, the first session asks the receiver for its
    own; a receiver that does not report one gets the default.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        device: AirPlayDevice,
        sender: Sender,
        *,
        is_idle: Callable[[], bool],
    ) -> None:
        """Initialize with a guess."""
        self._hass = hass
        self._entry = entry
        self._device = device
        self._sender = sender
        self._is_idle = is_idle
        self._listeners = Listeners[[]]()
        self._owner = VolumeOwner(DEFAULT_VOLUME)
        self._announced: float | None = None
        self._waiting: CALLBACK_TYPE | None = None
        entry.async_on_unload(self._async_stop_waiting)

    @property
    def level(self) -> float:
        """Return the volume."""
        return self._owner.level

    @property
    def is_muted(self) -> bool:
        """Whether it is muted, which leaves the volume unchanged."""
        return self._owner.is_muted

    @property
    def is_known(self) -> bool:
        """Whether the volume is more than a guess."""
        return self._owner.is_known

    @property
    def maximum(self) -> float:
        """Return the maximum volume."""
        return self._owner.maximum

    @property
    def origin(self) -> Origin:
        """Return the origin of the audible volume."""
        if self._announced is not None:
            return Origin.ANNOUNCEMENT
        return self._owner.origin

    @property
    def known_level(self) -> float | None:
        """Return the volume unless it is only a guess."""
        return self.level if self.is_known else None

    @callback
    def async_set_announced(self, level: float | None) -> None:
        """Record the volume of a running announcement, None when it is over.

        The sender restores the previous volume.
        """
        if level is not None:
            self._owner.hold(level)
        elif self._announced is not None:
            self._owner.release(self._now_s)
        self._announced = level

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the volume or the muting changes."""
        return self._listeners.async_add(listener)

    @callback
    def async_restore(self, level: float | None, *, is_muted: bool) -> None:
        """Restore the volume from before a restart."""
        if level is not None:
            self._owner.restore(level, is_muted=is_muted)
            self._listeners.async_notify()

    async def async_set(self, level: float, *, is_muted: bool, origin: Origin) -> None:
        """Set the volume at once; an idle receiver gets it when it plays.

        Raises RaopError: when the command to the receiver fails.
        """
        self._owner.order(level, is_muted=is_muted, origin=origin, now_s=self._now_s)
        await self._async_settle()

    @callback
    def async_cap(self, level: float) -> None:
        """Lower the volume to a limit if it is above it or unknown."""
        if self.is_known and self.level <= level:
            return
        self._owner.order(
            min(self.level, level),
            is_muted=self.is_muted,
            origin=Origin.LIMIT,
            now_s=self._now_s,
        )
        self._async_settle_soon()

    async def async_step(self, by: float) -> None:
        """Change the volume by a step of the receiver's own buttons.

        Raises RaopError: when the command to the receiver fails.
        """
        level = round(min(max(self.level + by, 0.0), 1.0), 4)
        await self.async_set(level, is_muted=self.is_muted, origin=Origin.DEVICE)

    async def async_limit(self, maximum: float) -> None:
        """Set the maximum; a louder volume is lowered permanently.

        Raises RaopError: when the command to the receiver fails.
        """
        is_lowered = self._owner.limit(maximum, self._now_s)
        if not is_lowered and (self._announced or 0) > maximum and self.is_known:
            # Any write replaces the volume of the announcement.
            self._owner.write_again(self._now_s)
        await self._async_settle()

    @property
    def _now_s(self) -> float:
        return self._hass.loop.time()

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Update the volume from an event of the receiver or its stream."""
        match event:
            case VolumeFound():
                if self.is_known and self._announced is not None:
                    # A write now would replace the volume of the announcement.
                    return
                self._async_find(event)
            case MemberChanged(state="started") if not self.is_known:
                # It does not report its volume, which may be any.
                self._owner.order(
                    self.level,
                    is_muted=False,
                    origin=Origin.DEFAULT,
                    now_s=self._now_s,
                )
            case MemberChanged(state="started"):
                self._owner.sent(self._now_s)
            case RemoteCommand():
                if not self._async_hear(event):
                    return
            case _:
                return
        self._async_settle_soon()

    @callback
    def _async_find(self, event: VolumeFound) -> None:
        """Accept the volume of the receiver; send it to the other one of a pair."""
        if event.receiver == self._device.receiver.id:
            self._owner.find(round(event.volume / 100, 4), self._now_s)
        if self.is_known and self._device.partner:
            self._owner.write_again(self._now_s)

    @callback
    def _async_hear(self, event: RemoteCommand) -> bool:
        """Process a receiver's volume report; return whether it has an effect."""
        level = None if event.value is None else round(event.value / 100, 4)
        owner, now_s = self._owner, self._now_s
        owner.reports_previous = self._device.receiver.is_apples
        match event.command:
            case Button.VOLUME_REPORT:
                is_changed = owner.report(level, now_s)
            case Button.VOLUME_SET:
                is_changed = owner.report(level, now_s, is_wish=True)
            case Button.VOLUME_RELATIVE if level is not None:
                # A share of the sender's volume, which here is the receiver's own.
                is_changed = owner.report(level * self.level, now_s, is_wish=True)
            case _:
                return False
        return is_changed or owner.due_s is not None

    @callback
    def _async_settle_soon(self, *_: object) -> None:
        """Write a due change in the background."""
        self._waiting = None
        self._entry.async_create_background_task(
            self._hass,
            self._async_correct(),
            f"airplay volume {self._device.name}",
        )

    async def _async_correct(self) -> None:
        try:
            await self._async_settle()
        except RaopError as error:
            _LOGGER.debug(
                "Could not set the volume of %s: %s", self._device.name, error
            )

    async def _async_settle(self) -> None:
        """Write a due change and show it; schedule one that is due later.

        Send before showing, so that an excessive volume is corrected first.
        """
        self._async_stop_waiting()
        level = self._owner.poll(self._now_s)
        if (due_s := self._owner.due_s) is not None:
            self._waiting = async_call_later(
                self._hass, max(due_s - self._now_s, 0.0), self._async_settle_soon
            )
        if level is None or self._is_idle():
            self._listeners.async_notify()
            return
        try:
            await self._async_send(level)
        except RaopError:
            self._listeners.async_notify()
            raise

    async def _async_send(self, level: OwnedLevel) -> None:
        commands = (
            SetVolume(receiver=each.id, volume=level.level * 100, muted=level.is_muted)
            for each in self._device.receivers
        )
        await self._sender.async_request_each(
            commands, on_sent=self._listeners.async_notify
        )

    @callback
    def _async_stop_waiting(self) -> None:
        if self._waiting:
            self._waiting()
            self._waiting = None
