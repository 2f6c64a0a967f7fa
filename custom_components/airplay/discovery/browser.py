"""The receivers currently on the network, from the mDNS records of both services."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from ipaddress import ip_address
import logging
from typing import Any, Self

from zeroconf import BadTypeInNameException, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from homeassistant.components import zeroconf
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..const import AIRPLAY_TYPE, DOMAIN, RAOP_TYPE
from ..helpers.listeners import KeyedListeners, Listeners
from ..helpers.shared import Holding, SharedInstance
from ..helpers.throttle import Throttle
from ..helpers.turns import Turns
from ..raop.api import Receiver, Service, completed, key_of, receiver_id
from .entry_data import receiver_from
from .records import async_announced, async_own_networks, instance_of, service_of
from .sightings import Sight, Sightings
from .stereo_pair import partner_of

_LOGGER = logging.getLogger(__name__)

# HomePods miss a query now and then and drop one record when reconfigured.
GRACE_S = 10
SETTLE_S = 1.5
BOTH_RECORDS_S = 1
RESOLVE_MS = 3000
# Names without records, which have to be asked for.
_MOST_RESOLVING = 32
_MOST_UNRESOLVED = 512

type Listener = Callable[[Receiver | None], None]


class ReceiverBrowser:
    """Watches both services on Home Assistant's own zeroconf."""

    def __init__(self, hass: HomeAssistant, zc: Zeroconf) -> None:
        """Start watching."""
        self._hass = hass
        self._zc = zc
        self._began = hass.loop.time()
        self._listeners = KeyedListeners[[Receiver | None]]()
        self._seen = Sightings(self._listeners.__contains__)
        self._news: dict[str, Throttle] = {}
        self._watchers = Listeners[[]]()
        self._any_news = Throttle(hass, self._watchers.async_notify)
        self._kept: dict[str, tuple[Mapping[str, Any], Receiver]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = Turns(hass.loop)
        self._resolving = asyncio.Semaphore(_MOST_RESOLVING)
        self._browser = self._browse(None)

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Create a browser on the zeroconf that all integrations share."""
        instance = await zeroconf.async_get_async_instance(hass)
        return cls(hass, instance.zeroconf)

    async def async_close(self) -> None:
        """Stop watching; the shared zeroconf stays open."""
        await self._browser.async_cancel()
        self._turns.async_close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for throttle in (self._any_news, *self._news.values()):
            throttle.async_cancel()
        self._seen.clear()

    @property
    def receivers(self) -> dict[str, Receiver]:
        """Return all receivers currently seen, by ID."""
        return self._seen.receivers

    def get(self, wanted: str) -> Receiver | None:
        """Return one receiver if it is currently seen."""
        sight = self._seen.get(wanted)
        return sight.receiver if sight else None

    def partner_of(self, receiver: Receiver) -> Receiver | None:
        """Return the other receiver of a stereo pair if it is currently seen."""
        return partner_of(receiver, self._seen.in_pair(receiver.pair_id))

    def key_of(self, service: Service, *, is_raop: bool) -> str:
        """Return the ID of the receiver that a record belongs to.

        An entry keeps its receiver, also while only another one with its ID is seen.
        """
        announced = receiver_id(service, is_raop=is_raop)
        known = {each.id: self.get(each.id) or each for each in self._kept_receivers()}
        known |= self._seen.with_id(announced)
        return key_of(service, known, is_raop=is_raop)

    def _kept_receivers(self) -> list[Receiver]:
        """Return the receivers of all entries, each read again if it has changed."""
        entries = self._hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        kept, self._kept = self._kept, {}
        for entry in entries:
            data, receiver = kept.get(entry.entry_id, (None, None))
            if receiver is None or data is not entry.data:
                receiver = receiver_from(entry.data)
            self._kept[entry.entry_id] = (entry.data, receiver)
        return [receiver for _, receiver in self._kept.values()]

    def at(self, host: str, port: int) -> Receiver | None:
        """Return the receiver that listens at an address."""
        for receiver in self.receivers.values():
            if host in receiver.addresses and receiver.port == port:
                return receiver
        return None

    @callback
    def async_listen(self, wanted: str, listener: Listener) -> CALLBACK_TYPE:
        """Call with a receiver when a record appears or changes, with None when it is gone."""
        return self._listeners.async_add(wanted, listener)

    @callback
    def async_watch(self, watcher: Callable[[], None]) -> CALLBACK_TYPE:
        """Call when a record of any receiver appears, changes, or disappears."""
        return self._watchers.async_add(watcher)

    async def async_wait_watched(self) -> None:
        """Wait until receivers have had time to respond since watching started."""
        await asyncio.sleep(self._began + SETTLE_S - self._hass.loop.time())

    async def async_find(self, wanted: str) -> Receiver | None:
        """Return a receiver, waiting briefly for both of its records."""
        is_complete = asyncio.Event()

        def check(receiver: Receiver | None) -> None:
            if receiver and receiver.raop and receiver.airplay:
                is_complete.set()

        check(self.get(wanted))
        stop = self.async_listen(wanted, check)
        try:
            async with asyncio.timeout(BOTH_RECORDS_S):
                await is_complete.wait()
        except TimeoutError:
            pass
        finally:
            stop()
        return self.get(wanted)

    async def async_ask(self, host: str, port: int) -> Receiver | None:
        """Query one address directly, for networks that do not forward multicast."""
        if known := self.at(host, port):
            return known
        try:
            ip_address(host)
        except ValueError:
            return None
        browser = self._browse(host)
        try:
            await asyncio.sleep(SETTLE_S)
        finally:
            await browser.async_cancel()
        return self.at(host, port)

    def _browse(self, host: str | None) -> AsyncServiceBrowser:
        return AsyncServiceBrowser(
            self._zc,
            [RAOP_TYPE, AIRPLAY_TYPE],
            handlers=[partial(self._async_record_changed, asked=host)],
            addr=host,
        )

    @callback
    def _async_record_changed(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
        *,
        asked: str | None,
    ) -> None:
        is_removed = state_change is ServiceStateChange.Removed
        self._turns.async_run(
            partial(self._async_heed, service_type, name, asked, is_removed=is_removed)
        )

    @callback
    def _async_heed(
        self, service_type: str, name: str, asked: str | None, *, is_removed: bool
    ) -> None:
        if is_removed:
            self._async_removed(service_type, instance_of(name, service_type))
            return
        try:
            record = AsyncServiceInfo(service_type, name)
        except BadTypeInNameException:
            _LOGGER.debug("Receiver announces an invalid name: %r", name)
            return
        if record.load_from_cache(self._zc):
            self._async_seen(record)
            return
        if len(self._tasks) >= _MOST_UNRESOLVED:
            return
        task = self._hass.async_create_background_task(
            self._async_resolve(record, asked), f"{DOMAIN} resolve {name}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _async_resolve(self, record: AsyncServiceInfo, asked: str | None) -> None:
        async with self._resolving:
            is_found = await record.async_request(self._zc, RESOLVE_MS, addr=asked)
        if is_found:
            self._async_seen(record)

    @callback
    def _async_seen(self, record: AsyncServiceInfo) -> None:
        kind = record.type
        holder = self._seen.holder_of(kind, instance_of(record.name, kind))
        previous = holder[1].service(kind) if holder else None
        service = service_of(
            record.name,
            kind,
            async_announced(
                self._zc, record.server or "", record.parsed_scoped_addresses()
            ),
            record.port,
            record.decoded_properties,
            async_own_networks(self._hass),
            previous.host if previous else None,
        )
        if service is None:
            return
        is_raop = kind == RAOP_TYPE
        key = self.key_of(service, is_raop=is_raop)
        if holder and holder[0] != key:
            # Another receiver has taken over the name.
            self._async_lost(*holder, kind)
        sight = self._seen.get(key)
        if (
            sight is None
            or kind not in sight.standing
            or sight.service(kind) != service
        ):
            known = sight.receiver if sight else None
            receiver = completed(key, known, service, is_raop=is_raop)
            sight = self._seen.put(key, receiver)
            if sight is None:
                return
            self._async_notify(key)
        sight.stay()
        sight.standing.add(kind)

    @callback
    def _async_removed(self, kind: str, instance: str) -> None:
        if holder := self._seen.holder_of(kind, instance):
            self._async_lost(*holder, kind)

    @callback
    def _async_lost(self, key: str, sight: Sight, kind: str) -> None:
        """Forget a receiver soon if this was its last valid record."""
        sight.standing.discard(kind)
        if not sight.standing and sight.going is None:
            sight.going = async_call_later(
                self._hass, GRACE_S, partial(self._async_gone, key)
            )

    @callback
    def _async_gone(self, key: str, _now: datetime) -> None:
        self._seen.pop(key)
        self._async_notify(key)

    @callback
    def _async_notify(self, key: str) -> None:
        """Report what is known of a receiver now, not too often."""
        if key in self._listeners:
            if key not in self._news:
                tell = partial(self._async_tell, key)
                self._news[key] = Throttle(self._hass, tell)
            self._news[key].async_request()
        elif throttle := self._news.pop(key, None):
            throttle.async_cancel()
        self._any_news.async_request()

    @callback
    def _async_tell(self, key: str) -> None:
        self._listeners.async_notify(key, self.get(key))


_KEY: HassKey[Holding[ReceiverBrowser]] = HassKey(f"{DOMAIN}_presence")
BROWSER = SharedInstance(_KEY, ReceiverBrowser.async_make)
