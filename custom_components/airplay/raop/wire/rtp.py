"""RTP packets that a RAOP sender and receiver exchange over UDP.

Layouts: captures of iTunes, and the source of open senders and receivers.
"""

from dataclasses import dataclass
from enum import IntEnum
import struct
from typing import Self

from ..errors import ReceiverProtocolError

FRAMES_PER_PACKET = 352
SAMPLE_RATE = 44100
BYTES_PER_FRAME = 4
PACKET_BYTES = FRAMES_PER_PACKET * BYTES_PER_FRAME
# The length prefix of a packet of a buffered stream.
LENGTH_BYTES = 2

_VERSION = 0x80
_EXTENSION = 0x10
_MARKER = 0x80
_FIXED_SEQUENCE = 7

_AUDIO_HEADER = struct.Struct(">BBHII")
_SYNC = struct.Struct(">BBHIQI")
_TIMING = struct.Struct(">BBHIQQQ")
_RESEND_REQUEST = struct.Struct(">BBHHH")
_RESEND_REPLY_HEADER = b"\x80\xd6\x00\x01"
_TIME_ANNOUNCE = struct.Struct(">BBHIQIQ")
_ANNOUNCE_SEQUENCE = 6
_BUFFERED_HEADER = struct.Struct(">III")
_BUFFERED_SEQUENCE_MASK = 0x7FFFFF


class PacketKind(IntEnum):
    """Payload types of RAOP's packets."""

    TIMING_REQUEST = 0x52
    TIMING_REPLY = 0x53
    SYNC = 0x54
    RESEND_REQUEST = 0x55
    RESEND_REPLY = 0x56
    TIME_ANNOUNCE = 0x57
    AUDIO = 0x60


def payload_type(datagram: bytes) -> int | None:
    """Return the payload type of an RTP packet, or None for anything else."""
    if len(datagram) < 2 or datagram[0] & 0xC0 != _VERSION:
        return None
    return datagram[1] & 0x7F


def audio_header(sequence: int, rtptime: int, ssrc: int) -> bytes:
    """Build the 12 bytes before a payload; numbers wrap at their field's size."""
    return _AUDIO_HEADER.pack(
        _VERSION,
        PacketKind.AUDIO,
        sequence & 0xFFFF,
        rtptime & 0xFFFFFFFF,
        ssrc & 0xFFFFFFFF,
    )


def with_marker(datagram: bytes) -> bytes:
    """Return an audio packet marked as the first after RECORD or FLUSH."""
    return bytes((datagram[0], datagram[1] | _MARKER)) + datagram[2:]


def buffered_header(sequence: int, rtptime: int, ssrc: int) -> bytes:
    """Build the 12 bytes before a payload of a buffered stream; numbers wrap."""
    return _BUFFERED_HEADER.pack(
        _VERSION << 24 | sequence & _BUFFERED_SEQUENCE_MASK,
        rtptime & 0xFFFFFFFF,
        ssrc & 0xFFFFFFFF,
    )


def buffered_sequence(sequence: int) -> int:
    """Return a sequence number with the 23 bits of a buffered stream."""
    return sequence & _BUFFERED_SEQUENCE_MASK


def framed(packet: bytes) -> bytes:
    """Prefix a packet with its length, which includes its own two bytes."""
    return (len(packet) + LENGTH_BYTES).to_bytes(LENGTH_BYTES) + packet


@dataclass(frozen=True, slots=True)
class TimeAnnounce:
    """Our mapping of a frame to a time of a PTP clock."""

    frame: int
    end_frame: int
    time_ns: int
    clock_id: int
    is_first: bool = False

    def build(self) -> bytes:
        """Build the packet; RTP times wrap at 32 bits."""
        return _TIME_ANNOUNCE.pack(
            _VERSION | (_EXTENSION if self.is_first else 0),
            PacketKind.TIME_ANNOUNCE | _MARKER,
            _ANNOUNCE_SEQUENCE,
            self.frame & 0xFFFFFFFF,
            self.time_ns,
            self.end_frame & 0xFFFFFFFF,
            self.clock_id,
        )

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Parse a time announce.

        Raises ReceiverProtocolError: it has another kind, or is too short.
        """
        first, _, _, frame, time_ns, end_frame, clock_id = _unpack(
            _TIME_ANNOUNCE, PacketKind.TIME_ANNOUNCE, packet
        )
        return cls(frame, end_frame, time_ns, clock_id, bool(first & _EXTENSION))


@dataclass(frozen=True, slots=True)
class SyncPacket:
    """Our mapping of a frame to an NTP time."""

    rtptime: int
    rtptime_less_latency: int
    ntp: int
    is_first: bool = False

    def build(self) -> bytes:
        """Build the packet; RTP times wrap at 32 bits."""
        return _SYNC.pack(
            _VERSION | (_EXTENSION if self.is_first else 0),
            PacketKind.SYNC | _MARKER,
            # iTunes sends 7: receivers add 11025 frames to the latency.
            _FIXED_SEQUENCE,
            self.rtptime_less_latency & 0xFFFFFFFF,
            self.ntp,
            self.rtptime & 0xFFFFFFFF,
        )

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Parse a sync packet.

        Raises ReceiverProtocolError: it has another kind, or is too short.
        """
        first, _, _, less_latency, ntp, rtptime = _unpack(
            _SYNC, PacketKind.SYNC, packet
        )
        return cls(rtptime, less_latency, ntp, bool(first & _EXTENSION))


@dataclass(frozen=True, slots=True)
class TimingRequest:
    """A receiver's request for our time; its own stamp may be filler."""

    sent_ntp: int

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Parse a timing request.

        Raises ReceiverProtocolError: it has another kind, or is too short.
        """
        *_, sent_ntp = _unpack(_TIMING, PacketKind.TIMING_REQUEST, packet)
        return cls(sent_ntp)

    def reply(self, received_ntp: int, sent_ntp: int) -> bytes:
        """Build the answer with the times of arrival and departure."""
        return _TIMING.pack(
            _VERSION,
            PacketKind.TIMING_REPLY | _MARKER,
            _FIXED_SEQUENCE,
            0,
            self.sent_ntp,
            received_ntp,
            sent_ntp,
        )


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """A receiver's request to send lost audio packets again."""

    first: int
    count: int

    @classmethod
    def parse(cls, packet: bytes) -> Self:
        """Parse a resend request.

        Raises ReceiverProtocolError: it has another kind, or is too short.
        """
        *_, first, count = _unpack(_RESEND_REQUEST, PacketKind.RESEND_REQUEST, packet)
        return cls(first, count)

    def sequence_numbers(self) -> list[int]:
        """List the lost packets; sequence numbers wrap at 16 bits."""
        return [(self.first + offset) & 0xFFFF for offset in range(self.count)]


def resend_reply(datagram: bytes) -> bytes:
    """Wrap an audio packet that is sent again over the control channel.

    Receivers use the sequence number of the inner packet; the outer one is 1 in
    every sender that was compared.
    """
    return _RESEND_REPLY_HEADER + datagram


def _unpack(layout: struct.Struct, kind: PacketKind, packet: bytes) -> tuple[int, ...]:
    if payload_type(packet) != kind:
        raise ReceiverProtocolError(f"packet is not {kind.name}")
    try:
        return layout.unpack_from(packet)
    except struct.error as err:
        raise ReceiverProtocolError(f"{kind.name} packet is too short") from err
