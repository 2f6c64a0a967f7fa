"""The lanes of a receiver, in an order that follows from the kind of its software.

A sender meets kinds of software, not models: which methods work, and in which order,
follows from public reports about some receivers of each kind.
"""

from enum import StrEnum

from .obstacle import Obstacle
from .receiver_records import AirPlayRecord, RaopRecord
from .wire.txt import parse_major

# Modules of LinkPlay play realtime streams only with a depth of 1.75 to 2.5 s, and
# show every sign of health below it (reported for WiiM and Edifier).
LINK_PLAY_DEPTH_MS = 2500
# The version of AirPlay in Apple's systems 27, and in its software for speakers of
# other makers; televisions have 377.
_APPLE_27 = 980
_SDK = 366
_TELEVISION = 377
_ENCRYPTION_NONE = 0
# FairPlay, MFi, and FairPlay with SAP 2.5.
_LICENSED = frozenset({3, 4, 5})
_FEATURE_MFI = 1 << 26
_FEATURE_SOFTWARE_MFI = 1 << 31
# RAOP is refused (JBL, Ubiquiti), never answered (Bose, B&W), or silent (Samsung).
_MAKERS_POOR_AT_RAOP = (
    "samsung",
    "jbl",
    "harman",
    "ubiquiti",
    "bose",
    "bowers",
    "b&w",
    "lg electronics",
)
_MODELS_POOR_AT_RAOP = ("jbl ", "lg s")
_SONOS_POOR_AT_RAOP = ("era 100", "era 300", "move 2", "roam 2", "arc ultra")
_LINK_PLAY_MAKERS = ("linkplay", "wiim", "edifier", "belkin")
_LINK_PLAY_FIRMWARES = ("p20.4.", "p20.linkplay")
_OPEN_MODELS = ("ShairportSync",)


class LaneKind(StrEnum):
    """A method to play to a receiver."""

    RAOP = "raop"
    AIRPLAY2_REALTIME = "airplay2-realtime"
    AIRPLAY2_BUFFERED = "airplay2-buffered"


# Whichever method of AirPlay 2 works, and the one without PTP.
AIRPLAY2 = "airplay2"
AIRPLAY2_NTP = "airplay2-ntp"


class Genus(StrEnum):
    """The kinds of receivers that are played to in different ways."""

    APPLE = "apple"
    APPLE_27 = "apple_27"
    LINK_PLAY = "link_play"
    SDK = "sdk"
    TELEVISION = "television"
    POOR_AT_RAOP = "poor_at_raop"
    OPEN = "open"
    OTHER = "other"


def genus_of(
    manufacturer: str | None,
    model: str | None,
    raop: RaopRecord,
    airplay: AirPlayRecord,
) -> Genus:
    """Return the kind of a receiver."""
    maker, name = (manufacturer or "").lower(), (model or "").lower()
    version = parse_major(airplay.source_version or raop.source_version)
    if maker == "apple":
        # A Mac plays by AirPlay 2 from its first version that is a receiver.
        is_new = version >= _APPLE_27 or name.startswith("mac")
        return Genus.APPLE_27 if is_new else Genus.APPLE
    if model in _OPEN_MODELS:
        return Genus.OPEN
    if version == _TELEVISION:
        return Genus.TELEVISION
    firmware = (airplay.firmware or raop.firmware).lower()
    if maker.startswith(_LINK_PLAY_MAKERS) or firmware.startswith(_LINK_PLAY_FIRMWARES):
        return Genus.LINK_PLAY
    is_listed = (
        maker.startswith(_MAKERS_POOR_AT_RAOP)
        or name.startswith(_MODELS_POOR_AT_RAOP)
        or (maker == "sonos" and name in _SONOS_POOR_AT_RAOP)
    )
    if is_listed or _has_no_chip(raop, airplay):
        return Genus.POOR_AT_RAOP
    return Genus.SDK if version == _SDK and (maker or firmware) else Genus.OTHER


def always_asks_time(model: str | None, raop: RaopRecord) -> bool:
    """Whether a receiver without AirPlay 2 asks for the time, as licensed ones do.

    Some open ones never do (libshairplay, shairport 1.x, nodetunes).
    """
    is_licensed = not raop.encryptions.isdisjoint(_LICENSED)
    return is_licensed or model in _OPEN_MODELS


def order_of(
    genus: Genus,
    airplay2: tuple[LaneKind, ...],
    raop_obstacle: Obstacle | None,
) -> tuple[LaneKind, ...]:
    """Return all lanes, best first.

    RAOP if it works, as its packets need no PTP clock.
    """
    classic = () if raop_obstacle else (LaneKind.RAOP,)
    if genus is Genus.LINK_PLAY:
        # Realtime is silent below a depth that others do not need.
        return (*airplay2[:1], *classic, *airplay2[1:])
    is_last = genus in (Genus.APPLE_27, Genus.POOR_AT_RAOP)
    return airplay2 + classic if is_last else classic + airplay2


def airplay2_order_of(genus: Genus, *, has_buffered: bool) -> tuple[LaneKind, ...]:
    """Return the lanes of AirPlay 2, best first.

    Buffered first on speakers with Apple's software for other makers. Televisions and
    shairport-sync: it comes last, as not all understand how its codec is announced.
    """
    if not has_buffered:
        return (LaneKind.AIRPLAY2_REALTIME,)
    order = (LaneKind.AIRPLAY2_REALTIME, LaneKind.AIRPLAY2_BUFFERED)
    is_first = genus in (Genus.SDK, Genus.LINK_PLAY, Genus.POOR_AT_RAOP)
    return order[::-1] if is_first else order


def _has_no_chip(raop: RaopRecord, airplay: AirPlayRecord) -> bool:
    """Whether it is made without Apple's chip, whose kin refuse or ignore RAOP."""
    features = airplay.features or raop.features or 0
    is_software = features & _FEATURE_SOFTWARE_MFI and not features & _FEATURE_MFI
    encryptions = raop.encryptions
    return bool(is_software) and (not encryptions or encryptions == {_ENCRYPTION_NONE})
