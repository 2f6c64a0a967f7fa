"""Packets with as many made-up receivers as fit into one, as a hostile host sends them."""

from collections.abc import Iterable
from ipaddress import IPv4Address
import struct

from zeroconf import Zeroconf
from zeroconf._protocol.incoming import DNSIncoming

# The largest packet that mDNS allows.
_MOST_BYTES = 8966
_PTR, _TXT, _SRV, _A = 12, 16, 33, 1
_IN, _UNIQUE = 0x0001, 0x8001


class MadeUp:
    """A receiver that does not exist, with a record of one kind."""

    def __init__(
        self, kind: str, instance: str, txt: Iterable[bytes], address: str = "10.9.8.7"
    ) -> None:
        """Describe it; a string of its record has at most 255 bytes."""
        self.kind = kind
        self.instance = instance.encode()[:63]
        self.txt = b"".join(bytes([len(each)]) + each for each in txt)
        self.address = IPv4Address(address).packed


def packets(receivers: Iterable[MadeUp], ttl_s: int) -> list[bytes]:
    """Return packets that announce receivers, as few as there can be.

    A time to live of 0 says goodbye.
    """
    found: list[bytes] = []
    body, count = b"", 0
    for each in receivers:
        records = _records(each, 12 + len(body), ttl_s)
        if 12 + len(body) + len(records) > _MOST_BYTES and count:
            found.append(_packet(body, count))
            body, count = b"", 0
            records = _records(each, 12, ttl_s)
        body += records
        count += 4
    return [*found, _packet(body, count)]


def deliver(zeroconf: Zeroconf, packet: bytes) -> None:
    """Hand a packet to Home Assistant's zeroconf."""
    zeroconf.record_manager.async_updates_from_response(DNSIncoming(packet))


def _packet(body: bytes, count: int) -> bytes:
    return struct.pack(">6H", 0, 0x8400, 0, count, 0, 0) + body


def _records(receiver: MadeUp, at: int, ttl_s: int) -> bytes:
    """Return PTR, SRV, TXT, and A; the later ones refer to the names in the first."""
    kind = b"".join(
        bytes([len(label)]) + label
        for label in receiver.kind.rstrip(".").encode().split(b".")
    )
    instance_at = at + len(kind) + 1 + 10
    here = _pointer(instance_at)
    name = bytes([len(receiver.instance)]) + receiver.instance + _pointer(at)
    # The host is the instance, too, so that no name is written twice.
    return (
        kind
        + b"\0"
        + _data(_PTR, _IN, ttl_s, name)
        + here
        + _data(_SRV, _UNIQUE, ttl_s, struct.pack(">3H", 0, 0, 7000) + here)
        + here
        + _data(_TXT, _UNIQUE, ttl_s, receiver.txt)
        + here
        + _data(_A, _UNIQUE, ttl_s, receiver.address)
    )


def _pointer(offset: int) -> bytes:
    return struct.pack(">H", 0xC000 | offset)


def _data(kind: int, of: int, ttl_s: int, data: bytes) -> bytes:
    return struct.pack(">HHIH", kind, of, ttl_s, len(data)) + data
