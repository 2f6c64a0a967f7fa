"""Find receivers by mDNS, for the command line; Home Assistant has its own scan."""

import asyncio
import json
import logging

from zeroconf import (
    BadTypeInNameException,
    InterfaceChoice,
    IPVersion,
    NamePartTooLongException,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from .program.printable import printable
from .receiver import Receiver
from .receiver_identity import completed, key_of
from .receiver_records import Service
from .wire.addresses import rank_addresses

_LOGGER = logging.getLogger(__name__)

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

    async with _zeroconf(interfaces) as zeroconf:
        browser = AsyncServiceBrowser(
            zeroconf.zeroconf, [RAOP, AIRPLAY], handlers=[changed]
        )
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        services = await asyncio.gather(
            *(
                _resolve(zeroconf, kind, name)
                for kind, name in sorted(found, reverse=True)
            )
        )
    known: dict[str, Receiver] = {}
    for kind, service in services:
        if service:
            is_raop = kind == RAOP
            key = key_of(service, known, is_raop=is_raop)
            known[key] = completed(key, known.get(key), service, is_raop=is_raop)
    return sorted(known.values(), key=lambda each: (each.name, each.id))


def _zeroconf(interfaces: list[str] | None) -> AsyncZeroconf:
    """Listen by IPv4 and IPv6, or by IPv4 alone on a machine without IPv6."""
    if interfaces:
        return AsyncZeroconf(interfaces=interfaces)
    try:
        return AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.All)
    except OSError:
        return AsyncZeroconf(interfaces=InterfaceChoice.All)


async def _resolve(
    zeroconf: AsyncZeroconf, kind: str, name: str
) -> tuple[str, Service | None]:
    try:
        entry = AsyncServiceInfo(kind, name)
        is_found = await entry.async_request(zeroconf.zeroconf, _RESOLVE_MS)
    except (BadTypeInNameException, NamePartTooLongException, UnicodeError) as err:
        # A name with control characters costs this record, and no other one.
        _LOGGER.debug("a receiver announces an invalid name: %r: %s", name, err)
        return kind, None
    addresses = entry.parsed_scoped_addresses(IPVersion.All)
    usable = rank_addresses(addresses)
    if not is_found or not usable or not entry.port:
        return kind, None
    txt = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in entry.properties.items()
    }
    instance = name.removesuffix("." + kind)
    return kind, Service(instance, usable[0], entry.port, txt, usable)


def json_line(receiver: Receiver) -> str:
    """Return a JSON object with the facts and both TXT records, in ASCII."""
    raop, airplay = receiver.raop, receiver.airplay
    return json.dumps(
        {
            "id": receiver.id,
            "name": receiver.name,
            "host": receiver.host,
            "addresses": receiver.addresses,
            "port": receiver.port,
            "airplay_port": airplay.port if airplay else None,
            "model": receiver.model,
            "password": receiver.needs_password,
            "bridge": receiver.is_bridge,
            "obstacle": receiver.obstacle,
            "txt": dict(raop.txt) if raop else {},
            "airplay_txt": dict(airplay.txt) if airplay else {},
        }
    )


def text_line(receiver: Receiver) -> str:
    """Return name, address, and notes; nothing in it controls a terminal."""
    host = f"[{receiver.host}]" if ":" in receiver.host else receiver.host
    notes = (
        printable(receiver.model or ""),
        "password" if receiver.needs_password else "",
        "bridge" if receiver.is_bridge else "",
        f"cannot play: {receiver.obstacle}" if receiver.obstacle else "",
    )
    where = f"{host}:{receiver.port}"
    words = "  ".join(note for note in notes if note)
    return f"{printable(receiver.name):24} {where:28} {words}"
