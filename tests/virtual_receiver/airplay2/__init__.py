"""The AirPlay 2 parts of a virtual receiver.

It shares no code with the sender. Encrypted control, realtime and buffered streams
and the clock that follows the sender's are here; pairing, the player and the record of
played sound are those of the classic receiver, and so is the interface for tests:

    async with AirPlay2Receiver("Den", ptp=PtpPorts(0, 0, None, None)) as den:
        ...  # a sender whose clock speaks to den.ptp_ports plays a song
        heard = den.heard(song)  # frames, first_frame_ns, is_complete
        assert den.violations == []

With the default ports, 319 and 320, every receiver needs its own address, and the
sender's clock another one, not 0.0.0.0.
"""

from tests.virtual_receiver.airplay2.receiver import AirPlay2Receiver

from .ptp_sockets import PtpPorts

__all__ = ["AirPlay2Receiver", "PtpPorts"]
