"""Announce a receiver by mDNS, as its firmware would."""

from collections.abc import Mapping
from ipaddress import ip_address

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.virtual_receiver.receiver import VirtualReceiver

RAOP = "_raop._tcp.local."
AIRPLAY = "_airplay._tcp.local."


class Advertisement:
    """The records of one receiver, as long as they are announced."""

    def __init__(
        self,
        receiver: VirtualReceiver,
        *,
        zeroconf: AsyncZeroconf | None = None,
        interfaces: list[str] | None = None,
        addresses: list[str] | None = None,
        airplay: bool | None = None,
        airplay_changes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Describe the records; `interfaces` are addresses, all by default.

        `airplay` adds an `_airplay._tcp` record; receivers of
        AirPlay 2 have one by default.
        """
        self._receiver = receiver
        self._given = zeroconf
        self._interfaces = interfaces
        self._addresses = addresses
        self._airplay = receiver.speaks_airplay_2 if airplay is None else airplay
        self._airplay_changes = dict(airplay_changes or {})
        self._zeroconf: AsyncZeroconf | None = None
        self._services: list[AsyncServiceInfo] = []

    async def announce(self) -> None:
        """Register the records; needs the receiver's port."""
        if self._zeroconf is None:
            self._zeroconf = self._given or self._open()
        self._services = self._describe()
        for service in self._services:
            await (await self._zeroconf.async_register_service(service))

    async def update(self, *, addresses: list[str] | None = None) -> None:
        """Announce the receiver's present port and TXT, and perhaps new addresses."""
        if self._zeroconf is None:
            raise RuntimeError("nothing is announced")
        if addresses is not None:
            self._addresses = addresses
        self._services = self._describe()
        for service in self._services:
            await (await self._zeroconf.async_update_service(service))

    async def withdraw(self) -> None:
        """Send goodbye; may be announced again."""
        if self._zeroconf is None:
            return
        for service in self._services:
            await (await self._zeroconf.async_unregister_service(service))
        self._services = []
        if self._given is None:
            await self._zeroconf.async_close()
        self._zeroconf = None

    def _open(self) -> AsyncZeroconf:
        if self._interfaces is None:
            return AsyncZeroconf(ip_version=IPVersion.All)
        return AsyncZeroconf(interfaces=self._interfaces)

    def _describe(self) -> list[AsyncServiceInfo]:
        receiver = self._receiver
        services = [
            self._service(RAOP, f"{receiver.receiver_id}@{receiver.name}", receiver.txt)
        ]
        if self._airplay:
            txt = receiver.airplay_txt(self._airplay_changes)
            services.append(self._service(AIRPLAY, receiver.name, txt))
        return services

    def _service(
        self, kind: str, instance: str, txt: Mapping[str, str]
    ) -> AsyncServiceInfo:
        receiver = self._receiver
        return AsyncServiceInfo(
            kind,
            f"{instance}.{kind}",
            port=receiver.port,
            properties=dict(txt),
            server=f"virtual-{receiver.receiver_id.lower()}.local.",
            addresses=[
                ip_address(address).packed
                for address in self._addresses or [receiver.host]
            ],
        )
