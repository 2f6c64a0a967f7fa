"""TXT records of real receivers, and the facts that the core must read from them.

Records: the examples of OwnTone's and shairport-sync's sources and of public reports.
"""

from dataclasses import dataclass, field

from custom_components.airplay.raop.obstacle import Obstacle
from custom_components.airplay.raop.receiver_lanes import LaneKind
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.wire.codec import Codec

ALL_KINDS = frozenset({"text", "artwork", "progress"})
NOTHING = frozenset[str]()
REALTIME_ALONE = (LaneKind.AIRPLAY2_REALTIME,)
AIRPLAY2_ALONE = (LaneKind.AIRPLAY2_REALTIME, LaneKind.AIRPLAY2_BUFFERED)
BOTH = (LaneKind.RAOP, LaneKind.AIRPLAY2_REALTIME)
ALL = (LaneKind.RAOP, LaneKind.AIRPLAY2_REALTIME, LaneKind.AIRPLAY2_BUFFERED)
RAOP_INSTANCE = "0011AABBCCDD@Kitchen"
MAC = "00:11:AA:BB:CC:DD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A receiver's record and the answers that it must lead to."""

    txt: str
    is_raop: bool = True
    codec: Codec = Codec.ALAC
    encrypts: bool = False
    auth_setup: bool = False
    password: bool = False
    pairing: bool = False
    first_express: bool = False
    shows: frozenset[str] = field(default=NOTHING)
    obstacle: Obstacle | None = None
    lanes: tuple[LaneKind, ...] = (LaneKind.RAOP,)
    manufacturer: str | None = None
    firmware: str | None = None

    def service(self) -> Service:
        """Return the record as it comes from the network."""
        instance = "0011AABBCCDD@Room" if self.is_raop else "Room"
        return Service(instance, "10.0.0.2", 5000, txt(self.txt))


def txt(text: str) -> dict[str, str]:
    """Read `a=1 b=2`, as records are written in the sources."""
    pairs = (word.partition("=") for word in text.split())
    return {key: value for key, _, value in pairs}


def raop(text: str = "", *, instance: str = RAOP_INSTANCE) -> Service:
    """Return a receiver's `_raop._tcp` record."""
    return Service(instance, "10.0.0.2", 5000, txt(text))


def airplay(text: str = "", *, instance: str = "Kitchen Speaker") -> Service:
    """Return the same receiver's `_airplay._tcp` record."""
    return Service(instance, "10.0.0.3", 7000, txt(text))


RAOP = {
    "AirPort Express 802.11g": Known(
        txt="tp=TCP,UDP sm=false sv=false ek=1 et=0,1 cn=0,1 ch=2 ss=16 sr=44100 "
        "pw=false vn=3 txtvers=1",
        encrypts=True,
        first_express=True,
    ),
    "AirPort Express 802.11n, second": Known(
        txt="am=Airport4,107 et=0,1", encrypts=True, manufacturer="Apple"
    ),
    "AirPort Express 802.11n, third": Known(
        txt="am=AirPort10,115 et=0,4", auth_setup=True, manufacturer="Apple"
    ),
    "Apple TV 2": Known(
        txt="am=AppleTV2,1 vs=130.14 et=0,3,5 cn=0,1,2,3 tp=UDP sf=0x4 pw=false",
        manufacturer="Apple",
        firmware="130.14",
    ),
    "Apple TV 3": Known(
        txt="am=AppleTV3,1 vs=200.54 sf=0x44 ft=0x5A7FFFF7,0xE et=0,3,5 cn=0,1,2,3",
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="200.54",
    ),
    "Apple TV 4": Known(
        txt="am=AppleTV5,3 vs=366.75.2 sf=0x10244 ft=0x5A7FFFF7,0x155FDE",
        pairing=True,
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="366.75.2",
        lanes=BOTH,
    ),
    "HomePod": Known(
        txt="am=AudioAccessory1,1 vs=356.19 sf=0x404 ft=0x4A7FCA00,0x56BD0 et=0,3,5 "
        "tp=UDP",
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="356.19",
        lanes=BOTH,
    ),
    "Sony STR-DN1040": Known(
        txt="am=STR-DN1040 vs=141.9 et=0,4 md=0,2 ft=0x44F0A00 sv=false pw=false",
        auth_setup=True,
        shows=frozenset({"text", "progress"}),
        firmware="141.9",
    ),
    "Airfoil Speakers": Known(txt="ek=1 et=0,1 cn=0,1 vn=3 tp=UDP", encrypts=True),
    "shairport-sync, classic build": Known(
        txt="sf=0x4 vs=105.1 tp=TCP,UDP vn=65537 md=0,1,2 ss=16 sr=44100 da=true "
        "sv=false et=0,1 ek=1 cn=0,1 ch=2 txtvers=1 pw=false",
        encrypts=True,
        shows=ALL_KINDS,
        firmware="105.1",
    ),
    "shairport-sync, AirPlay 2 build": Known(
        txt="cn=0,1 da=true et=0,1 pw=true ft=0x405C4A00,0x18340 fv=4.3 sf=0x84 "
        "md=0,1,2 am=ShairportSync tp=UDP vn=65537 vs=366.0 ov=14",
        password=True,
        shows=ALL_KINDS,
        firmware="4.3",
        lanes=ALL,
    ),
}

