"""Conversion of mDNS records, and the choice of the address to use."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from ..raop.api import Service


def instance_of(name: str, kind: str) -> str:
    """Return a record's full name without its type."""
    return name.removesuffix(f".{kind}")


def service_of(
    name: str,
    kind: str,
    addresses: Iterable[str],
    port: int | None,
    txt: dict[str, str | None],
    current_host: str | None = None,
) -> Service | None:
    """Return a record as the core's type, or None without a usable address or port."""
    host = pick_host(addresses, current_host)
    if host is None or not port:
        return None
    return Service(
        instance=instance_of(name, kind),
        host=host,
        port=port,
        txt={key: value or "" for key, value in txt.items()},
    )


def pick_host(addresses: Iterable[str], current: str | None) -> str | None:
    """Return the address to use: the current one as long as it is usable.

    An old AirPort Express announces a routable and a 169.254 address in any order.
    """
    ranked = sorted(
        ((rank, address) for address in addresses if (rank := _rank(address))),
        key=lambda pair: pair[0],
    )
    best = [address for rank, address in ranked if rank == ranked[0][0]]
    if not best:
        return None
    return current if current in best else best[0]


def _rank(text: str) -> int:
    """Return the rank of an address, the smaller the better; 0 if it is unusable."""
    address = ip_address(text)
    if address.is_unspecified or address.is_multicast:
        return 0
    if address.is_loopback:
        return 4
    if isinstance(address, IPv6Address):
        if address.is_link_local:
            return 3 if address.scope_id else 0
        return 2
    return 0 if address.is_link_local else 1
