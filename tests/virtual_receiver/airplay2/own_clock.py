"""A clock that follows no other, as a HomePod's with software 27; without any socket."""

import random
from typing import override

from tests.virtual_receiver.quirks import Quirks

from .follower import Follower, Send
from .ptp import (
    Kind,
    PtpError,
    build_announce,
    build_delay_req,
    build_delay_resp,
    build_follow_up,
    build_sync,
    parse,
)

# reported for HomePods: their rank, and how often they send it
PRIORITY_1 = 248
SYNC_NS = 125_000_000
ANNOUNCE_NS, RARE_ANNOUNCE_NS = 250_000_000, 20_000_000_000
SILENCE_NS = 1_000_000_000
PROBE_NS = 125_000_000
MOST_CORRECTION_NS = 100_000_000
# so that its time cannot be confused with that of the machine
EPOCH_NS = 86_400_000_000_000


class OwnClock(Follower):
    """Ignore the sender's clock, and send our own time while it is silent."""

    def __init__(self, clock_id: bytes, quirks: Quirks, send: Send) -> None:
        """Begin to send at the first stream."""
        super().__init__(clock_id, quirks, send)
        self._next_sync_ns: int | None = None
        self._announced_ns: int | None = None
        self._heard_ns: int | None = None
        self._next_probe_ns: int | None = None
        self._syncs_sent = 0
        self._ahead_ns = EPOCH_NS
        self._has_moved = False
        self._chance = random.Random(quirks.seed)

    @override
    def restart(self, now: int) -> None:
        """Send our time from now on."""
        self._set()
        self._next_sync_ns = now
        self._announced_ns = self._heard_ns = None
        if self._quirks.probes_while_leading:
            wait_ns = round(self._quirks.delay_req_after_s * 1e9)
            self._next_probe_ns = now + wait_ns

    def step(self, by_ns: int) -> None:
        """Set the clock ahead."""
        self._ahead_ns += by_ns
        self._has_moved = True
        self._set()

    def become(self, clock_id: bytes, by_ns: int) -> None:
        """Have another clock from now on, as when a group gets another leader."""
        self._clock_id = clock_id
        self._announced_ns = None
        self.step(by_ns)

    def _set(self) -> None:
        self.estimator.forget()
        self.estimator.add_arrival(self._ahead_ns, 0)

    @property
    @override
    def master(self) -> int | None:
        """Return our own id."""
        return int.from_bytes(self._clock_id)

    @override
    def knows(self, clock_id: int, now: int) -> bool:
        """Return whether a clock is ours."""
        return clock_id == self.master and self.estimator.is_known

    @property
    @override
    def next_due_ns(self) -> int | None:
        """Return when `tick` has something to do."""
        due = (self._next_sync_ns, self._next_probe_ns)
        return min((at for at in due if at is not None), default=None)

    @override
    def tick(self, now: int) -> None:
        """Send all messages that are due."""
        if self._next_probe_ns is not None and now >= self._next_probe_ns:
            self._next_probe_ns = now + PROBE_NS
            self._probe()
        if self._next_sync_ns is None or now < self._next_sync_ns:
            return
        self._next_sync_ns = now + SYNC_NS
        is_silent = self._heard_ns is None or now - self._heard_ns > SILENCE_NS
        every_ns = ANNOUNCE_NS if is_silent else RARE_ANNOUNCE_NS
        if self._announced_ns is None or now - self._announced_ns >= every_ns:
            self._announced_ns = now
            self._tell_rank()
        if is_silent:
            self._tell_time()

    @override
    def receive(self, packet: bytes, at: int) -> bool:
        """Note that the sender sends a clock, and answer its questions."""
        needs_profile = self._quirks.delay_req_needs_profile
        try:
            message = parse(packet, needs_profile=needs_profile)
        except PtpError:
            self.stats.malformed += 1
            return False
        if message.kind == Kind.ANNOUNCE:
            self.stats.announces += 1
            self._heard_ns = at
        elif message.kind == Kind.DELAY_REQ:
            self.stats.delay_requests_heard += 1
            # the answer of a HomePod is reported to carry no usable time
            told_ns = 0 if needs_profile else at + self._ahead_ns
            self._send(False, build_delay_resp(self._clock_id, message, told_ns))
        else:
            self.stats.other_messages += 1
        # whoever plays by this clock measures it again
        has_moved, self._has_moved = self._has_moved, False
        return has_moved

    def _tell_rank(self) -> None:
        self._sequence += 1
        self._send(False, build_announce(self._clock_id, self._sequence, PRIORITY_1))
        self.stats.announces_sent += 1

    def _probe(self) -> None:
        self._delay_sequence += 1
        self._send(True, build_delay_req(self._clock_id, self._delay_sequence))
        self.stats.delay_requests += 1

    def _tell_time(self) -> None:
        self._syncs_sent += 1
        at = self._send(True, build_sync(self._clock_id, self._syncs_sent))
        is_late = self._quirks.late_syncs
        correction_ns = self._chance.randrange(MOST_CORRECTION_NS) if is_late else 0
        follow_up = build_follow_up(
            self._clock_id, self._syncs_sent, at + self._ahead_ns, correction_ns
        )
        self._send(False, follow_up)
