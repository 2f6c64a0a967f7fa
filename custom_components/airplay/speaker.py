"""One receiver as an entry knows it: where it is, and whether it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
import logging

from homeassistant.const import CONF_PASSWORD
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .const import CONF_CREDENTIALS, CONF_LANE, CONF_LANE_WORKED, CONF_MANUAL
from .models import AirPlayConfigEntry, followed, receiver_from
from .presence import Presence
from .raop.engine.probe import Probed, probe
from .raop.errors import (
    AuthenticationError,
    RaopError,
    ReceiverUnreachableError,
    TooManyTriesError,
)
from .raop.messages import Channel, Member, MemberChanged
from .raop.receiver import Receiver
from .sender import SenderEvent
from .settings import Settings

_LOGGER = logging.getLogger(__name__)

_FIRMWARE = "firmware"

_ASK_AGAIN_S = 60


@dataclass(frozen=True, slots=True)
class Tuning:
    """How it sounds beside others: when it is heard, and what of the music."""

    delay_ms: int = 0
    channel: Channel = Channel.STEREO


class Speaker:
    """Follows what mDNS says of a receiver, and keeps the entry up to date."""

    def __init__(
        self, hass: HomeAssistant, entry: AirPlayConfigEntry, presence: Presence
    ) -> None:
        """Start from what the entry and the network know."""
        self._hass = hass
        self._entry = entry
        self._listeners: list[Callable[[], None]] = []
        self._is_there = True
        self._asking: CALLBACK_TYPE | None = None
        self.tuning = Tuning()
        self.receiver = receiver_from(entry.data)
        if seen := presence.get(self.receiver.id):
            self._async_follow(seen)
        entry.async_on_unload(
            presence.async_listen(self.receiver.id, self._async_changed)
        )
        entry.async_on_unload(self._async_stop_asking)

    @property
    def name(self) -> str:
        """Return what users call it."""
        return self._entry.title

    @property
    def is_available(self) -> bool:
        """Whether it is on the network, as far as can be told without playing."""
        return self._is_there

    async def async_probe(self) -> Probed:
        """Ask the receiver once, with the password or pairing where there is one."""
        return await probe(
            self.receiver,
            password=self._entry.data.get(CONF_PASSWORD),
            credentials=self._entry.data.get(CONF_CREDENTIALS),
        )

    def member(self, volume: float | None, *, is_muted: bool) -> Member:
        """Return it as a member of a stream; without a volume it keeps its own."""
        raop, airplay = self.receiver.raop, self.receiver.airplay
        return Member(
            receiver=self.receiver.id,
            name=self.name,
            host=self.receiver.host,
            port=self.receiver.port,
            txt=dict(raop.txt) if raop else {},
            airplay_port=airplay.port if airplay else None,
            airplay_txt=dict(airplay.txt) if airplay else {},
            password=self._entry.data.get(CONF_PASSWORD),
            credentials=self._entry.data.get(CONF_CREDENTIALS),
            lane=self._forced_lane,
            first_lane=self._lane_worked,
            volume=None if volume is None else volume * 100,
            muted=is_muted,
            delay_ms=self.tuning.delay_ms,
            channel=self.tuning.channel,
        )

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the receiver changes, comes or goes."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Take note of why it could not be played to."""
        if isinstance(error, AuthenticationError):
            # Home Assistant starts no second flow while there is one.
            if not isinstance(error, TooManyTriesError):
                self._entry.async_start_reauth(self._hass)
        elif isinstance(error, ReceiverUnreachableError) and self._is_manual:
            # mDNS does not tell of this one, so its silence is all there is.
            self._async_set_there(is_there=False)
            self._async_ask_later()

    @callback
    def async_take(self, event: SenderEvent) -> None:
        """Keep in the entry by which way it is heard, where there are several.

        What the user has forced says nothing of what is found by itself.
        """
        match event:
            case MemberChanged(state="playing", lane=str(lane)):
                is_found = len(self.receiver.lanes) > 1 and not self._forced_lane
                if is_found and lane != self._lane_worked:
                    worked = {CONF_LANE: lane, _FIRMWARE: self.receiver.firmware}
                    self._hass.config_entries.async_update_entry(
                        self._entry, data={**self._entry.data, CONF_LANE_WORKED: worked}
                    )

    @property
    def _forced_lane(self) -> str | None:
        return Settings.from_entry(self._entry).forced_lane

    @property
    def _lane_worked(self) -> str | None:
        """The way by which it was heard last, unless its firmware is another one now."""
        worked = self._entry.data.get(CONF_LANE_WORKED)
        if not worked or worked[_FIRMWARE] != self.receiver.firmware:
            return None
        lane: str = worked[CONF_LANE]
        return lane

    @property
    def _is_manual(self) -> bool:
        return bool(self._entry.data.get(CONF_MANUAL))

    @callback
    def _async_changed(self, seen: Receiver | None) -> None:
        if seen:
            self._async_follow(seen)
        self._async_set_there(is_there=seen is not None or self._is_manual)
        self._async_tell()

    @callback
    def _async_follow(self, seen: Receiver) -> None:
        """Take over where it is now, in the entry too, without a reload."""
        data = followed(self._entry.data, seen)
        self.receiver = receiver_from(data)
        self._hass.config_entries.async_update_entry(self._entry, data=data)

    @callback
    def _async_set_there(self, *, is_there: bool) -> None:
        if is_there == self._is_there:
            return
        self._is_there = is_there
        _LOGGER.info("%s is %s", self.name, "back" if is_there else "gone")
        self._async_tell()

    @callback
    def _async_tell(self) -> None:
        for listener in [*self._listeners]:
            listener()

    @callback
    def _async_ask_later(self) -> None:
        self._async_stop_asking()
        self._asking = async_call_later(self._hass, _ASK_AGAIN_S, self._async_ask)

    async def _async_ask(self, _now: datetime) -> None:
        self._asking = None
        try:
            await self.async_probe()
        except ReceiverUnreachableError:
            self._async_ask_later()
            return
        except RaopError as error:
            _LOGGER.debug("%s answers, but: %s", self.name, error)
        self._async_set_there(is_there=True)

    @callback
    def _async_stop_asking(self) -> None:
        if self._asking:
            self._asking()
            self._asking = None
