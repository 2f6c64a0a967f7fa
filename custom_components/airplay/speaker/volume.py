"""How loud one receiver shall be: its level, muting, and the most it may have."""

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
    """Levels from 0 to 1, on no path above the maximum.

    Until somebody has set a level, or one was restored, the receiver is asked for its
    own at the first session; one that does not tell gets the default.
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
        """Begin with a guess."""
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
        """Return the level."""
        return self._owner.level

    @property
    def is_muted(self) -> bool:
        """Whether it is muted, which leaves the level as it is."""
        return self._owner.is_muted

    @property
    def is_known(self) -> bool:
        """Whether the level is more than a guess."""
        return self._owner.is_known

    @property
    def maximum(self) -> float:
        """Return the most that is allowed."""
        return self._owner.maximum

    @property
    def origin(self) -> Origin:
        """Return where the level comes from that is heard."""
        if self._announced is not None:
            return Origin.ANNOUNCEMENT
        return self._owner.origin

    @property
    def known_level(self) -> float | None:
        """Return the level unless it is only a guess."""
        return self.level if self.is_known else None

    @callback
    def async_set_announced(self, level: float | None) -> None:
        """Note the level of an announcement that sounds, None when it is over.

        The sender sets the level from before it back.
        """
        if level is not None:
            self._owner.hold(level)
        elif self._announced is not None:
            self._owner.release(self._now_s)
        self._announced = level

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the level or the muting changes."""
        return self._listeners.async_add(listener)

    @callback
    def async_restore(self, level: float | None, *, is_muted: bool) -> None:
        """Take up what was known before a restart."""
        if level is not None:
            self._owner.restore(level, is_muted=is_muted)
            self._listeners.async_notify()

    async def async_set(self, level: float, *, is_muted: bool, origin: Origin) -> None:
        """Set the level at once; an idle receiver is told when it plays.

        Raises RaopError: when the receiver cannot be told.
        """
        self._owner.order(level, is_muted=is_muted, origin=origin, now_s=self._now_s)
        await self._async_settle()

    @callback
    def async_cap(self, level: float) -> None:
        """Lower the level where it is above another, or not known."""
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
        """Make it louder or quieter, as its own buttons ask.

        Raises RaopError: when the receiver cannot be told.
        """
        level = round(min(max(self.level + by, 0.0), 1.0), 4)
        await self.async_set(level, is_muted=self.is_muted, origin=Origin.DEVICE)

    async def async_limit(self, maximum: float) -> None:
        """Set the maximum; what is louder now is lowered, and stays so.

        Raises RaopError: when the receiver cannot be told.
        """
        is_lowered = self._owner.limit(maximum, self._now_s)
        if not is_lowered and (self._announced or 0) > maximum and self.is_known:
            # What is written ends the announcement's own level.
            self._owner.write_again(self._now_s)
        await self._async_settle()

    @property
    def _now_s(self) -> float:
        return self._hass.loop.time()

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Take what the sender finds out of the receiver and of its stream."""
        match event:
            case VolumeFound():
                if self.is_known and self._announced is not None:
                    # What is sent now would end the announcement's own level.
                    return
                self._async_find(event)
            case MemberChanged(state="started") if not self.is_known:
                # It does not tell its level, which may be any.
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
        """Take the level of the receiver; the other one of a pair is told it."""
        if event.receiver == self._device.receiver.id:
            self._owner.find(round(event.volume / 100, 4), self._now_s)
        if self.is_known and self._device.partner:
            self._owner.write_again(self._now_s)

    @callback
    def _async_hear(self, event: RemoteCommand) -> bool:
        """Take a receiver's word; return whether it counts."""
        level = None if event.value is None else round(event.value / 100, 4)
        owner, now_s = self._owner, self._now_s
        owner.reports_previous = self._device.receiver.manufacturer == "Apple"
        match event.command:
            case Button.VOLUME_REPORT:
                is_changed = owner.report(level, now_s)
            case Button.VOLUME_SET:
                is_changed = owner.report(level, now_s, is_wish=True)
            case Button.VOLUME_RELATIVE if level is not None:
                # Its share of the sender's level, which here is its own.
                is_changed = owner.report(level * self.level, now_s, is_wish=True)
            case _:
                return False
        return is_changed or owner.due_s is not None

    @callback
    def _async_settle_soon(self, *_: object) -> None:
        """Write what is due behind everything else."""
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
            _LOGGER.debug("%s keeps its volume: %s", self._device.name, error)

    async def _async_settle(self) -> None:
        """Write what is due, and show it; come back for what is due later.

        It is sent before it is shown: a level that is too loud must not be heard.
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
