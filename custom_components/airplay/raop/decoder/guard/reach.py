"""The addresses that media from outside may lead to.

Users may name any address. What a server delivers (redirects, entries of playlists,
segments) leads to public addresses, and to others only within the private network that
its server is in: a stranger has no reason to name a router, and a server at home may
name its neighbors, which it can reach without help.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

type _Address = IPv4Address | IPv6Address
type _Network = IPv4Network | IPv6Network

_LOOPBACKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_LINK_LOCAL = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
# RFC 6052: the gateway of an IPv6 network translates it to the IPv4 address at its end.
_TRANSLATED = IPv6Network("64:ff9b::/96")
# A home has few networks beside each other; another part of 10.0.0.0/8 is not its own.
_NETWORK_BITS = {4: 16, 6: 48}


@dataclass(frozen=True, slots=True)
class Reach:
    """The networks that are reached besides public addresses; None: everything is."""

    networks: tuple[_Network, ...] | None = ()

    def allows(self, address: str) -> bool:
        """Whether an address, which may have a scope, may be connected to."""
        if self.networks is None:
            return True
        parsed = _parsed(address)
        if parsed is None:
            return False
        return _is_public(parsed) or any(parsed in each for each in self.networks)

    def narrowed(self, other: Reach) -> Reach:
        """Return what both allow."""
        if self.networks is None:
            return other
        if other.networks is None:
            return self
        return Reach(tuple(each for each in self.networks if each in other.networks))


ANYWHERE = Reach(None)
PUBLIC = Reach()


def reach_from(server: str, *others: str) -> Reach:
    """Return what content from the server at this address may lead to.

    The server's other addresses count only if this one is not public: whoever owns a
    public name can give it any address besides.
    """
    networks = _networks_of(server)
    if networks:
        networks += tuple(each for other in others for each in _networks_of(other))
    return Reach(tuple(dict.fromkeys(networks)))


def _networks_of(server: str) -> tuple[_Network, ...]:
    """Return the private networks that contain an address."""
    address = _parsed(server)
    if address is None or _is_public(address):
        return ()
    for networks in (_LOOPBACKS, _LINK_LOCAL):
        if any(address in each for each in networks):
            return networks
    bits = _NETWORK_BITS[address.version]
    return (ip_network((int(address), bits), strict=False),)


def _parsed(text: str) -> _Address | None:
    """Parse an address; one that stands for another is that one."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _is_public(address: _Address) -> bool:
    is_site = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not is_site
