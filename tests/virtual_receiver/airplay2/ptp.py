"""PTP messages between a sender's clock and a receiver that follows it."""

from dataclasses import dataclass
from enum import IntEnum
import struct

_HEAD = struct.Struct(">BBHBBHqI8sHHBb")
_ANNOUNCE = struct.Struct(">10xHxBBBHB8sHB")
_STAMP = struct.Struct(">HII")
_GPTP = 1
_TWO_STEP, _UNICAST_TIMESCALE = 0x0200, 0x0408
_PORT_NUMBER = 1


class Kind(IntEnum):
    """The messages that matter to a follower."""

    SYNC = 0
    DELAY_REQ = 1
    FOLLOW_UP = 8
    DELAY_RESP = 9
    ANNOUNCE = 11
    SIGNALING = 12


class PtpError(Exception):
    """The packet is no message of a gPTP clock."""


@dataclass(frozen=True, slots=True)
class Message:
    """The fields that all messages share, and the body."""

    kind: int
    sequence: int
    clock_id: int
    """The clock that sent it."""
    port: int
    """The number of its port."""
    correction_ns: int
    is_two_step: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Dataset:
    """The announced quality of a clock; less is better."""

    priority_1: int
    clock_class: int
    accuracy: int
    variance: int
    priority_2: int
    grandmaster: int


def parse(packet: bytes, *, needs_profile: bool = True) -> Message:
    """Read any message; plain 1588 is refused, as receivers do, unless told so."""
    if len(packet) < _HEAD.size:
        raise PtpError(f"message of {len(packet)} bytes")
    first, version, size, domain, _, flags, correction, _, clock, port, sequence, *_ = (
        _HEAD.unpack_from(packet)
    )
    if needs_profile and first >> 4 != _GPTP:
        raise PtpError("not gPTP")
    if version & 0xF != 2 or domain:
        raise PtpError(f"version {version & 0xF}, domain {domain}")
    if not _HEAD.size <= size <= len(packet):
        raise PtpError(f"{len(packet)} bytes say that they are {size}")
    return Message(
        first & 0xF,
        sequence,
        int.from_bytes(clock),
        port,
        correction >> 16,
        bool(flags & _TWO_STEP),
        packet[_HEAD.size : size],
    )


def parse_dataset(message: Message) -> Dataset:
    """Read the body of an Announce."""
    if len(message.body) < _ANNOUNCE.size:
        raise PtpError("Announce too short")
    _, one, clock_class, accuracy, variance, two, master, _, _ = _ANNOUNCE.unpack_from(
        message.body
    )
    return Dataset(one, clock_class, accuracy, variance, two, int.from_bytes(master))


def parse_stamp_ns(message: Message) -> int:
    """Read the time with which a Follow_Up or Delay_Resp begins."""
    if len(message.body) < _STAMP.size:
        raise PtpError("no time in it")
    high, low, nanoseconds = _STAMP.unpack_from(message.body)
    if nanoseconds >= 1_000_000_000:
        raise PtpError(f"{nanoseconds} ns in a second")
    stamp_ns: int = (high << 32 | low) * 1_000_000_000 + nanoseconds
    return stamp_ns


def requester(message: Message) -> bytes:
    """Return the clock that a Delay_Resp answers."""
    if len(message.body) < 20:
        raise PtpError("Delay_Resp too short")
    return message.body[10:18]


def build_announce(clock_id: bytes, sequence: int, priority_1: int) -> bytes:
    """Claim to be a clock of some worth."""
    body = _ANNOUNCE.pack(0, priority_1, 248, 0xFE, 0x436A, 248, clock_id, 0, 0xA0)
    return _message(Kind.ANNOUNCE, clock_id, sequence, body)


def build_sync(clock_id: bytes, sequence: int) -> bytes:
    """Mark an instant, which a Follow_Up carries."""
    return _message(Kind.SYNC, clock_id, sequence, bytes(10), _TWO_STEP)


def build_follow_up(
    clock_id: bytes, sequence: int, at_ns: int, correction_ns: int = 0
) -> bytes:
    """Carry the departure of the Sync with the same number, a part as correction."""
    body = _stamp(at_ns - correction_ns)
    return _message(
        Kind.FOLLOW_UP, clock_id, sequence, body, correction_ns=correction_ns
    )


def build_delay_resp(clock_id: bytes, request: Message, at_ns: int) -> bytes:
    """Answer a Delay_Req with the time of its arrival."""
    asker = struct.pack(">QH", request.clock_id, request.port)
    body = _stamp(at_ns) + asker
    return _message(Kind.DELAY_RESP, clock_id, request.sequence, body)


def build_delay_req(clock_id: bytes, sequence: int) -> bytes:
    """Ask when this message arrives."""
    return _message(Kind.DELAY_REQ, clock_id, sequence, bytes(10))


def _stamp(at_ns: int) -> bytes:
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    return _STAMP.pack(seconds >> 32, seconds & 0xFFFFFFFF, nanoseconds)


def _message(
    kind: Kind,
    clock_id: bytes,
    sequence: int,
    body: bytes,
    flags: int = 0,
    *,
    correction_ns: int = 0,
) -> bytes:
    head = _HEAD.pack(
        _GPTP << 4 | kind,
        2,
        _HEAD.size + len(body),
        0,
        0,
        _UNICAST_TIMESCALE | flags,
        correction_ns << 16,
        0,
        clock_id,
        _PORT_NUMBER,
        sequence & 0xFFFF,
        0,
        0,
    )
    return head + body
