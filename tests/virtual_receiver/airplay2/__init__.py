"""What makes a virtual receiver one of AirPlay 2.

It shares no code with the sender. Encrypted control, realtime and buffered streams
and the clock that follows the sender's are here; pairing, the player and what was
heard when are those of the classic receiver.
"""

from .clockwork import PtpPorts
from .receiver import AirPlay2Receiver

__all__ = ["AirPlay2Receiver", "PtpPorts"]
