"""The TXT records of a receiver of AirPlay 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.quirks import Quirks

MODEL = "ShairportSync"
SOURCE_VERSION = "366.0"
_PLAIN, _PASSWORD, _PIN = 0x4, 0x80, 0x200
# shairport-sync's, with text, artwork and progress (bits 15 to 17)
_FEATURES = 0x18340405FCA00
_UNIFIED, _BUFFERED, _PTP, _TRANSIENT = 38, 40, 41, 48

# differences from the record of `_raop._tcp` of AirPlay 1; None removes a key
_RAOP = {
    "tp": "UDP",
    "vs": SOURCE_VERSION,
    **dict.fromkeys(("ch", "sm", "sr", "ss", "sv", "txtvers")),
}


def colons(receiver_id: str) -> str:
    """Write an id as a hardware address."""
    return ":".join(receiver_id[at : at + 2] for at in range(0, 12, 2))


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a receiver, and its offered features."""

    receiver_id: str
    gate: Gate
    quirks: Quirks
    has_password: bool
    changes: Mapping[str, str | None] = field(default_factory=dict)
    """Differences from the usual record of `_airplay._tcp`."""

    @property
    def features(self) -> int:
        """Return the bits of the offered features."""
        offered = {
            _UNIFIED: self.quirks.encrypts_control,
            _BUFFERED: self.quirks.takes_buffered,
            _PTP: self.quirks.takes_ptp,
            _TRANSIENT: self.gate.takes_transient,
        }
        refused = sum(1 << bit for bit, is_offered in offered.items() if not is_offered)
        return _FEATURES & ~refused

    @property
    def flags(self) -> int:
        """Return the status flags."""
        pin = 0 if self.gate.takes_transient else _PIN
        return _PLAIN | pin | (_PASSWORD if self.has_password else 0)

    @property
    def public_key(self) -> bytes:
        """Return the key of its signatures."""
        return self.gate.signer.public_key().public_bytes_raw()

    def raop(
        self, classic: Mapping[str, str], changes: Mapping[str, str | None]
    ) -> dict[str, str]:
        """Return the record of `_raop._tcp`, from that of AirPlay 1."""
        own = {
            "ft": words(self.features),
            "sf": f"{self.flags:#x}",
            "pk": self.public_key.hex(),
        }
        return _without_none({**classic, **_RAOP, **own, **changes})

    def airplay(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Return the record of `_airplay._tcp`; a change to None removes a key."""
        digits = f"{self.receiver_id.lower():0>32}"
        cuts = pairwise((0, 8, 12, 16, 20, 32))
        identity = "-".join(digits[begin:end] for begin, end in cuts)
        record = {
            "deviceid": colons(self.receiver_id),
            "features": words(self.features),
            "flags": f"{self.flags:#x}",
            "model": MODEL,
            "srcvers": SOURCE_VERSION,
            "protovers": "1.1",
            "pk": self.public_key.hex(),
            "pi": identity,
            "gid": identity,
            "gcgl": "0",
            "igl": "0",
            "acl": "0",
        }
        return _without_none({**record, **self.changes, **changes})

    def info(self, name: str, volume_db: float) -> dict[str, object]:
        """Return the answer to GET /info."""
        record = self.airplay({})
        return {
            "deviceID": colons(self.receiver_id),
            "name": name,
            "model": record["model"],
            "features": self.features,
            "statusFlags": self.flags,
            "pi": record["pi"],
            "pk": self.public_key,
            "sourceVersion": record["srcvers"],
            "protocolVersion": "1.1",
            "initialVolume": volume_db,
            "keepAliveLowPower": True,
            "volumeControlType": 3,
        }


def words(bits: int) -> str:
    """Write features as records do: the low word first."""
    return f"{bits & 0xFFFFFFFF:#X},{bits >> 32:#X}".replace("X", "x")


def told(record: Mapping[str, str]) -> bytes:
    """Write a record as mDNS does, for `txtAirPlay` in /info."""
    items = (f"{key}={value}".encode()[:255] for key, value in record.items())
    return b"".join(bytes([len(item)]) + item for item in items)


def _without_none(record: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in record.items() if value is not None}
