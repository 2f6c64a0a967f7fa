"""mDNS records, and a network that hands them to Home Assistant's zeroconf."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from zeroconf import Zeroconf
from zeroconf._dns import DNSPointer
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceInfo
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from custom_components.airplay.const import AIRPLAY_TYPE, RAOP_TYPE
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.virtual_receiver import VirtualReceiver


def service_info(
    kind: str,
    instance: str,
    txt: Mapping[str, str],
    *,
    port: int = 5000,
    addresses: tuple[str, ...] = ("127.0.0.1",),
) -> ZeroconfServiceInfo:
    """Return the discovery data that Home Assistant passes to a flow."""
    parsed = [ip_address(address) for address in addresses]
    return ZeroconfServiceInfo(
        ip_address=parsed[0],
        ip_addresses=parsed,
        port=port,
        hostname="virtual.local.",
        type=kind,
        name=f"{instance}.{kind}",
        properties=dict(txt),
    )


def raop_info(receiver: VirtualReceiver, **changes: Any) -> ZeroconfServiceInfo:
    """Return a receiver's `_raop._tcp` record."""
    instance = f"{receiver.receiver_id}@{receiver.name}"
    txt = receiver.txt | changes.pop("txt", {})
    return service_info(RAOP_TYPE, instance, txt, **({"port": receiver.port} | changes))


def airplay_info(receiver: VirtualReceiver, **changes: Any) -> ZeroconfServiceInfo:
    """Return a receiver's `_airplay._tcp` record."""
    txt = receiver.airplay_txt(changes.pop("txt", {}))
    return service_info(
        AIRPLAY_TYPE, receiver.name, txt, **({"port": receiver.port} | changes)
    )


class Network:
    """Packets that reach Home Assistant's zeroconf, without any network."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Use the instance that receives them."""
        self._zeroconf = zeroconf

    def announce(self, info: ZeroconfServiceInfo) -> None:
        """Announce a service."""
        self._hear(info, ttl=None)

    def mention(self, kind: str, name: str) -> None:
        """Announce only the name of a service."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        pointer = DNSPointer(kind, _TYPE_PTR, _CLASS_IN, 4500, f"{name}.{kind}")
        packet.add_answer_at_time(pointer, 0)
        self._deliver(packet)

    def goodbye(self, info: ZeroconfServiceInfo) -> None:
        """Announce that a service leaves."""
        self._hear(info, ttl=0)

    def _hear(self, info: ZeroconfServiceInfo, ttl: int | None) -> None:
        record = AsyncServiceInfo(
            info.type,
            info.name,
            port=info.port,
            properties=info.properties,
            server=info.hostname,
            parsed_addresses=info.addresses,
        )
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        packet.add_answer_at_time(record.dns_pointer(ttl), 0)
        packet.add_answer_at_time(record.dns_service(ttl), 0)
        packet.add_answer_at_time(record.dns_text(ttl), 0)
        for address in record.dns_addresses(ttl):
            packet.add_answer_at_time(address, 0)
        self._deliver(packet)

    def _deliver(self, packet: DNSOutgoing) -> None:
        for each in packet.packets():
            self._zeroconf.record_manager.async_updates_from_response(DNSIncoming(each))
