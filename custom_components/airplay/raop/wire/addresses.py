"""The addresses of a receiver: which are usable, and in which order to try them.

A record may list the address of a container bridge or of an interface without a
network before the one that works: an old AirPort Express announces a routable and a
169.254 address in any order, a host with Docker also that of its bridge.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
)
import re

# More than a receiver has; a record is not trusted to be short.
MOST_ADDRESSES = 8

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

# Interfaces of containers and virtual machines on this machine.
_BRIDGE = re.compile(
    r"(docker|hassio|veth|virbr|podman|cni|lxcbr|lxdbr|br-[0-9a-f]{12})"
)
# The gateways of Docker's default networks, which exist on each machine separately.
_CONTAINERS = tuple(IPv4Network(f"172.{number}.0.1/32") for number in range(17, 32))


def rank_addresses(
    addresses: Iterable[str],
    own: Iterable[Network] = (),
    current: str | None = None,
) -> tuple[str, ...]:
    """Return the usable addresses, best first; among equals `current`, then as given.

    `own` are the networks of this machine: a receiver there is reached without a
    router. IPv4 comes before IPv6, which some receivers announce without serving it.
    """
    networks = tuple(own)
    ranked = [
        (rank, each != current, each)
        for each in dict.fromkeys(addresses)
        if (rank := _rank(each, networks)) is not None
    ]
    ranked.sort(key=lambda item: item[:2])
    return tuple(each for _, _, each in ranked[:MOST_ADDRESSES])


def own_networks(interfaces: Iterable[tuple[str, str, int]]) -> tuple[Network, ...]:
    """Return the networks of this machine's interfaces, but not of its containers.

    Each interface is its name, its address, and the length of the network's prefix.
    """
    return tuple(
        ip_interface(f"{plain_address(address)}/{prefix}").network
        for name, address, prefix in interfaces
        if not _BRIDGE.match(name)
    )


def plain_address(text: str) -> str:
    """Return an address in one form, without its scope; a host name unchanged.

    The scope differs between interfaces, and between its name and its number.
    """
    address = _parse(text)
    if address is None:
        return text
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address)))
    return str(address)


def literals(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses that are no host names."""
    return tuple(each for each in addresses if _parse(each) is not None)


# A few addresses are asked for again and again.
@lru_cache(maxsize=256)
def _parse(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _rank(text: str, own: tuple[Network, ...]) -> int | None:
    """Return the rank of an address, the smaller the better; None if it is unusable."""
    address = _parse(text)
    if address is None or address.is_unspecified or address.is_multicast:
        return None
    is_near = any(address in network for network in own)
    is_v6 = isinstance(address, IPv6Address)
    if address.is_loopback:
        return 8
    if address.is_link_local:
        return _rank_link_local(address, is_near=is_near)
    if is_near:
        return int(is_v6)
    if any(address in network for network in _CONTAINERS):
        return 4
    return 2 + is_v6


def _rank_link_local(address: Address, *, is_near: bool) -> int | None:
    """Rank an address of one link: IPv6 needs its scope, IPv4 a network of that kind."""
    if isinstance(address, IPv6Address):
        return 6 if address.scope_id else None
    return 7 if is_near else None
