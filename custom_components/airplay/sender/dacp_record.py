"""Our `_dacp._tcp` record, by which receivers find the way back to their sender."""

import asyncio
from ipaddress import ip_address
import logging

from zeroconf.asyncio import AsyncServiceInfo

from homeassistant.components import network, zeroconf
from homeassistant.core import HomeAssistant, callback

from ..const import DACP_TYPE, DOMAIN

_LOGGER = logging.getLogger(__name__)

_MOST_ADDRESSES = 16


class DacpRecord:
    """Says in the network where the sender takes orders, from Ready until the end.

    Receivers take the port from it and the address from their session (shairport-sync);
    others resolve it. So it names each address of ours by which a receiver is reached,
    and is told again when these change: a changed network shows there first.
    """

    def __init__(self, hass: HomeAssistant, dacp_id: str) -> None:
        """Take the id, of which the record's name is made."""
        self._hass = hass
        self._dacp_id = dacp_id
        self._port = 0
        self._reached: dict[str, str] = {}
        self._registered: AsyncServiceInfo | None = None
        self._saying: asyncio.Future[object] | None = None
        self._is_withdrawn = False
        self._turn = asyncio.Lock()

    @callback
    def async_announce(self, port: int) -> None:
        """Announce a port, at first or instead of another one."""
        self._port = port
        self._async_settle_soon()

    @callback
    def async_reached(self, receiver: str, local: str) -> None:
        """Take note by which address of ours a receiver was reached just now."""
        address = local.partition("%")[0]
        if self._reached.get(receiver) != address:
            self._reached[receiver] = address
            self._async_settle_soon()

    async def async_withdraw(self) -> None:
        """Say goodbye, for good."""
        async with self._turn:
            self._is_withdrawn = True
            await self._async_unregister()

    @callback
    def _async_settle_soon(self) -> None:
        self._hass.async_create_background_task(
            self._async_settle(), f"{DOMAIN} announces itself"
        )

    async def _async_settle(self) -> None:
        """Register what is to be said, unless it is said already."""
        async with self._turn:
            if self._is_withdrawn or not self._port:
                return
            wanted = await self._async_describe()
            known = self._registered
            if known and known.port != wanted.port:
                # Without a goodbye receivers keep the port that they know (measured).
                await self._async_unregister()
                known = None
            if known and known.parsed_addresses() == wanted.parsed_addresses():
                return
            instance = await zeroconf.async_get_async_instance(self._hass)
            self._hush()
            if known:
                saying = await instance.async_update_service(wanted)
            else:
                # Nobody else has this id; asking first would take a second, and an
                # echo of our own record in the network would count as a conflict.
                saying = await instance.async_register_service(
                    wanted, cooperating_responders=True
                )
            self._saying = asyncio.ensure_future(saying)
            self._registered = wanted
            _LOGGER.debug("%s is at port %s", wanted.name, wanted.port)

    async def _async_describe(self) -> AsyncServiceInfo:
        reached = sorted(set(self._reached.values()))
        own = await network.async_get_announce_addresses(self._hass)
        addresses = [*dict.fromkeys([*reached, *own])][:_MOST_ADDRESSES]
        return AsyncServiceInfo(
            DACP_TYPE,
            f"iTunes_Ctrl_{self._dacp_id}.{DACP_TYPE}",
            port=self._port,
            addresses=[ip_address(each).packed for each in addresses],
            # What iTunes says of itself.
            properties={
                "txtvers": "1",
                "Ver": "131077",
                "DbId": "1",
                "OSsi": "0x2012E",
            },
            server=f"airplay-{self._dacp_id.lower()}.local.",
        )

    async def _async_unregister(self) -> None:
        self._hush()
        registered, self._registered = self._registered, None
        if registered:
            instance = await zeroconf.async_get_async_instance(self._hass)
            await (await instance.async_unregister_service(registered))

    def _hush(self) -> None:
        """Stop repeating what is not true any more."""
        if self._saying:
            self._saying.cancel()
            self._saying = None
