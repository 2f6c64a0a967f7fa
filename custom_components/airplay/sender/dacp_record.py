"""The `_dacp._tcp` record of the sender, by which receivers find its remote server."""

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
    """Announces the port on which the sender accepts commands, from Ready until the end.

    Some receivers use its port with the address of their session (shairport-sync);
    others resolve it. So it lists each local address by which a receiver is reached, and
    is announced again when these change: a changed network shows there first.
    """

    def __init__(self, hass: HomeAssistant, dacp_id: str) -> None:
        """Initialize with the ID that the name of the record contains."""
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
        """Announce a port, instead of any previous one."""
        self._port = port
        self._async_settle_soon()

    @callback
    def async_reached(self, receiver: str, local: str) -> None:
        """Record the local address by which a receiver was just reached."""
        address = local.partition("%")[0]
        if self._reached.get(receiver) != address:
            self._reached[receiver] = address
            self._async_settle_soon()

    async def async_withdraw(self) -> None:
        """Withdraw the record permanently."""
        async with self._turn:
            self._is_withdrawn = True
            await self._async_unregister()

    @callback
    def _async_settle_soon(self) -> None:
        self._hass.async_create_background_task(
            self._async_settle(), f"{DOMAIN} announces itself"
        )

    async def _async_settle(self) -> None:
        """Register the current record, unless it is registered already."""
        async with self._turn:
            if self._is_withdrawn or not self._port:
                return
            wanted = await self._async_describe()
            known = self._registered
            if known and known.port != wanted.port:
                # Without a withdrawal, receivers keep the old port (measured).
                await self._async_unregister()
                known = None
            if known and known.parsed_addresses() == wanted.parsed_addresses():
                return
            instance = await zeroconf.async_get_async_instance(self._hass)
            self._hush()
            if known:
                saying = await instance.async_update_service(wanted)
            else:
                # This ID is unique; probing first would take a second, and an echo of
                # this record in the network would count as a conflict.
                saying = await instance.async_register_service(
                    wanted, cooperating_responders=True
                )
            self._saying = asyncio.ensure_future(saying)
            self._registered = wanted
            _LOGGER.debug("Announced %s at port %s", wanted.name, wanted.port)

    async def _async_describe(self) -> AsyncServiceInfo:
        reached = sorted(set(self._reached.values()))
        own = await network.async_get_announce_addresses(self._hass)
        addresses = [*dict.fromkeys([*reached, *own])][:_MOST_ADDRESSES]
        return AsyncServiceInfo(
            DACP_TYPE,
            f"iTunes_Ctrl_{self._dacp_id}.{DACP_TYPE}",
            port=self._port,
            addresses=[ip_address(each).packed for each in addresses],
            # The properties that iTunes announces.
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
        """Stop repeating an outdated record."""
        if self._saying:
            self._saying.cancel()
            self._saying = None
