"""UDP packets between a RAOP sender and a receiver, from the receiver's side."""

from dataclasses import dataclass
import struct

_AUDIO = struct.Struct(">BBHII")
_SYNC = struct.Struct(">BBHIQI")
_TIMING = struct.Struct(">BBHI8sQQ")
_RESEND_REQUEST = struct.Struct(">BBHHH")

AUDIO = 0x60
TIMING_REPLY = 0x53
SYNC = 0x54
RESENT = 0x56


class PacketError(Exception):
    """The packet is not one that a sender may send."""


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """The sound of one packet with its place in the stream."""

    sequence: int
    rtptime: int
    ssrc: int
    is_marked: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class SyncPacket:
    """The instant at which a frame plays, before the receiver's own latency."""

    is_first: bool
    flag: int
    rtptime_less_latency: int
    sender_ns: int
    rtptime: int


@dataclass(frozen=True, slots=True)
class TimingReply:
    """The sender's clock when our request came in and when the reply went out."""

    origin: bytes
    received_ns: int
    sent_ns: int


def packet_type(packet: bytes) -> int:
    """Return the type of any packet, without its marker bit."""
    if len(packet) < 2:
        raise PacketError("packet too short")
    return packet[1] & 0x7F


def parse_audio(packet: bytes) -> AudioPacket:
    """Read an audio packet, or the one inside of a resent packet."""
    if len(packet) < _AUDIO.size + 16:
        # shairport-sync ignores packets with less than 16 bytes of sound (rtp.c).
        raise PacketError("audio packet too short")
    version, kind, sequence, rtptime, ssrc = _AUDIO.unpack_from(packet)
    if version != 0x80 or kind & 0x7F != AUDIO:
        raise PacketError(f"audio packet begins with {packet[:2].hex()}")
    return AudioPacket(sequence, rtptime, ssrc, kind >= 0x80, packet[_AUDIO.size :])


def parse_sync(packet: bytes) -> SyncPacket:
    """Read a sync packet."""
    if len(packet) != _SYNC.size:
        raise PacketError(f"sync packet of {len(packet)} bytes")
    version, kind, flag, less, ntp, rtptime = _SYNC.unpack(packet)
    if version & 0xEF != 0x80 or kind != 0xD4:
        raise PacketError(f"sync packet begins with {packet[:2].hex()}")
    return SyncPacket(version == 0x90, flag, less, ntp_to_ns(ntp), rtptime)


def parse_timing_reply(packet: bytes) -> TimingReply:
    """Read the answer to a timing request."""
    if len(packet) != _TIMING.size:
        raise PacketError(f"timing reply of {len(packet)} bytes")
    version, kind, _, _, origin, received, sent = _TIMING.unpack(packet)
    if version != 0x80 or kind != 0xD3:
        raise PacketError(f"timing reply begins with {packet[:2].hex()}")
    return TimingReply(origin, ntp_to_ns(received), ntp_to_ns(sent))


def build_timing_request(filler: bytes) -> bytes:
    """Ask for the sender's clock; the filler comes back as the reply's origin."""
    return bytes.fromhex("80d20007") + bytes(20) + filler


def build_resend_request(first: int, count: int) -> bytes:
    """Ask for audio packets again."""
    return _RESEND_REQUEST.pack(0x80, 0xD5, 1, first & 0xFFFF, count)


def ntp_to_ns(ntp: int) -> int:
    """Convert an NTP time of 64 bits to nanoseconds since the NTP epoch."""
    return ntp * 1_000_000_000 >> 32


def ns_to_ntp(ns: int) -> int:
    """Convert nanoseconds since any epoch to an NTP time of 64 bits, which wraps."""
    return (ns << 32) // 1_000_000_000 & 0xFFFFFFFFFFFFFFFF


def signed_distance(later: int, earlier: int, bits: int) -> int:
    """Return later - earlier for counters that wrap."""
    half = 1 << bits - 1
    return (later - earlier + half) % (1 << bits) - half