AIRPLAY = {
    "AirPort Express gen 3 (7.8)": Known(
        is_raop=False,
        txt="model=AirPort10,115 srcvers=366.0 flags=0x4 features=0x445D0A00,0x1C340 "
        "rsf=0x0 gcgl=0 acl=0",
        shows=frozenset({"progress"}),
        manufacturer="Apple",
        firmware="366.0",
        lanes=BOTH,
    ),
    "Apple TV 4 (14.2)": Known(
        is_raop=False,
        txt="model=AppleTV5,3 srcvers=525.38.42 flags=0x244 "
        "features=0x5A7FDFD5,0x3C155FDE igl=1 gcgl=1",
        pairing=True,
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="525.38.42",
        lanes=BOTH,
    ),
    "HomePod (14.3)": Known(
        is_raop=False,
        txt="model=AudioAccessory1,1 srcvers=530.6 flags=0x1a404 "
        "features=0x4A7FCA00,0x3C356BD0 igl=1 gcgl=1",
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="530.6",
        lanes=BOTH,
    ),
    "HomePod (OS 27)": Known(
        is_raop=False,
        txt="model=AudioAccessory1,1 osvers=27.0 srcvers=980.77.2 flags=0x98404 "
        "features=0x4A7FCA00,0x3C356BD0 igl=1 gcgl=1",
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="27.0",
        lanes=REALTIME_ALONE,
    ),
    "HomePod (OS 27), which says so by AirPlay's version alone": Known(
        txt="am=AudioAccessory5,1 vs=980.77.2 et=0,3,5 tp=UDP md=0,1,2",
        shows=ALL_KINDS,
        obstacle=Obstacle.AIRPLAY2_ONLY,
        manufacturer="Apple",
        firmware="980.77.2",
    ),
    "Sonos Symfonisk": Known(
        is_raop=False,
        txt="model=Bookshelf manufacturer=Sonos srcvers=366.0 flags=0x4 "
        "features=0x445F8A00,0x1C340 rsf=0x0",
        shows=ALL_KINDS,
        manufacturer="Sonos",
        firmware="366.0",
        lanes=(LaneKind.RAOP, LaneKind.AIRPLAY2_BUFFERED, LaneKind.AIRPLAY2_REALTIME),
    ),
    "Roku": Known(
        is_raop=False,
        txt="model=3810X manufacturer=Roku srcvers=377.28.01 flags=0x644 "
        "features=0x7F8AD0,0x10BCF46 rsf=0x3 at=0x3",
        pairing=True,
        shows=ALL_KINDS,
        manufacturer="Roku",
        firmware="377.28.01",
        lanes=AIRPLAY2_ALONE,
    ),
    "Samsung TV": Known(
        is_raop=False,
        txt="model=UNU7090 srcvers=377.17.24.6 flags=0x244 "
        "features=0x7F8AD0,0x38BCB46 rsf=0x3",
        pairing=True,
        shows=ALL_KINDS,
        firmware="377.17.24.6",
        lanes=AIRPLAY2_ALONE,
    ),
    "Marantz": Known(
        is_raop=False,
        txt="model=NR1607 srcvers=190.9.p6 flags=0x4 features=0x444F8A00",
        shows=ALL_KINDS,
        firmware="190.9.p6",
    ),
    "Libratone Loop": Known(
        is_raop=False,
        txt="srcvers=190.9 flags=0x4 features=0x444C0A00",
        firmware="190.9",
    ),
    "Apple TV 3": Known(
        is_raop=False,
        txt="model=AppleTV3,1 srcvers=220.68 pw=1 flags=0xc4 features=0x5A7FFFF7,0xE",
        password=True,
        shows=ALL_KINDS,
        manufacturer="Apple",
        firmware="220.68",
    ),
    "shairport-sync": Known(
        is_raop=False,
        txt="features=0x405C4A00,0x18340 flags=0x4 igl=0 gcgl=0 acl=0 protovers=1.1 "
        "srcvers=366.0",
        firmware="366.0",
        lanes=ALL,
    ),
}

KNOWN = [
    *((f"{name} (_raop)", known) for name, known in RAOP.items()),
    *((f"{name} (_airplay)", known) for name, known in AIRPLAY.items()),
]
