"""Our clock toward one receiver: messages to send, and answers."""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ReceiverProtocolError
from ..wire.ptp import (
    EVENT_PORT,
    GENERAL_PORT,
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from ..wire.ptp_requests import DelayRequest, UnicastRequest, signaling
from .ptp_following import SAME, ClockMap, FollowedClock
from .ptp_readiness import Habit, Readiness

_MS_NS = 1_000_000
_SECOND_NS = 1_000 * _MS_NS

_ANNOUNCE_NS = _SECOND_NS
_SYNC_NS = 125 * _MS_NS
_PRIORITY = 128
# nqptp uses a Follow_Up's arrival as the Sync's: one sent late by more than this
# gives it a wrong time. Omitting it does no harm, but not for a whole second.
_LATE_NS = 250_000
_MOST_LEFT_OUT = 6
# A receiver sends a handful of requests per second.
_MOST_ANSWERED = 64


type Followed = Callable[[int, int], bytes | None]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for a receiver's event or general port.

    If its departure matters, `follow_up` accepts that session time and the current
    one, and returns the message that reports it, or None to send none.
    """

    port: int
    message: bytes
    follow_up: Followed | None = None


class Peer:
    """One receiver that follows our clock, or whose clock we follow."""

    def __init__(self, clock_id: int, habit: Habit, now_ns: int) -> None:
        self._source = PortIdentity(clock_id)
        self._followed = FollowedClock() if habit is Habit.LEADS else None
        self._readiness = Readiness(habit, now_ns)
        self._announce_ns = self._sync_ns = now_ns
        self._announces = self._syncs = 0
        self._usual_gap_ns: int | None = None
        self._left_out = 0
        self._window_ns = self._answered = 0

    @property
    def next_ns(self) -> int | None:
        """The session time at which the next message is due, if any."""
        if self._followed:
            return None
        return min(self._announce_ns, self._sync_ns)

    @property
    def grandmaster_id(self) -> int | None:
        """The clock of the timeline, for anchors; unknown until it is announced."""
        if self._followed:
            return self._followed.grandmaster_id
        return self._source.clock_id

    @property
    def clock_map(self) -> ClockMap | None:
        """The mapping of session time to the timeline, if known."""
        return self._followed.map if self._followed else SAME

    @property
    def probes(self) -> int:
        """How often in a row the receiver has measured the path delay to us."""
        return self._readiness.probes

    def has_evidence(self, now_ns: int) -> bool:
        """Whether the receiver is known to share our clock."""
        if self._followed:
            return self._followed.reliable_at_ns is not None
        return self._readiness.has_evidence(now_ns)

    def ready_at_ns(self, now_ns: int) -> int:
        """Return the session time from which the common clock is reliable."""
        if self._followed and self._followed.reliable_at_ns is not None:
            return self._followed.reliable_at_ns
        return self._readiness.ready_at_ns(now_ns)

    def begin(self, now_ns: int) -> None:
        """Announce our clock at once: the receiver has just been set to follow it."""
        self._announce_ns = self._sync_ns = now_ns
        self._readiness.begin(now_ns)

    def due(self, now_ns: int) -> list[Outgoing]:
        """Return the messages that are due."""
        found: list[Outgoing] = []
        if self._followed:
            return found
        if now_ns >= self._announce_ns:
            self._announce_ns = _next(self._announce_ns, _ANNOUNCE_NS, now_ns)
            found += self._claim()
        if now_ns >= self._sync_ns:
            self._sync_ns = _next(self._sync_ns, _SYNC_NS, now_ns)
            found.append(self._sync())
        return found

    def receive(self, datagram: bytes, arrived_ns: int) -> list[Outgoing]:
        """Handle a datagram of the receiver; return the answers.

        Raises ReceiverProtocolError: it is not a PTP message, or there are too many.
        """
        if not self._is_modest(arrived_ns):
            raise ReceiverProtocolError("more PTP messages than a receiver sends")
        match Header.parse(datagram).kind:
            case MessageKind.DELAY_REQUEST | MessageKind.PEER_DELAY_REQUEST:
                return self._answer(DelayRequest.parse(datagram), arrived_ns)
            case MessageKind.SIGNALING:
                return self._grant(UnicastRequest.parse(datagram))
            case MessageKind.ANNOUNCE:
                self._handle_announce(PtpAnnounce.parse(datagram), arrived_ns)
            case MessageKind.SYNC if self._followed:
                self._followed.synced(PtpSync.parse(datagram), arrived_ns)
            case MessageKind.FOLLOW_UP if self._followed:
                self._followed.followed_up(PtpFollowUp.parse(datagram))
        return []

    def _claim(self) -> list[Outgoing]:
        number = self._announces
        self._announces += 1
        clock_id = self._source.clock_id
        announce = PtpAnnounce(self._source, number, clock_id, priority1=_PRIORITY)
        return [
            Outgoing(GENERAL_PORT, announce.build()),
            Outgoing(GENERAL_PORT, signaling(self._source, number)),
        ]

    def _sync(self) -> Outgoing:
        number = self._syncs
        self._syncs += 1

        def follow_up(sent_ns: int, now_ns: int) -> bytes | None:
            # Receivers that measure the path delay match it with the Sync by number.
            if self._is_late(now_ns - sent_ns) and not self._readiness.probes:
                return None
            return PtpFollowUp(self._source, number, sent_ns).build()

        return Outgoing(EVENT_PORT, PtpSync(self._source, number).build(), follow_up)

    def _is_late(self, gap_ns: int) -> bool:
        usual_ns = gap_ns if self._usual_gap_ns is None else self._usual_gap_ns
        is_late = gap_ns > usual_ns + _LATE_NS and self._left_out < _MOST_LEFT_OUT
        self._left_out = self._left_out + 1 if is_late else 0
        # A shorter gap counts at once, a longer one only if it persists.
        self._usual_gap_ns = min(gap_ns, usual_ns + max(0, gap_ns - usual_ns) // 64)
        return is_late

    def _answer(self, request: DelayRequest, arrived_ns: int) -> list[Outgoing]:
        self._readiness.probe(arrived_ns)
        answer = request.answer(self._source, arrived_ns)
        if not request.is_to_peer:
            return [Outgoing(GENERAL_PORT, answer)]

        def follow_up(sent_ns: int, _now_ns: int) -> bytes:
            return request.follow_up(self._source, sent_ns)

        return [Outgoing(EVENT_PORT, answer, follow_up)]

    def _grant(self, request: UnicastRequest) -> list[Outgoing]:
        if not request.wishes:
            return []
        return [Outgoing(GENERAL_PORT, request.grant(self._source))]

    def _handle_announce(self, announce: PtpAnnounce, arrived_ns: int) -> None:
        if self._followed:
            if announce.grandmaster_id != self._source.clock_id:
                self._followed.announced(announce)
        # nqptp answers our first Announce with two of its own, whose priorities are
        # one below and one above ours; others announce their own clock anyway.
        elif self._announces and abs(announce.priority1 - _PRIORITY) == 1:
            self._readiness.claim(arrived_ns)

    def _is_modest(self, now_ns: int) -> bool:
        if not 0 <= now_ns - self._window_ns < _SECOND_NS:
            self._window_ns, self._answered = now_ns, 0
        self._answered += 1
        return self._answered <= _MOST_ANSWERED


def _next(due_ns: int, period_ns: int, now_ns: int) -> int:
    """Return the next due time; skip those that were missed."""
    following_ns = due_ns + period_ns
    return following_ns if following_ns > now_ns else now_ns + period_ns
