"""Sealed audio, and the announces with its play time."""

from dataclasses import dataclass
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.virtual_receiver.raop.packets import PacketError, SyncPacket

TIME_ANNOUNCE = 0x57
# shairport-sync plays a frame so much later than announced (rtp.c)
ANNOUNCE_FRAMES = 11035

_ANNOUNCE = struct.Struct(">BBHIQIQ")
_BUFFERED = struct.Struct(">III")
_TAG_BYTES, _NONCE_BYTES = 16, 8


@dataclass(frozen=True, slots=True)
class TimeAnnounce(SyncPacket):
    """A sync packet by the PTP clock with this id; `sender_ns` is its time."""

    clock_id: int

    @property
    def heard_rtptime(self) -> int:
        """Return the frame that plays at the announced time."""
        return self.rtptime_less_latency - ANNOUNCE_FRAMES & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class BufferedPacket:
    """A packet of a buffered stream, opened; `sequence` has 23 bits."""

    sequence: int
    rtptime: int
    ssrc: int
    payload: bytes


def parse_time_announce(packet: bytes) -> TimeAnnounce:
    """Read a time announce."""
    if len(packet) != _ANNOUNCE.size:
        raise PacketError(f"time announce of {len(packet)} bytes")
    first, kind, flag, frame_1, at_ns, frame_2, clock_id = _ANNOUNCE.unpack(packet)
    if first & 0xEF != 0x80 or kind != 0xD7:
        raise PacketError(f"time announce begins with {packet[:2].hex()}")
    return TimeAnnounce(first == 0x90, flag, frame_1, at_ns, frame_2, clock_id)


class Opener:
    """Opens packets that were sealed with a stream's key."""

    def __init__(self, key: bytes) -> None:
        """Use the `shk` of the stream's SETUP."""
        self._cipher = ChaCha20Poly1305(key)

    def open(self, head: bytes, sealed: bytes) -> bytes:
        """Open a payload; `head` is rtptime and SSRC as they were sent."""
        if len(sealed) <= _TAG_BYTES + _NONCE_BYTES:
            raise PacketError("sealed packet too short")
        nonce = bytes(4) + sealed[-_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed[:-_NONCE_BYTES], head)
        except InvalidTag as err:
            raise PacketError("packet cannot be opened") from err

    def open_buffered(self, packet: bytes) -> BufferedPacket:
        """Open a packet of a buffered stream, without its length in front."""
        if len(packet) < _BUFFERED.size:
            raise PacketError("buffered packet too short")
        sequence, rtptime, ssrc = _BUFFERED.unpack_from(packet)
        payload = self.open(packet[4:12], packet[12:])
        return BufferedPacket(sequence & 0x7FFFFF, rtptime, ssrc, payload)
