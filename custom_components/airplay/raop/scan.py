"""Find receivers by mDNS, for the command line; Home Assistant has its own scan."""

import asyncio
from collections import defaultdict

from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from .receiver import Receiver
from .receiver_identity import merge, receiver_id
from .receiver_records import Service

RAOP = "_raop._tcp.local."
AIRPLAY = "_airplay._tcp.local."
_RESOLVE_MS = 2000


async def scan(seconds: float, interfaces: list[str] | None = None) -> list[Receiver]:
    """Browse for some seconds and return the receivers that answered, by name."""
    found: set[tuple[str, str]] = set()

    def changed(
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        del zeroconf
        if state_change is not ServiceStateChange.Removed:
            found.add((service_type, name))

    async with AsyncZeroconf(interfaces=interfaces or InterfaceChoice.All) as zeroconf:
        browser = AsyncServiceBrowser(
            zeroconf.zeroconf, [RAOP, AIRPLAY], handlers=[changed]
        )
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        services = await asyncio.gather(
            *(_resolve(zeroconf, kind, name) for kind, name in sorted(found))
        )
    by_id: dict[str, dict[str, Service]] = defaultdict(dict)
    for kind, service in services:
        if service:
            by_id[receiver_id(service, is_raop=kind == RAOP)][kind] = service
    receivers = [merge(each.get(RAOP), each.get(AIRPLAY)) for each in by_id.values()]
    return sorted(receivers, key=lambda each: (each.name, each.id))


async def _resolve(
    zeroconf: AsyncZeroconf, kind: str, name: str
) -> tuple[str, Service | None]:
    entry = AsyncServiceInfo(kind, name)
    if not await entry.async_request(zeroconf.zeroconf, _RESOLVE_MS):
        return kind, None
    addresses = entry.parsed_scoped_addresses(IPVersion.All)
    usable = [each for each in addresses if not each.startswith("169.254.")]
    if not usable or not entry.port:
        return kind, None
    txt = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in entry.properties.items()
    }
    instance = name.removesuffix("." + kind)
    return kind, Service(instance, usable[0], entry.port, txt)
