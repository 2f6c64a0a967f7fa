"""A virtual AirPlay receiver, written without any code of the sender's.

`airplay2` makes it one of AirPlay 2.
"""

from .clock import monotonic_ns, to_unix_ns
from .heard import Heard
from .mdns import Advertisement
from .quirks import ALL, SHAIRPORT_3_3_8, SHAIRPORT_5_1, SHAIRPORT_5_1_AIRPLAY_2, Quirks
from .receiver import VirtualReceiver, VolumeChange
from .recording import PlayedPacket, Segment
from .rtsp import Request
from .stats import Stats
from .stream import ReceivedSync
from .timing import Cadence

__all__ = [
    "ALL",
    "SHAIRPORT_3_3_8",
    "SHAIRPORT_5_1",
    "SHAIRPORT_5_1_AIRPLAY_2",
    "Advertisement",
    "Cadence",
    "Heard",
    "PlayedPacket",
    "Quirks",
    "ReceivedSync",
    "Request",
    "Segment",
    "Stats",
    "VirtualReceiver",
    "VolumeChange",
    "monotonic_ns",
    "to_unix_ns",
]
