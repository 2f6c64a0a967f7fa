"""The receivers of the zoo, as data: what they announce, demand and get wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
import json
from pathlib import Path
from typing import Any, Self

from tests.virtual_receiver import Quirks

FOLDER = Path(__file__).parent / "devices"
FIELDS = frozenset(each.name for each in fields(Quirks))
_AIRPLAY_2 = 1 << 38 | 1 << 48


class Lane(StrEnum):
    """A method to play."""

    RAOP = "raop"
    REALTIME = "airplay2-realtime"
    BUFFERED = "airplay2-buffered"


class Clock(StrEnum):
    """How receiver and sender share a time."""

    NTP = "ntp"
    PTP_LEAD = "ptp-lead"
    """The sender's clock leads."""
    PTP_FOLLOW = "ptp-follow"
    """The receiver's clock leads."""


class Source(StrEnum):
    """How a fact is known, the surest first."""

    MEASURED = "measured"
    """Measured by whoever reports it."""
    LOG = "log"
    """Seen in a dump or trace that was published."""
    SOURCE = "source"
    """Written in a program's code, tests or documentation."""
    INFO = "info"
    """Derived from an answer to /info."""
    HEARSAY = "hearsay"
    """Reported without details."""
    INFERRED = "inferred"
    """Taken from a relative."""
    NONE = "none"
    """Not known."""


@dataclass(frozen=True, slots=True)
class Way:
    """A method that plays, by its sources; `depth_ms` if it needs a minimum."""

    lane: Lane
    clock: Clock
    depth_ms: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lane", Lane(self.lane))
        object.__setattr__(self, "clock", Clock(self.clock))


@dataclass(frozen=True, slots=True)
class Record:
    """An mDNS record: the keys that were seen, and those that a relative has."""

    port: int | None
    """None if no source names it."""
    txt: Mapping[str, str]
    inferred: Mapping[str, str] = field(default_factory=dict)

    def filled(self, words: Mapping[str, str]) -> dict[str, str]:
        """Return all keys, with the placeholders of their values replaced."""
        return {
            key: value.format_map(words)
            for key, value in {**self.txt, **self.inferred}.items()
        }


@dataclass(frozen=True, slots=True)
class Demands:
    """What a receiver wants before it plays."""

    pin: bool = False
    """A code from its screen, once."""
    client_name: bool = False
    """The name of the client, or it shows no code."""
    password: bool = False
    digest: str | None = None
    """The variant of the digest that it insists on: "upper-case"."""
    transient: bool = False
    """Pairing for one connection, by AirPlay 2."""
    auth_setup: bool = False
    """/auth-setup, or it refuses ANNOUNCE."""
    rsa: bool = False
    """Audio that is encrypted with a key under the AirPort's RSA key."""

    @property
    def quirks(self) -> dict[str, object]:
        """Return the quirks of the virtual receiver that stand for them."""
        wanted = {
            "hides_pin_without_client_name": self.client_name,
            "uppercase_digest": self.digest == "upper-case",
            "requires_auth_setup": self.auth_setup,
            "needs_rsa": self.rsa,
        }
        return {name: True for name, is_wanted in wanted.items() if is_wanted}


@dataclass(frozen=True, slots=True)
class Known:
    """How its records and its behavior are known."""

    records: Source
    behavior: Source

    def __post_init__(self) -> None:
        object.__setattr__(self, "records", Source(self.records))
        object.__setattr__(self, "behavior", Source(self.behavior))


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A receiver of the zoo."""

    name: str
    model: str | None
    group: str
    genus: str
    """The kind that its records show, as in the notes on receivers: G1 to G18."""
    raop: Record | None
    airplay: Record | None
    is_partial: bool
    """Whether the records that were seen are excerpts."""
    modelled_on: str | None
    """The relative whose records it has here, if its own are not known."""
    info: Mapping[str, object] | None
    """What was seen of its answer to GET /info."""
    demands: Demands
    quirks: Mapping[str, object]
    ways: tuple[Way, ...]
    """What its sources say works, best first; empty for those that play no audio."""
    known: Known
    sources: tuple[str, ...]
    note: str | None
    is_bridge: bool = False
    """Whether it only passes the sound on to another system."""

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        """Read a device; TypeError, KeyError or ValueError for what is not known."""
        raop, airplay = told["raop"], told["airplay"]
        parts = {
            "raop": Record(**raop) if raop else None,
            "airplay": Record(**airplay) if airplay else None,
            "demands": Demands(**told["demands"]),
            "ways": tuple(Way(**way) for way in told["ways"]),
            "known": Known(**told["known"]),
            "sources": tuple(told["sources"]),
        }
        return cls(**{**told, **parts})

    @property
    def all_quirks(self) -> dict[str, object]:
        """Return what it demands and what else is special about it."""
        return {**self.demands.quirks, **self.quirks}

    @property
    def virtual_quirks(self) -> Quirks:
        """Return the quirks of its virtual receiver."""
        return quirks_of(self.all_quirks)

    @property
    def features(self) -> int:
        """Return the bits of its features, by the record that has them."""
        airplay = self.airplay.filled(_BLANK) if self.airplay else {}
        raop = self.raop.filled(_BLANK) if self.raop else {}
        words = (airplay.get("features") or raop.get("ft") or "0x0").split(",")
        return sum(int(word, 16) << 32 * at for at, word in enumerate(words))

    @property
    def speaks_airplay_2(self) -> bool:
        """Return whether it announces AirPlay 2."""
        return bool(self.features & _AIRPLAY_2)


_BLANK = dict.fromkeys(("mac", "uuid", "pk", "pair"), "0")


def quirks_of(told: Mapping[str, object]) -> Quirks:
    """Return quirks from data, whose lists stand for sets; KeyError if unknown."""
    values: dict[str, object] = {}
    for name, value in told.items():
        if name not in FIELDS:
            raise KeyError(name)
        values[name] = frozenset(value) if isinstance(value, list) else value
    return Quirks(**values)  # type: ignore[arg-type]


def load() -> tuple[Device, ...]:
    """Return all devices, in the order of their files."""
    return tuple(
        Device.parse(told)
        for path in sorted(FOLDER.glob("*.json"))
        for told in json.loads(path.read_text())
    )


DEVICES = load()
