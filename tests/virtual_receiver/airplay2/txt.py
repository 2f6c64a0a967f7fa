"""What a receiver of AirPlay 2 tells about itself."""

from collections.abc import Mapping
from itertools import pairwise
import plistlib

from ..quirks import Quirks

MODEL = "ShairportSync"
SOURCE_VERSION = "366.0"
_PASSWORD, _PIN = 0x80, 0x200
# shairport-sync's, with text, artwork and progress (bits 15 to 17)
_FEATURES = 0x18340405FCA00
_UNIFIED, _BUFFERED, _PTP, _TRANSIENT = 38, 40, 41, 48


def features(quirks: Quirks, *, takes_transient: bool) -> int:
    """Return the bits of what is offered."""
    offered = {
        _UNIFIED: quirks.encrypts_control,
        _BUFFERED: quirks.takes_buffered,
        _PTP: quirks.takes_ptp,
        _TRANSIENT: takes_transient,
    }
    return _FEATURES & ~sum(1 << bit for bit, is_told in offered.items() if not is_told)


def flags(*, has_password: bool, needs_pin: bool) -> int:
    """Return the status flags."""
    return 0x4 | (_PASSWORD if has_password else 0) | (_PIN if needs_pin else 0)


def words(bits: int) -> str:
    """Write features as records do: the low word first."""
    return f"{bits & 0xFFFFFFFF:#X},{bits >> 32:#X}".replace("X", "x")


def raop_changes(bits: int, status: int, public_key: bytes) -> dict[str, str | None]:
    """Return what is different in the record of `_raop._tcp`."""
    return {
        "ft": words(bits),
        "sf": f"{status:#x}",
        "tp": "UDP",
        "vs": SOURCE_VERSION,
        "pk": public_key.hex(),
        "ch": None,
        "sm": None,
        "sr": None,
        "ss": None,
        "sv": None,
        "txtvers": None,
    }


def airplay_record(
    device_id: str,
    bits: int,
    status: int,
    public_key: bytes,
    changes: Mapping[str, str | None],
) -> dict[str, str]:
    """Return the record of `_airplay._tcp`; a change to None removes a key."""
    identity = f"{device_id.replace(':', '').lower():0>32}"
    cuts = (0, 8, 12, 16, 20, 32)
    parts = [identity[a:b] for a, b in pairwise(cuts)]
    record: dict[str, str | None] = {
        "deviceid": device_id,
        "features": words(bits),
        "flags": f"{status:#x}",
        "model": MODEL,
        "srcvers": SOURCE_VERSION,
        "protovers": "1.1",
        "pk": public_key.hex(),
        "pi": "-".join(parts),
        "gid": "-".join(parts),
        "gcgl": "0",
        "igl": "0",
        "acl": "0",
        **changes,
    }
    return {key: value for key, value in record.items() if value is not None}


def info(
    name: str, record: Mapping[str, str], bits: int, volume_db: float
) -> dict[str, object]:
    """Return the answer to GET /info."""
    return {
        "deviceID": record["deviceid"],
        "name": name,
        "model": record.get("model", MODEL),
        "features": bits,
        "statusFlags": int(record["flags"], 16),
        "pi": record.get("pi", ""),
        "pk": bytes.fromhex(record.get("pk", "")),
        "sourceVersion": record.get("srcvers", SOURCE_VERSION),
        "protocolVersion": "1.1",
        "initialVolume": volume_db,
        "keepAliveLowPower": True,
        "volumeControlType": 3,
    }


def told(record: Mapping[str, str]) -> bytes:
    """Write a record as mDNS does, for `txtAirPlay` in /info."""
    items = (f"{key}={value}".encode()[:255] for key, value in record.items())
    return b"".join(bytes([len(item)]) + item for item in items)


def dumps(table: Mapping[str, object]) -> bytes:
    """Write an answer."""
    return plistlib.dumps(dict(table), fmt=plistlib.FMT_BINARY)
