"""A device of the zoo as a virtual receiver, with the records that it announces."""

from collections.abc import Callable, Mapping
import socket
from typing import Any, override

from custom_components.airplay.const import AIRPLAY_TYPE, RAOP_TYPE
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.ha.zeroconf import service_info
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from tests.virtual_receiver.airplay2.bodies import Table
from tests.virtual_receiver.airplay2.session import AirPlay2Session
from tests.virtual_receiver.airplay2.txt import colons
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.raop.timing import Cadence

from .device import Clock, Device, Lane, Record, Way

NAME = "Zoo"
RECEIVER_ID = "0A0B0C0D0E5A"
CODE = "0427"
PASSWORD = "sesame"
UUID = "5a0b0c0d-0e5a-4000-8000-0a0b0c0d0e5a"
# Asks often, so that a busy machine does not make the clock of the receiver wrong.
EAGER = Cadence(first_requests=30, first_interval_s=0.02, interval_s=0.2)


class Announced:
    """The records of a device, with the identity of its virtual receiver."""

    def __init__(self, device: Device, public_key: bytes) -> None:
        self._device = device
        self._words = {
            "mac": colons(RECEIVER_ID),
            "uuid": UUID,
            "pk": public_key.hex(),
            "pair": UUID.upper(),
        }

    def txt(self, record: Record | None) -> dict[str, str]:
        """Return the keys of a record, or none."""
        return record.filled(self._words) if record else {}

    def infos(self, port: int) -> list[ZeroconfServiceInfo]:
        """Return what mDNS announces; both records have the port of the receiver."""
        device, infos = self._device, []
        if device.raop:
            instance, txt = f"{RECEIVER_ID}@{NAME}", self.txt(device.raop)
            infos.append(service_info(RAOP_TYPE, instance, txt, port=port))
        if device.airplay:
            txt = {"deviceid": colons(RECEIVER_ID)} | self.txt(device.airplay)
            infos.append(service_info(AIRPLAY_TYPE, NAME, txt, port=port))
        return infos

    def info(self) -> dict[str, object]:
        """Return what the device answers to GET /info beside its identity."""
        device, airplay = self._device, self.txt(self._device.airplay)
        raop = self.txt(device.raop)
        known = {
            "features": device.features or None,
            "model": airplay.get("model") or raop.get("am"),
            "statusFlags": _number(airplay.get("flags") or raop.get("sf")),
            "sourceVersion": airplay.get("srcvers") or raop.get("vs"),
            "manufacturer": airplay.get("manufacturer"),
        }
        seen = {key: value for key, value in known.items() if value is not None}
        return seen | dict(device.info or {})


class ModernReceiver(AirPlay2Receiver):
    """A device that announces AirPlay 2."""

    def __init__(self, announced: Announced, device: Device, **details: Any) -> None:
        super().__init__(NAME, **details)
        self._announced, self._device = announced, device

    @property
    @override
    def txt(self) -> dict[str, str]:
        return self._announced.txt(self._device.raop)

    @override
    def airplay_txt(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        txt = self._announced.txt(self._device.airplay)
        return txt | {key: value for key, value in changes.items() if value is not None}

    @override
    def told(self, *asked: Any, **how: Any) -> Table:
        answer = super().told(*asked, **how)
        is_whole = "features" in answer
        return {**answer, **self._announced.info()} if is_whole else answer


class ClassicReceiver(VirtualReceiver):
    """A device of AirPlay 1."""

    def __init__(self, announced: Announced, device: Device, **details: Any) -> None:
        super().__init__(NAME, **details)
        self._announced, self._device = announced, device

    @property
    @override
    def txt(self) -> dict[str, str]:
        return self._announced.txt(self._device.raop)


def build(
    device: Device, ptp: PtpPorts, open_key: Callable[[bytes], bytes]
) -> tuple[VirtualReceiver, Announced]:
    """Return the virtual receiver of a device, and its records."""
    demands = device.demands
    gate = Gate("home_kit", CODE, name=colons(RECEIVER_ID).encode())
    announced = Announced(device, gate.signer.public_key().public_bytes_raw())
    details: dict[str, Any] = {
        "receiver_id": RECEIVER_ID,
        "quirks": device.virtual_quirks,
        "password": PASSWORD if demands.password else None,
        "open_key": open_key,
        "cadence": EAGER,
    }
    if not device.speaks_airplay_2:
        return ClassicReceiver(announced, device, **details), announced
    if demands.pin:
        details["gate"] = gate
    return ModernReceiver(announced, device, ptp=ptp, **details), announced


def way_of(receiver: VirtualReceiver) -> Way:
    """Return the way by which a receiver plays now."""
    session = receiver.session
    if not isinstance(session, AirPlay2Session) or session.setup is None:
        return Way(Lane.RAOP, Clock.NTP)
    assert session.stream
    lane = Lane.BUFFERED if session.stream.kind == 103 else Lane.REALTIME
    if not session.setup.is_ptp:
        return Way(lane, Clock.NTP)
    follows = receiver.quirks.keeps_own_clock
    return Way(lane, Clock.PTP_FOLLOW if follows else Clock.PTP_LEAD)


def free_udp_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that are free now."""
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]
    finally:
        for sock in socks:
            sock.close()


def _number(text: str | None) -> int | None:
    return int(text, 16) if text else None
