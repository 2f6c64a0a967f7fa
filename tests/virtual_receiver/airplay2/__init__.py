"""What makes a virtual receiver one of AirPlay 2.

It shares no code with the sender. Encrypted control, realtime and buffered streams
and the clock that follows the sender's are here; pairing, the player and what was
heard when are those of the classic receiver, and so are the questions of a test:

    async with AirPlay2Receiver("Den", ptp=PtpPorts(0, 0, None, None)) as den:
        ...  # a sender whose clock speaks to den.ptp_ports plays a song
        heard = den.heard(song)  # frames, first_frame_ns, is_complete
        assert den.violations == []

With the ports by default, 319 and 320, every receiver needs an address of its own,
and the sender's clock one of its own as well, not 0.0.0.0.
"""

from tests.virtual_receiver.airplay2.receiver import AirPlay2Receiver

from .ptp_sockets import PtpPorts

__all__ = ["AirPlay2Receiver", "PtpPorts"]
