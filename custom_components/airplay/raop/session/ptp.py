"""Our clock toward one receiver: messages to send, and answers."""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ReceiverProtocolError
from ..wire.ptp import (
    EVENT_PORT,
    GENERAL_PORT,
    OF_A_CLOCK,
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from ..wire.ptp_requests import (
    DelayRequest,
    DelayResponse,
    UnicastRequest,
    delay_request,
    signaling,
)
from .clock_estimate.claims import Claims
from .clock_estimate.clock_map import SAME, Timeline
from .clock_estimate.departure_gaps import DepartureGaps
from .ptp_following import FollowedClock
from .ptp_readiness import Election, Habit, Readiness

_MS_NS = 1_000_000
_SECOND_NS = 1_000 * _MS_NS

_ANNOUNCE_NS = _SECOND_NS
# While it hears us, a receiver that leads announces itself only every 20 s (reported).
# So one that has announced its own clock is left alone for an interval after our second
# Announce; no follower minds, as that is less than IEEE 1588's usual three.
_LISTEN_AFTER = 2
_SYNC_NS = 125 * _MS_NS
# Logarithms of the intervals in s, for the headers.
_LOG_SYNC, _LOG_RESTING = -3, 0
_PRIORITY = 128
# A receiver that leads sends 24 messages per second, and an answer to each request.
_MOST_ANSWERED = 256


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
    """One receiver that follows our clock, or whose clock we follow.

    It is followed if its record says that it leads, or once it shows that: if it goes
    on announcing its own clock 1 s after our first Announce.
    """

    def __init__(self, clock_id: int, habit: Habit, now_ns: int) -> None:
        self._source = PortIdentity(clock_id)
        self._election = Election(receiver_leads=habit is Habit.LEADS, now_ns=now_ns)
        self._followed = FollowedClock()
        # Another clock that a receiver that leads announces.
        self._changes = Claims()
        self._habit = habit
        self._readiness = Readiness(habit, now_ns)
        self._announce_ns = self._sync_ns = now_ns
        self._announces = self._claims = self._syncs = 0
        self._gaps = DepartureGaps()
        self._is_idle = False
        self._window_ns = self._answered = 0

    @property
    def next_ns(self) -> int:
        """The session time at which something is due."""
        if not self._election.receiver_leads:
            return min(self._announce_ns, self._sync_ns)
        return min(self._followed.next_request_ns, self._election.gone_ns)

    @property
    def timeline(self) -> Timeline:
        """The clock for anchors, with its map: ours until another one is known."""
        ours = Timeline(self._source.clock_id, SAME)
        if not self._election.receiver_leads:
            return ours
        return self._followed.timeline or ours

    @property
    def probes(self) -> int:
        """How often in a row the receiver has measured the path delay to us."""
        return self._readiness.probes

    def has_evidence(self, now_ns: int) -> bool:
        """Whether the receiver is known to share one clock with us."""
        if self._election.receiver_leads:
            return self._followed.reliable_at_ns is not None
        if self._election.is_undecided(now_ns):
            return False
        return self._readiness.has_evidence(now_ns)

    def ready_at_ns(self, now_ns: int) -> int:
        """Return the session time from which the common clock is reliable."""
        if self._election.receiver_leads and self._followed.reliable_at_ns is not None:
            return self._followed.reliable_at_ns
        return self._readiness.ready_at_ns(now_ns)

    def begin(self, now_ns: int) -> None:
        """Judge anew: the receiver is about to be set to follow our clock."""
        self._election.begin(now_ns)
        self._readiness.begin(now_ns)
        self.announce(now_ns)

    def announce(self, now_ns: int) -> None:
        """Announce our clock at once, as the receiver may have forgotten it."""
        self._announce_ns = self._sync_ns = now_ns
        self._claims = 0

    def rest(self, now_ns: int, *, is_idle: bool) -> None:
        """Record whether nothing plays at the receiver; if so, Syncs may be rare.

        nqptp compares each time with the last one, however old (its source: up to 15 s).
        Receivers that measure the path may count how many Syncs they miss.
        """
        was_resting, self._is_idle = self._is_resting, is_idle
        if was_resting and not is_idle:
            self._sync_ns = min(self._sync_ns, now_ns)

    @property
    def _is_resting(self) -> bool:
        """Whether a Sync goes with each Announce only."""
        return self._is_idle and self._readiness.is_simple

    def due(self, now_ns: int) -> list[Outgoing]:
        """Return the messages that are due."""
        if self._election.receiver_leads and now_ns >= self._election.gone_ns:
            self._lead(now_ns)
        if self._election.receiver_leads:
            return self._ask(now_ns)
        found: list[Outgoing] = []
        if now_ns >= self._announce_ns:
            found += self._claim(now_ns)
        if now_ns >= self._sync_ns:
            self._sync_ns = _next(self._sync_ns, _SYNC_NS, now_ns)
            if self._is_resting:
                self._sync_ns = self._announce_ns
            found.append(self._sync())
        return found

    def receive(
        self, datagram: bytes, arrived_ns: int, *, is_own_port: bool = True
    ) -> list[Outgoing]:
        """Handle a datagram of the receiver; return the answers.

        Requests may be from any port, but a clock only from the port of its kind.

        Raises ReceiverProtocolError: it is not a PTP message, there are too many, or a
        clock is from another port.
        """
        if not self._is_modest(arrived_ns):
            raise ReceiverProtocolError("more PTP messages than a receiver sends")
        kind = Header.parse(datagram).kind
        if kind in OF_A_CLOCK and not is_own_port:
            raise ReceiverProtocolError(f"PTP {kind.name} from an unexpected port")
        match kind:
            case MessageKind.DELAY_REQUEST | MessageKind.PEER_DELAY_REQUEST:
                return self._answer(DelayRequest.parse(datagram), arrived_ns)
            case MessageKind.SIGNALING:
                return self._grant(UnicastRequest.parse(datagram))
            case MessageKind.ANNOUNCE:
                self._handle_announce(PtpAnnounce.parse(datagram), arrived_ns)
            case MessageKind.SYNC if self._election.receiver_leads:
                self._handle_sync(PtpSync.parse(datagram), arrived_ns)
            case MessageKind.FOLLOW_UP if self._election.receiver_leads:
                self._followed.followed_up(PtpFollowUp.parse(datagram))
            case MessageKind.DELAY_RESPONSE if self._election.receiver_leads:
                self._handle_response(DelayResponse.parse(datagram), arrived_ns)
        return []

    def _lead(self, now_ns: int) -> None:
        """Let our clock be the common one, as the receiver's is not."""
        self._election.yield_to_us(now_ns)
        self._followed = FollowedClock()
        self._changes.forget()
        self._readiness = Readiness(self._habit, now_ns)
        self.announce(now_ns)

    def _ask(self, now_ns: int) -> list[Outgoing]:
        if now_ns < self._followed.next_request_ns:
            return []
        number = self._followed.ask(now_ns)

        def record(sent_ns: int, _now_ns: int) -> None:
            self._followed.departed(number, sent_ns)

        return [Outgoing(EVENT_PORT, delay_request(self._source, number), record)]

    def _claim(self, now_ns: int) -> list[Outgoing]:
        number = self._announces
        self._announces += 1
        self._claims += 1
        self._election.claim(now_ns)
        listens = self._election.is_contested and self._claims == _LISTEN_AFTER
        period_ns = 2 * _ANNOUNCE_NS if listens else _ANNOUNCE_NS
        self._announce_ns = _next(self._announce_ns, period_ns, now_ns)
        clock_id = self._source.clock_id
        announce = PtpAnnounce(self._source, number, clock_id, priority1=_PRIORITY)
        return [
            Outgoing(GENERAL_PORT, announce.build()),
            Outgoing(GENERAL_PORT, signaling(self._source, number)),
        ]

    def _sync(self) -> Outgoing:
        number = self._syncs
        self._syncs += 1
        interval = _LOG_RESTING if self._is_resting else _LOG_SYNC

        def follow_up(sent_ns: int, now_ns: int) -> bytes | None:
            # Receivers that measure the path delay match it with the Sync by number.
            if self._gaps.is_late(now_ns - sent_ns) and not self._readiness.probes:
                return None
            precise = PtpFollowUp(self._source, number, sent_ns, log_interval=interval)
            return precise.build()

        sync = PtpSync(self._source, number, log_interval=interval)
        return Outgoing(EVENT_PORT, sync.build(), follow_up)

    def _answer(self, request: DelayRequest, arrived_ns: int) -> list[Outgoing]:
        # One that leads measures the path too: that is no evidence that it follows us.
        if not self._election.receiver_leads:
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
        if self._election.receiver_leads:
            self._handle_leader(announce, arrived_ns)
        elif abs(announce.priority1 - _PRIORITY) == 1:
            # nqptp answers our first Announce with two of its own, whose priorities
            # are one below and one above ours.
            if self._announces:
                self._readiness.claim(arrived_ns)
        elif self._goes_on(announce, arrived_ns):
            self._readiness = Readiness(self._habit, arrived_ns)
            self._follow(announce, arrived_ns)

    def _goes_on(self, announce: PtpAnnounce, arrived_ns: int) -> bool:
        """Return whether the receiver announces its own clock in spite of ours."""
        election, clock_id = self._election, announce.source.clock_id
        if announce.grandmaster_id != clock_id:
            return False
        leads = election.announced(arrived_ns, clock_id)
        if election.is_asked:
            quiet_ns = arrived_ns + 2 * _ANNOUNCE_NS
            self._announce_ns = max(self._announce_ns, quiet_ns)
        return leads

    def _handle_leader(self, announce: PtpAnnounce, arrived_ns: int) -> None:
        """Follow the clock that is announced; another one only if it persists."""
        followed, clock_id = self._followed, announce.grandmaster_id
        is_ours = clock_id == self._source.clock_id
        is_first = followed.grandmaster_id is None and not is_ours
        if is_first or followed.is_of(announce):
            self._follow(announce, arrived_ns)
        elif self._changes.persists((clock_id, announce.source), arrived_ns):
            if is_ours:
                self._lead(arrived_ns)
            else:
                self._follow(announce, arrived_ns)

    def _follow(self, announce: PtpAnnounce, arrived_ns: int) -> None:
        self._changes.forget()
        self._election.heard(arrived_ns)
        self._followed.announced(announce)

    def _handle_sync(self, sync: PtpSync, arrived_ns: int) -> None:
        if self._followed.hears(sync):
            self._election.heard(arrived_ns)
            self._followed.synced(sync, arrived_ns)

    def _handle_response(self, response: DelayResponse, arrived_ns: int) -> None:
        if response.requester == self._source:
            source_id = response.source.clock_id
            self._followed.answered(source_id, response.sequence, arrived_ns)

    def _is_modest(self, now_ns: int) -> bool:
        if not 0 <= now_ns - self._window_ns < _SECOND_NS:
            self._window_ns, self._answered = now_ns, 0
        self._answered += 1
        return self._answered <= _MOST_ANSWERED


def _next(due_ns: int, period_ns: int, now_ns: int) -> int:
    """Return the next due time; skip those that were missed."""
    following_ns = due_ns + period_ns
    return following_ns if following_ns > now_ns else now_ns + period_ns
