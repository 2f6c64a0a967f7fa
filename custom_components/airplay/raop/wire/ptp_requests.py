"""Requests of receivers to a PTP clock, and the answers."""

from dataclasses import dataclass
import struct
from typing import Self

from ..errors import ReceiverProtocolError
from .ptp import (
    TIMESCALE,
    TWO_STEP,
    UNICAST,
    Header,
    MessageKind,
    PortIdentity,
    opened,
    stamp,
)

_ANSWER = UNICAST | TWO_STEP | TIMESCALE
_PERIOD = -3

_SIGNALING_CONTROL = 5
_SIGNALING_PERIOD = -128
_GRANT_PERIOD = 0x7F
_TARGET_BYTES = 10
# Sent by Apple's senders; no receiver was seen to need it.
_SIGNALING = (
    bytes(_TARGET_BYTES)
    + bytes.fromhex("00030016 000d93 000001 00000301")
    + bytes(12)
    + bytes.fromhex("00030020 000d93 000005 00000301")
    + bytes(22)
)

# IEEE 1588-2008 §13.8: the time of arrival, and the port that asked.
_STAMP_BYTES, _RESPONSE_BYTES = 10, 20

_TLV = struct.Struct(">HH")
_REQUEST_UNICAST = 0x0004
_GRANT_UNICAST = 0x0005
_WISH = struct.Struct(">BbI")
_GRANT = struct.Struct(">HHBbIBB")
_GRANT_BYTES = 8
# One per kind of message.
_MOST_WISHES = 16


@dataclass(frozen=True, slots=True)
class DelayRequest:
    """A receiver's Delay_Req or Pdelay_Req: it asks for our time of arrival."""

    source: PortIdentity
    sequence: int
    is_to_peer: bool = False

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a Delay_Req or a Pdelay_Req."""
        peer = MessageKind.PEER_DELAY_REQUEST
        header, _ = opened(datagram, MessageKind.DELAY_REQUEST, peer)
        return cls(header.source, header.sequence, header.kind is peer)

    def answer(self, source: PortIdentity, received_ns: int) -> bytes:
        """Build the Delay_Resp or Pdelay_Resp with the time of arrival."""
        kind = MessageKind.DELAY_RESPONSE
        if self.is_to_peer:
            kind = MessageKind.PEER_DELAY_RESPONSE
        return self._build(kind, source, received_ns, _ANSWER)

    def follow_up(self, source: PortIdentity, answered_ns: int) -> bytes:
        """Build the Pdelay_Resp_Follow_Up with the departure time of the answer."""
        kind = MessageKind.PEER_DELAY_FOLLOW_UP
        return self._build(kind, source, answered_ns, UNICAST | TIMESCALE)

    def _build(
        self, kind: MessageKind, source: PortIdentity, time_ns: int, flags: int
    ) -> bytes:
        return Header(kind, source, self.sequence, flags, log_interval=_PERIOD).build(
            stamp(time_ns) + self.source.build()
        )


@dataclass(frozen=True, slots=True)
class DelayResponse:
    """A receiver's answer to our Delay_Req."""

    source: PortIdentity
    sequence: int
    requester: PortIdentity

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a Delay_Resp; the time of arrival in it is ignored.

        Raises ReceiverProtocolError: it is another message, or too short.
        """
        header, body = opened(datagram, MessageKind.DELAY_RESPONSE)
        if len(body) < _RESPONSE_BYTES:
            raise ReceiverProtocolError("PTP message is too short for its kind")
        clock_id = int.from_bytes(body[_STAMP_BYTES : _STAMP_BYTES + 8])
        port = int.from_bytes(body[_STAMP_BYTES + 8 : _RESPONSE_BYTES])
        return cls(header.source, header.sequence, PortIdentity(clock_id, port))


def delay_request(source: PortIdentity, sequence: int) -> bytes:
    """Build a Delay_Req, which asks a receiver that leads for its time of arrival.

    The profile number of 802.1AS in it is needed: a HomePod ignores others (reported).
    """
    header = Header(MessageKind.DELAY_REQUEST, source, sequence, log_interval=_PERIOD)
    return header.build(bytes(_STAMP_BYTES))


@dataclass(frozen=True, slots=True)
class UnicastWish:
    """One kind of message requested by unicast, for a limited time."""

    kind: int
    log_interval: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class UnicastRequest:
    """A receiver's request to send it messages by unicast."""

    source: PortIdentity
    sequence: int
    wishes: tuple[UnicastWish, ...]

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a Signaling message; other items in it are ignored.

        Raises ReceiverProtocolError: it is not a Signaling message, or a request in it
        is malformed.
        """
        header, body = opened(datagram, MessageKind.SIGNALING)
        wishes: list[UnicastWish] = []
        for kind, value in _tlvs(body[_TARGET_BYTES:]):
            if kind != _REQUEST_UNICAST:
                continue
            if len(value) < _WISH.size or len(wishes) == _MOST_WISHES:
                raise ReceiverProtocolError("malformed request for unicast")
            wanted, log_interval, duration_s = _WISH.unpack_from(value)
            wishes.append(UnicastWish(wanted >> 4, log_interval, duration_s))
        return cls(header.source, header.sequence, tuple(wishes))

    def grant(self, source: PortIdentity) -> bytes:
        """Build the answer that grants all requests."""
        granted = (
            _GRANT.pack(
                _GRANT_UNICAST,
                _GRANT_BYTES,
                wish.kind << 4,
                wish.log_interval,
                wish.duration_s,
                0,
                1,
            )
            for wish in self.wishes
        )
        return Header(
            MessageKind.SIGNALING,
            source,
            self.sequence,
            UNICAST,
            control=_SIGNALING_CONTROL,
            log_interval=_GRANT_PERIOD,
        ).build(self.source.build() + b"".join(granted))


def signaling(source: PortIdentity, sequence: int) -> bytes:
    """Build the Signaling message that a sender sends repeatedly."""
    return Header(
        MessageKind.SIGNALING,
        source,
        sequence,
        control=_SIGNALING_CONTROL,
        log_interval=_SIGNALING_PERIOD,
    ).build(_SIGNALING)


def _tlvs(body: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(body):
        if len(body) < at + _TLV.size:
            raise ReceiverProtocolError("PTP message ends within an item")
        kind, size = _TLV.unpack_from(body, at)
        at += _TLV.size
        if len(body) < at + size:
            raise ReceiverProtocolError("PTP message ends within an item")
        found.append((kind, body[at : at + size]))
        at += size
    return found
