"""A virtual AirPlay receiver, written without any code of the sender's.

`airplay2` makes it one of AirPlay 2.
"""

from tests.virtual_receiver.clock import monotonic_ns, to_unix_ns
from tests.virtual_receiver.network.mdns import Advertisement
from tests.virtual_receiver.network.rtsp import Request
from tests.virtual_receiver.playback.find_sound import Heard
from tests.virtual_receiver.playback.recording import PlayedPacket, Segment
from tests.virtual_receiver.quirks import (
    ALL,
    SHAIRPORT_3_3_8,
    SHAIRPORT_5_1,
    SHAIRPORT_5_1_AIRPLAY_2,
    Quirks,
    Reaction,
)
from tests.virtual_receiver.raop.stream import ReceivedSync
from tests.virtual_receiver.raop.timing import Cadence
from tests.virtual_receiver.receiver import VirtualReceiver, VolumeChange
from tests.virtual_receiver.stats import Stats

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
    "Reaction",
    "ReceivedSync",
    "Request",
    "Segment",
    "Stats",
    "VirtualReceiver",
    "VolumeChange",
    "monotonic_ns",
    "to_unix_ns",
]
