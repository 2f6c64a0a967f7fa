"""A clock that follows the sender's, as nqptp does; without any socket."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.packets import signed_distance

from .one_way_clock import OneWayEstimator
from .ptp import (
    Dataset,
    Kind,
    Message,
    PtpError,
    build_announce,
    build_delay_req,
    parse,
    parse_dataset,
    parse_stamp_ns,
    requester,
)

# measured on nqptp: it sends two announces, the second so much later
SECOND_ANNOUNCE_NS = 150_000_000
DELAY_REQ_NS = 500_000_000
DELAY_ANSWERS = 3
# reported for HomePods in a group: three announces of their own in 0.4 s
OWN_ANNOUNCES, OWN_ANNOUNCE_NS, OWN_PRIORITY_1 = 3, 200_000_000, 248

_PENDING = 16
_DELAYS = 8

type Send = Callable[[bool, bytes], int]
"""Sends on the event port (True) or the general one; returns the time of departure."""


@dataclass(slots=True)
class FollowerStats:
    """Counts of received and sent messages on the PTP ports."""

    announces: int = 0
    syncs: int = 0
    follow_ups: int = 0
    other_messages: int = 0
    malformed: int = 0
    strangers: int = 0
    """Packets from an address that we do not follow."""
    wrong_ports: int = 0
    """Packets that came from another port than theirs."""
    announces_sent: int = 0
    delay_requests: int = 0
    delay_requests_heard: int = 0
    delay_answers: int = 0


class Follower:
    """Measure the sender's clock; all times are of the receiver's, in ns."""

    def __init__(self, clock_id: bytes, quirks: Quirks, send: Send) -> None:
        """Begin without a clock to follow."""
        self._clock_id = clock_id
        self._quirks = quirks
        self._send = send
        self._master: Dataset | None = None
        self._second_announce_ns: int | None = None
        self._since_ns: int | None = None
        self._next_delay_req_ns: int | None = None
        self._next_own_ns: int | None = None
        self._own_left = 0
        self._sequence = self._delay_sequence = 0
        self._syncs: dict[int, tuple[int, int]] = {}
        self._stamps: dict[int, int] = {}
        self._last: tuple[int, int] | None = None
        self._delays: list[int] = []
        self._asked: dict[int, int] = {}
        self.estimator = OneWayEstimator()
        self.stats = FollowerStats()

    def restart(self, now: int) -> None:
        """Forget all clocks, as a stream's SETUP makes nqptp do."""
        self._elect(None)
        wait_ns = round(self._quirks.delay_req_after_s * 1e9)
        self._next_delay_req_ns = (
            now + wait_ns if self._quirks.sends_delay_req else None
        )
        if self._quirks.announces_until_ours:
            self._own_left, self._next_own_ns = OWN_ANNOUNCES, now

    @property
    def master(self) -> int | None:
        """Return the id of the clock that is followed."""
        return None if self._master is None else self._master.grandmaster

    def knows(self, clock_id: int, now: int) -> bool:
        """Return whether a clock is measured well enough to play by it."""
        if self._since_ns is None or clock_id != self.master:
            return False
        if self._quirks.sends_delay_req and len(self._delays) < DELAY_ANSWERS:
            return False
        is_settled = now >= self._since_ns + round(self._quirks.ptp_settle_s * 1e9)
        return is_settled and self.estimator.is_known

    @property
    def next_due_ns(self) -> int | None:
        """Return when `tick` has something to do."""
        due = (self._second_announce_ns, self._next_delay_req_ns, self._next_own_ns)
        return min((at for at in due if at is not None), default=None)

    def tick(self, now: int) -> None:
        """Send all messages that are due."""
        if self._second_announce_ns is not None and now >= self._second_announce_ns:
            self._since_ns, self._second_announce_ns = now, None
            self._announce(+1)
        if self._next_own_ns is not None and now >= self._next_own_ns:
            self._own_left -= 1
            self._next_own_ns = now + OWN_ANNOUNCE_NS if self._own_left else None
            self._send_announce(OWN_PRIORITY_1)
        if self._next_delay_req_ns is not None and now >= self._next_delay_req_ns:
            self._next_delay_req_ns = now + DELAY_REQ_NS
            if self._last is not None:
                self._ask_delay()

    def receive(self, packet: bytes, at: int) -> bool:
        """Handle a packet from the sender; True when its clock was measured."""
        try:
            return self._take(parse(packet), at)
        except PtpError:
            self.stats.malformed += 1
            return False

    # --- inside --------------------------------------------------------------

    def _take(self, message: Message, at: int) -> bool:
        match message.kind:
            case Kind.ANNOUNCE:
                self.stats.announces += 1
                self._announced(parse_dataset(message), at)
            case Kind.SYNC:
                self.stats.syncs += 1
                if message.is_two_step:
                    _keep(self._syncs, message.sequence, (at, message.correction_ns))
                    return self._match(message.sequence)
            case Kind.FOLLOW_UP:
                self.stats.follow_ups += 1
                stamp = parse_stamp_ns(message) + message.correction_ns
                if message.clock_id == self.master:
                    _keep(self._stamps, message.sequence, stamp)
                    return self._match(message.sequence)
            case Kind.DELAY_RESP:
                self._answered(message)
            case _:
                self.stats.other_messages += 1
        return False

    def _announced(self, dataset: Dataset, at: int) -> None:
        if self._master is None or dataset.grandmaster != self.master:
            self._elect(dataset)
            if self._quirks.announces_until_ours:
                self._since_ns = at
                return
            self._announce(-1)
            self._second_announce_ns = at + SECOND_ANNOUNCE_NS

    def _elect(self, dataset: Dataset | None) -> None:
        self._master = dataset
        self._since_ns = self._second_announce_ns = self._last = None
        self._syncs.clear()
        self._stamps.clear()
        self._delays.clear()
        self._asked.clear()
        self.estimator.forget()

    def _match(self, sequence: int) -> bool:
        """Compare the clocks once a Sync and its Follow_Up are there."""
        if sequence not in self._syncs or sequence not in self._stamps:
            return False
        at, correction_ns = self._syncs.pop(sequence)
        sent_ns = self._stamps.pop(sequence) + correction_ns
        if self._since_ns is None or at < self._since_ns:
            return False
        self._last = sent_ns, at
        self.estimator.add_arrival(sent_ns, at - min(self._delays, default=0))
        return True

    def _announce(self, better_by: int) -> None:
        if not self._quirks.claims_clock:
            return
        assert self._master is not None
        self._send_announce(max(0, min(255, self._master.priority_1 + better_by)))

    def _send_announce(self, priority: int) -> None:
        self._sequence += 1
        self._send(False, build_announce(self._clock_id, self._sequence, priority))
        self.stats.announces_sent += 1

    def _ask_delay(self) -> None:
        self._delay_sequence = self._delay_sequence + 1 & 0xFFFF
        request = build_delay_req(self._clock_id, self._delay_sequence)
        _keep(self._asked, self._delay_sequence, self._send(True, request))
        self.stats.delay_requests += 1

    def _answered(self, message: Message) -> None:
        arrived_ns = parse_stamp_ns(message) - message.correction_ns
        if requester(message) != self._clock_id or self._last is None:
            return
        asked = self._asked.pop(message.sequence, None)
        if asked is None:
            return
        sent_ns, received = self._last
        # there and back by both clocks; their difference drops out
        self._delays.append(max(0, (received - sent_ns + arrived_ns - asked) // 2))
        del self._delays[:-_DELAYS]
        self.stats.delay_answers += 1


def _keep[T](known: dict[int, T], sequence: int, value: T) -> None:
    """Remember a few of the newest; others never find their counterpart."""
    known[sequence] = value
    while len(known) > _PENDING:
        del known[min(known, key=lambda old: signed_distance(old, sequence, 16))]
