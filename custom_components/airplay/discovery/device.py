"""The receiver or stereo pair of an entry: its address, and whether it is available."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntry
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from ..const import CONF_CREDENTIALS, CONF_MANUAL, CONF_PARTNER, DEFAULT_VOLUME, DOMAIN
from ..helpers.foreign_text import inert
from ..helpers.listeners import Listeners
from ..raop.api import (
    AuthenticationError,
    Channel,
    Member,
    MemberChanged,
    RaopError,
    Receiver,
    ReceiverUnreachableError,
    TooManyTriesError,
    probe,
)
from ..sender.events import SenderEvent
from .access_notices import AccessNotices
from .browser import ReceiverBrowser
from .entry_data import answered, followed, member_from, receiver_from, unique_id
from .stereo_pair import are_apart
from .way_memory import way_that_worked, with_way

_LOGGER = logging.getLogger(__name__)

_ASK_AGAIN_S = 60


@dataclass(frozen=True, slots=True)
class Tuning:
    """Playback settings relative to other speakers: delay and channel."""

    delay_ms: int = 0
    channel: Channel = Channel.STEREO


class AirPlayDevice:
    """Follows the mDNS records of a receiver, and keeps the entry up to date."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, browser: ReceiverBrowser
    ) -> None:
        """Initialize from the entry and the browser's records."""
        self._hass = hass
        self._entry = entry
        self._browser = browser
        self._listeners = Listeners[[]]()
        self._is_there = True
        self._is_partner_there = False
        self._asking: CALLBACK_TYPE | None = None
        self._is_over = False
        self._notices = AccessNotices(hass, entry, self.async_probe)
        # Whether it showed that it plays; some kinds show nothing.
        self.is_confirmed = True
        self.tuning = Tuning()
        self._use(entry.data)
        self._use_partner(entry.data.get(CONF_PARTNER))
        if seen := browser.get(self.receiver.id):
            self._async_follow(seen)
        self._async_pair()
        entry.async_on_unload(browser.async_watch(self._async_pair))
        entry.async_on_unload(
            browser.async_listen(self.receiver.id, self._async_changed)
        )
        entry.async_on_unload(self._async_close)

    @property
    def name(self) -> str:
        """Return the name that users see."""
        return self._entry.title

    @property
    def is_available(self) -> bool:
        """Whether it is on the network, as far as is known without playing."""
        return self._is_there or (self._is_partner_there and self.partner is not None)

    @property
    def partner(self) -> Receiver | None:
        """Return the other receiver of its stereo pair, unless that has its own entry."""
        if self._partner is None:
            return None
        entry = self._hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, unique_id(self._partner.id)
        )
        is_own = entry is not None and entry.source != SOURCE_IGNORE
        return None if is_own else self._partner

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Return the receiver, and the other one of its pair."""
        return (self.receiver, self.partner) if self.partner else (self.receiver,)

    async def async_probe(self) -> None:
        """Probe the receiver once, with the password or pairing if there is one.

        For a pair, one response is enough.
        """
        try:
            await self._async_probe(self.receiver)
        except ReceiverUnreachableError:
            if self.partner is None:
                raise
            await self._async_probe(self.partner)

    async def _async_probe(self, receiver: Receiver) -> None:
        address = await probe(
            receiver,
            password=self._entry.data.get(CONF_PASSWORD),
            credentials=self._entry.data.get(CONF_CREDENTIALS),
        )
        self._async_keep(receiver.id, lambda data: answered(data, address))

    def members(self, volume: float | None, *, is_muted: bool) -> tuple[Member, ...]:
        """Return it as members of a stream; without a volume, it keeps its own."""
        return tuple(
            self._member(each, volume, is_muted=is_muted) for each in self.receivers
        )

    def _member(
        self, receiver: Receiver, volume: float | None, *, is_muted: bool
    ) -> Member:
        is_own = receiver is self.receiver
        member = member_from(
            self._entry.data, receiver, self.name if is_own else receiver.name
        )
        return replace(
            member,
            addresses=self._addresses if is_own else receiver.addresses,
            lane=self._notices.forced_lane,
            first_way=self._first_way(receiver),
            volume=None if volume is None else volume * 100,
            modest_volume=DEFAULT_VOLUME * 100,
            muted=is_muted,
            delay_ms=self.tuning.delay_ms,
            channel=self.tuning.channel,
        )

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the receiver changes, appears, or disappears."""
        return self._listeners.async_add(listener)

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Handle the error that prevented playback."""
        self._notices.async_failed(error)
        if isinstance(error, AuthenticationError):
            # Home Assistant starts no second flow while one is open.
            if not isinstance(error, TooManyTriesError):
                self._entry.async_start_reauth(self._hass)
        elif isinstance(error, ReceiverUnreachableError) and self._is_manual:
            # mDNS does not report this receiver, so only the failure shows that it
            # is gone.
            self._async_set_there(is_there=False)
            self._async_ask_later()

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Store the address that answers and the way that plays in the entry.

        A lane that the user has forced says nothing about the automatic choice.
        """
        match event:
            case MemberChanged(state="connected", remote=str(remote)):
                self._async_keep(event.receiver, lambda data: answered(data, remote))
            case MemberChanged(state="playing", lane=str(lane), way=str(way)):
                self._async_played(event, lane, way)

    @callback
    def _async_played(self, event: MemberChanged, lane: str, way: str) -> None:
        if event.receiver == self.receiver.id:
            self.is_confirmed = event.is_confirmed
            self._notices.async_played()
        if not self._notices.forced_lane:
            self._async_keep(event.receiver, lambda data: with_way(data, lane, way))

    @callback
    def _async_keep(
        self, receiver: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> None:
        """Change what the entry stores of one of its receivers."""
        if receiver == self.receiver.id:
            data = change(self._entry.data)
            self._use(data)
            self._hass.config_entries.async_update_entry(self._entry, data=data)
        elif self._partner and receiver == self._partner.id:
            self._async_set_partner(change(self._entry.data[CONF_PARTNER]))

    def _use(self, data: Mapping[str, Any]) -> None:
        """Read the receiver from the entry's data, once for all its commands."""
        self.receiver = receiver_from(data)
        self._addresses = self.receiver.addresses
        self._way_worked = way_that_worked(data, self.receiver)

    def _use_partner(self, kept: Mapping[str, Any] | None) -> None:
        self._partner = partner = receiver_from(kept) if kept else None
        self._partner_way = way_that_worked(kept, partner) if kept and partner else None

    def _first_way(self, receiver: Receiver) -> str | None:
        """Return the way to try first; both of a pair are mostly alike."""
        own = self._way_worked if receiver is self.receiver else self._partner_way
        return own or self._way_worked

    @property
    def _is_manual(self) -> bool:
        return bool(self._entry.data.get(CONF_MANUAL))

    @callback
    def _async_changed(self, seen: Receiver | None) -> None:
        if seen:
            self._async_follow(seen)
        self._async_set_there(is_there=seen is not None or self._is_manual)
        self._listeners.async_notify()

    @callback
    def _async_follow(self, seen: Receiver) -> None:
        """Update the receiver from its records, also in the entry, without a reload."""
        data = followed(self._entry.data, seen)
        self._use(data)
        self._hass.config_entries.async_update_entry(self._entry, data=data)
        devices = dr.async_get(self._hass)
        device = devices.async_get_device_by_identifier(
            (DOMAIN, self._entry.unique_id or self._entry.entry_id),
            self._entry.entry_id,
        )
        if device and (firmware := inert(self.receiver.firmware or "")):
            devices.async_update_device(device.id, sw_version=firmware)

    @callback
    def _async_pair(self) -> None:
        """Add, update, or remove the other receiver of its stereo pair."""
        kept = self._entry.data.get(CONF_PARTNER)
        seen, data = self._browser.partner_of(self.receiver), kept
        if seen is None and self._partner:
            seen = self._browser.get(self._partner.id)
            if are_apart(self.receiver, seen or self._partner):
                seen = data = None
        if seen:
            is_same = self._partner and self._partner.id == seen.id
            data = followed((is_same and kept) or {}, seen)
        is_there = seen is not None
        if data == kept and is_there == self._is_partner_there:
            return
        self._is_partner_there = is_there
        self._async_set_partner(data)
        self._listeners.async_notify()

    @callback
    def _async_set_partner(self, kept: dict[str, Any] | None) -> None:
        if kept != self._entry.data.get(CONF_PARTNER):
            data = {**self._entry.data, CONF_PARTNER: kept}
            self._hass.config_entries.async_update_entry(self._entry, data=data)
            self._use_partner(kept)

    @callback
    def _async_set_there(self, *, is_there: bool) -> None:
        if is_there == self._is_there:
            return
        self._is_there = is_there
        _LOGGER.info("%s is %s", self.name, "back" if is_there else "gone")
        self._listeners.async_notify()

    @callback
    def _async_ask_later(self) -> None:
        self._async_stop_asking()
        if not self._is_over:
            self._asking = async_call_later(self._hass, _ASK_AGAIN_S, self._async_ask)

    async def _async_ask(self, _now: datetime) -> None:
        self._asking = None
        try:
            await self.async_probe()
        except ReceiverUnreachableError:
            self._async_ask_later()
            return
        except RaopError as error:
            _LOGGER.debug("%s responds, but with an error: %s", self.name, error)
        self._async_set_there(is_there=True)

    @callback
    def _async_close(self) -> None:
        """Stop probing, also after a probe that is still running."""
        self._is_over = True
        self._async_stop_asking()

    @callback
    def _async_stop_asking(self) -> None:
        if self._asking:
            self._asking()
            self._asking = None
