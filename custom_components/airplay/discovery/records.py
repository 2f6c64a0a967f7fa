"""Conversion of mDNS records, and the order of the addresses in them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from zeroconf import Zeroconf
from zeroconf._dns import DNSAddress

from homeassistant.components import network
from homeassistant.core import HomeAssistant, callback

from ..raop.api import Network, Service, own_networks, plain_address, rank_addresses

# In seconds: what a cache keeps of an address that its host has replaced (RFC 6762).
_FLUSHED_TTL_S = 1
_MOST_CHARACTERS = 4096


def instance_of(name: str, kind: str) -> str:
    """Return a record's full name without its type."""
    return name.removesuffix(f".{kind}")


def service_of(
    name: str,
    kind: str,
    addresses: Iterable[str],
    port: int | None,
    txt: dict[str, str | None],
    own: Iterable[Network] = (),
    current_host: str | None = None,
) -> Service | None:
    """Return a record as the core's type, or None without a usable address or port.

    `own` are the networks of this machine. The current host stays the first address as
    long as no better one is announced.
    """
    ranked = rank_addresses(addresses, own, current_host)
    if not ranked or not port:
        return None
    return Service(
        instance=instance_of(name, kind),
        host=ranked[0],
        port=port,
        txt=_bounded(txt),
        addresses=ranked,
    )


def _bounded(txt: dict[str, str | None]) -> dict[str, str]:
    """Return a record as far as it is of a usual size; a real one has under 1,000."""
    bounded: dict[str, str] = {}
    left = _MOST_CHARACTERS
    for key, value in txt.items():
        left -= len(key) + len(value or "")
        if left < 0:
            break
        bounded[key] = value or ""
    return bounded


@callback
def async_own_networks(hass: HomeAssistant) -> tuple[Network, ...]:
    """Return the networks of this machine."""
    return _networks(
        tuple(
            (adapter["name"], each["address"], each["network_prefix"])
            for adapter in network.async_get_loaded_adapters(hass)
            for each in (*adapter["ipv4"], *adapter["ipv6"])
        )
    )


@lru_cache(maxsize=1)
def _networks(interfaces: tuple[tuple[str, str, int], ...]) -> tuple[Network, ...]:
    """Return the networks of interfaces, which each record is compared with."""
    return own_networks(interfaces)


@callback
def async_own_addresses(hass: HomeAssistant) -> frozenset[str]:
    """Return the addresses of this machine in its networks."""
    addresses = (
        ip_address(plain_address(each["address"]))
        for adapter in network.async_get_loaded_adapters(hass)
        for each in (*adapter["ipv4"], *adapter["ipv6"])
    )
    return frozenset(str(each) for each in addresses if not each.is_loopback)


@callback
def async_announced(zc: Zeroconf, server: str, addresses: list[str]) -> list[str]:
    """Return the addresses of a host without those that it has just replaced.

    The cache keeps these for another second.
    """
    replaced = {
        plain_address(str(ip_address(each.address)))
        for each in zc.cache.async_entries_with_name(server)
        if isinstance(each, DNSAddress) and each.ttl <= _FLUSHED_TTL_S
    }
    left = [each for each in addresses if plain_address(each) not in replaced]
    return left or addresses
