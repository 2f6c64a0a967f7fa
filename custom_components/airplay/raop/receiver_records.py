"""The TXT records of a receiver, each parsed once into typed values.

The meaning of keys and bits follows the TXT records of real receivers and the open
senders and receivers that read them. Values come from the network: those that
cannot be parsed count as absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from . import quirks
from .wire.codec import Codec
from .wire.txt import (
    lower_keys,
    parse_features,
    parse_number,
    parse_numbers,
    parse_words,
)

_ENCRYPTION_NONE = 0
_ENCRYPTION_RSA = 1
_ENCRYPTION_MFI = 4
_CODEC_L16 = 0
_CODEC_ALAC = 1


@dataclass(frozen=True, slots=True)
class Service:
    """One mDNS record of a receiver: its addresses and its TXT record.

    `host` is the address to try first; `addresses` are all, best first.
    """

    instance: str
    host: str
    port: int
    txt: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaopRecord:
    """The values of a `_raop._tcp` record; the defaults apply without a record."""

    model: str = ""
    firmware: str = ""
    os_version: str = ""
    source_version: str = ""
    protocol_version: str = ""
    features: int | None = None
    flags: int | None = None
    codecs: frozenset[int] = frozenset()
    encryptions: frozenset[int] = frozenset()
    metadata: frozenset[int] = frozenset()
    transports: frozenset[str] = frozenset()
    has_key: bool = False
    password: str = ""
    real_model: str = ""

    @classmethod
    def parse(cls, service: Service | None) -> Self:
        """Parse a record, or return the defaults."""
        if service is None:
            return cls()
        txt = lower_keys(service.txt)
        return cls(
            model=_model(txt, "am"),
            firmware=txt.get("fv", ""),
            os_version=txt.get("ov", ""),
            source_version=txt.get("vs", ""),
            protocol_version=txt.get("vn", ""),
            features=parse_features(txt.get("ft", "")),
            flags=parse_number(txt.get("sf", "")),
            codecs=parse_numbers(txt.get("cn", "")),
            encryptions=parse_numbers(txt.get("et", "")),
            metadata=parse_numbers(txt.get("md", "")),
            transports=parse_words(txt.get("tp", "")),
            has_key=txt.get("ek") == "1",
            password=txt.get("pw", ""),
            real_model=txt.get("rmodel", ""),
        )

    @property
    def own_version(self) -> str:
        """The version of the firmware, or of the operating system."""
        return self.firmware or self.os_version

    @property
    def codec(self) -> Codec:
        """ALAC unless the record lists codecs without it; L16 breaks shairport 5."""
        codecs = self.codecs
        if codecs and _CODEC_ALAC not in codecs and _CODEC_L16 in codecs:
            return Codec.L16
        return Codec.ALAC

    @property
    def wants_auth_setup(self) -> bool:
        """Whether the record lists the encryption of MFi."""
        return _ENCRYPTION_MFI in self.encryptions

    @property
    def has_open_encryption(self) -> bool:
        """Whether the record lists an encryption of ours, or nothing."""
        ours = {_ENCRYPTION_NONE, _ENCRYPTION_RSA, _ENCRYPTION_MFI}
        return not self.encryptions or bool(self.encryptions & ours)

    def requires_rsa(self, model: str) -> bool:
        """Whether audio must be encrypted; see the exceptions in `quirks`."""
        kinds = self.encryptions
        if kinds and _ENCRYPTION_RSA not in kinds:
            return False
        if kinds and _ENCRYPTION_NONE not in kinds:
            return True
        if quirks.insists_on_rsa(model):
            return True
        return self.has_key and not quirks.ignores_rsa(model)

    def may_require_rsa(self, model: str) -> bool:
        """Whether the record lists RSA, or nothing."""
        is_possible = not self.encryptions or _ENCRYPTION_RSA in self.encryptions
        return is_possible and not quirks.ignores_rsa(model)


@dataclass(frozen=True, slots=True, kw_only=True)
class AirPlayRecord:
    """The values of an `_airplay._tcp` record; the defaults apply without a record."""

    model: str = ""
    manufacturer: str = ""
    firmware: str = ""
    os_version: str = ""
    source_version: str = ""
    features: int | None = None
    flags: int | None = None
    pair_id: str = ""
    pair_name: str = ""
    group_id: str = ""
    leads_group: bool = False
    is_home_only: bool = False
    password: str = ""
    real_model: str = ""
    has_system_keys: bool = False

    @property
    def own_version(self) -> str:
        """The version of the firmware, or of the operating system."""
        return self.firmware or self.os_version

    @classmethod
    def parse(cls, service: Service | None) -> Self:
        """Parse a record, or return the defaults."""
        if service is None:
            return cls()
        txt = lower_keys(service.txt)
        return cls(
            model=_model(txt, "model"),
            manufacturer=txt.get("manufacturer", ""),
            firmware=txt.get("fv", ""),
            os_version=txt.get("osvers", ""),
            source_version=txt.get("srcvers", ""),
            features=parse_features(txt.get("features", "")),
            flags=parse_number(txt.get("flags", "")),
            pair_id=txt.get("tsid", "").lower(),
            pair_name=txt.get("gpn", ""),
            group_id=txt.get("pgid", ""),
            leads_group=txt.get("igl") == "1",
            is_home_only=txt.get("acl") == "1" or txt.get("act") == "2",
            password=txt.get("pw", ""),
            real_model=txt.get("rmodel", ""),
            has_system_keys=bool(txt.get("psi") and txt.get("fex")),
        )


def _model(txt: Mapping[str, str], key: str) -> str:
    """Return the model; one that claims to be an Apple TV may add its own (EZCast)."""
    return txt.get("rmodel") or txt.get(key, "")
