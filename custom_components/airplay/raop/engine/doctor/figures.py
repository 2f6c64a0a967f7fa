"""The figures of one session, from its lane."""

from dataclasses import dataclass
import errno
import os
from typing import Self

from ...diagnosis import LinkFinding
from ...session.timeline import SECOND_NS
from ..lanes.airplay2 import AirPlay2Lane
from ..lanes.lane import Lane
from ..net import clock
from ..pacing.udp_outlet import UdpOutlet

_CLOSED = os.strerror(errno.ECONNREFUSED)


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of a session at one instant, as the figures begin there."""

    at_ns: int
    packets: int
    resent: int

    @classmethod
    def of(cls, lane: Lane) -> Self:
        """Return those of now."""
        return cls(clock.now_ns(), lane.packets, lane.resent)


def link_of(lane: Lane, since: Counters, gaps: int = 0) -> LinkFinding:
    """Return the figures since some counters; `gaps` packets were left out on purpose.

    Event loop, while the session is open.
    """
    now_ns = clock.now_ns()
    outlet, quality = lane.outlet, lane.connection.quality()
    resent = lane.resent - since.resent
    peer = lane.peer if isinstance(lane, AirPlay2Lane) else None
    udp = outlet if isinstance(outlet, UdpOutlet) else None
    refusal = outlet.sending.problem if outlet else None
    offset_us = udp.timing.offset_us(now_ns) if udp else None
    answer_s = lane.connection.answer_s
    link = lane.link
    return LinkFinding(
        seconds_s=round((now_ns - since.at_ns) / SECOND_NS, 1),
        is_proven=lane.is_proven,
        is_unconfirmed=lane.is_unconfirmed,
        packets=lane.packets - since.packets,
        lost=max(0, resent - gaps),
        gaps=gaps,
        gaps_noticed=min(resent, gaps),
        timing_requests=udp.timing.replies if udp else 0,
        round_trip_ms=_ms(quality.round_trip_us) if quality else None,
        round_trip_jitter_ms=_ms(quality.deviation_us) if quality else None,
        tcp_repeats=quality.repeats if quality else None,
        answer_ms=None if answer_s is None else _ms(answer_s * 1e6),
        clock_offset_ms=None if offset_us is None else _ms(offset_us),
        clock_spread_us=link.clock_spread_us,
        margin_ms=link.lead_ms,
        ptp_messages=peer.messages if peer else None,
        ptp_probes=peer.probes if peer else 0,
        udp_from=tuple(sorted(udp.timing.senders.heard)) if udp else (),
        strangers=tuple(sorted(udp.timing.senders.strangers)) if udp else (),
        refusal=refusal,
        is_port_closed=refusal == _CLOSED,
    )


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 2)
