"""Precision Time Protocol as AirPlay 2 receivers speak it: gPTP's messages over UDP.

Layouts: IEEE 1588-2008 §13 with the profile number of IEEE 802.1AS in the first
nibble, without which receivers drop a message. Times are ns since the clock's epoch.
"""

from dataclasses import dataclass
from enum import IntEnum
import struct
from typing import ClassVar, Self

from ..errors import ReceiverProtocolError

EVENT_PORT = 319
GENERAL_PORT = 320
# More than the longest message; no field that we read lies beyond.
MAX_BYTES = 512
# Flags of a header.
UNICAST = 0x0400
TWO_STEP = 0x0200
TIMESCALE = 0x0008

_PROFILE = 1 << 4
_VERSION = 2
_SECOND_NS = 1_000_000_000
# Unit of corrections: ns / 2^16.
_CORRECTION_BITS = 16

_HEADER = struct.Struct(">BBHBBHqIQHHBb")
_STAMP = struct.Struct(">HII")
_IDENTITY = struct.Struct(">QH")
_ANNOUNCE = struct.Struct(">HBBBBHBQHB")
_PATH_TRACE = struct.Struct(">HHQ")
_PATH_TRACE_KIND = 0x0008
_GPS = 0x20
# Apple's senders append to a Follow_Up: no change of rate, and their clock.
_RATE_TLV = bytes.fromhex("0003001c 0080c2 000001") + bytes(22)
_CLOCK_TLV = bytes.fromhex("00030010 000d93 000004")


class MessageKind(IntEnum):
    """Message types."""

    SYNC = 0x0
    DELAY_REQUEST = 0x1
    PEER_DELAY_REQUEST = 0x2
    PEER_DELAY_RESPONSE = 0x3
    FOLLOW_UP = 0x8
    DELAY_RESPONSE = 0x9
    PEER_DELAY_FOLLOW_UP = 0xA
    ANNOUNCE = 0xB
    SIGNALING = 0xC


# What a clock sends, and no follower of it.
OF_A_CLOCK = frozenset(
    {
        MessageKind.ANNOUNCE,
        MessageKind.SYNC,
        MessageKind.FOLLOW_UP,
        MessageKind.DELAY_RESPONSE,
    }
)


@dataclass(frozen=True, slots=True)
class PortIdentity:
    """A clock of 64 bits and the number of its port."""

    clock_id: int
    port: int = 0x8005

    def build(self) -> bytes:
        """Build the 10 bytes that name a port."""
        return _IDENTITY.pack(self.clock_id, self.port)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of every message."""

    SIZE: ClassVar[int] = _HEADER.size

    kind: MessageKind
    source: PortIdentity
    sequence: int
    flags: int = UNICAST | TIMESCALE
    correction_ns: int = 0
    control: int = 0
    log_interval: int = 0
    size: int = 0

    def build(self, body: bytes) -> bytes:
        """Build a message; sequence numbers wrap at 16 bits."""
        return (
            _HEADER.pack(
                _PROFILE | self.kind,
                _VERSION,
                _HEADER.size + len(body),
                0,
                0,
                self.flags,
                self.correction_ns << _CORRECTION_BITS,
                0,
                self.source.clock_id,
                self.source.port,
                self.sequence & 0xFFFF,
                self.control,
                self.log_interval,
            )
            + body
        )

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse the beginning of a message of any kind.

        Raises ReceiverProtocolError: it is too short, or its version, length, or kind
        is unknown.
        """
        if len(datagram) < _HEADER.size:
            raise ReceiverProtocolError("PTP message is too short")
        first, version, size, _, _, flags, correction, _, clock_id, port, *rest = (
            _HEADER.unpack_from(datagram)
        )
        sequence, control, log_interval = rest
        if version & 0xF != _VERSION:
            raise ReceiverProtocolError("PTP message has an unknown version")
        if not _HEADER.size <= size <= min(len(datagram), MAX_BYTES):
            raise ReceiverProtocolError("PTP message has a wrong length")
        try:
            kind = MessageKind(first & 0xF)
        except ValueError as err:
            raise ReceiverProtocolError("PTP message has an unknown kind") from err
        return cls(
            kind=kind,
            source=PortIdentity(clock_id, port),
            sequence=sequence,
            flags=flags,
            correction_ns=correction >> _CORRECTION_BITS,
            control=control,
            log_interval=log_interval,
            size=size,
        )


