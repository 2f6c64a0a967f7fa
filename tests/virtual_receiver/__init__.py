"""A virtual AirPlay 1 receiver, written without any code of the sender's."""

from .heard import Heard
from .mdns import Advertisement
from .quirks import ALL, Quirks
from .receiver import VirtualReceiver, VolumeChange
from .recording import PlayedPacket, Segment
from .rtsp import Request
from .stats import Stats
from .stream import ReceivedSync
from .timing import Cadence

__all__ = [
    "ALL",
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
]