def opened(datagram: bytes, *kinds: MessageKind) -> tuple[Header, bytes]:
    """Return the header of a message of the given kinds, and its body.

    Raises ReceiverProtocolError: it has another kind, or as in `Header.parse`.
    """
    header = Header.parse(datagram)
    if header.kind not in kinds:
        raise ReceiverProtocolError(f"PTP message is {header.kind.name}")
    return header, datagram[Header.SIZE : header.size]


def stamp(time_ns: int) -> bytes:
    """Build a time stamp: 48 bits of seconds, 32 bits of ns."""
    seconds, rest = divmod(time_ns, _SECOND_NS)
    return _STAMP.pack(seconds >> 32 & 0xFFFF, seconds & 0xFFFFFFFF, rest)


def _unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    """Unpack the beginning of a body."""
    try:
        return layout.unpack_from(body)
    except struct.error as err:
        raise ReceiverProtocolError("PTP message is too short for its kind") from err


@dataclass(frozen=True, slots=True)
class PtpAnnounce:
    """A clock's offer to be the grandmaster; smaller numbers win."""

    source: PortIdentity
    sequence: int
    grandmaster_id: int
    priority1: int = 128
    clock_class: int = 6
    accuracy: int = 0x21
    variance: int = 0x436A
    priority2: int = 128
    steps_removed: int = 0

    def build(self) -> bytes:
        """Build the message with its path trace: from us."""
        body = bytes(10) + _ANNOUNCE.pack(
            0,
            0,
            self.priority1,
            self.clock_class,
            self.accuracy,
            self.variance,
            self.priority2,
            self.grandmaster_id,
            self.steps_removed,
            _GPS,
        )
        path = _PATH_TRACE.pack(_PATH_TRACE_KIND, 8, self.source.clock_id)
        return Header(MessageKind.ANNOUNCE, self.source, self.sequence).build(
            body + path
        )

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse an Announce."""
        header, body = opened(datagram, MessageKind.ANNOUNCE)
        _, _, priority1, level, accuracy, variance, priority2, grandmaster, steps, _ = (
            _unpack(_ANNOUNCE, body[10:])
        )
        return cls(
            source=header.source,
            sequence=header.sequence,
            grandmaster_id=grandmaster,
            priority1=priority1,
            clock_class=level,
            accuracy=accuracy,
            variance=variance,
            priority2=priority2,
            steps_removed=steps,
        )


@dataclass(frozen=True, slots=True)
class PtpSync:
    """The timed message; the time of a two-step Sync follows in a Follow_Up."""

    source: PortIdentity
    sequence: int
    origin_ns: int = 0
    correction_ns: int = 0
    is_two_step: bool = True
    log_interval: int = -3

    def build(self) -> bytes:
        """Build the message."""
        flags = UNICAST | TIMESCALE | (TWO_STEP if self.is_two_step else 0)
        return Header(
            MessageKind.SYNC,
            self.source,
            self.sequence,
            flags,
            self.correction_ns,
            log_interval=self.log_interval,
        ).build(stamp(self.origin_ns))

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a Sync."""
        header, body = opened(datagram, MessageKind.SYNC)
        return cls(
            source=header.source,
            sequence=header.sequence,
            origin_ns=_time_of(body),
            correction_ns=header.correction_ns,
            is_two_step=bool(header.flags & TWO_STEP),
            log_interval=header.log_interval,
        )


@dataclass(frozen=True, slots=True)
class PtpFollowUp:
    """The departure time of the Sync with the same number."""

    source: PortIdentity
    sequence: int
    precise_ns: int
    correction_ns: int = 0
    log_interval: int = -3

    def build(self) -> bytes:
        """Build the message."""
        body = stamp(self.precise_ns) + _RATE_TLV
        body += _CLOCK_TLV + self.source.clock_id.to_bytes(8) + bytes(2)
        return Header(
            MessageKind.FOLLOW_UP,
            self.source,
            self.sequence,
            correction_ns=self.correction_ns,
            log_interval=self.log_interval,
        ).build(body)

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a Follow_Up."""
        header, body = opened(datagram, MessageKind.FOLLOW_UP)
        return cls(
            source=header.source,
            sequence=header.sequence,
            precise_ns=_time_of(body),
            correction_ns=header.correction_ns,
            log_interval=header.log_interval,
        )


def _time_of(body: bytes) -> int:
    high, low, rest = _unpack(_STAMP, body)
    if rest >= _SECOND_NS:
        raise ReceiverProtocolError("PTP time has more than a second of ns")
    return (high << 32 | low) * _SECOND_NS + rest
