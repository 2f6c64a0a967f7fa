"""A receiver with a clock of its own behind a network that delays, in simulated time."""

from collections.abc import Callable
from dataclasses import dataclass, field
import heapq
import random

from custom_components.airplay.raop.session.ptp_following import FollowedClock
from custom_components.airplay.raop.wire.ptp import (
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
SYNC_NS = 125 * MS
POD = PortIdentity(0xAABBCCFFFEDDEEFF, 1)
ANNOUNCE = PtpAnnounce(POD, 1, POD.clock_id, priority1=248)

type Delay = Callable[[random.Random, int], int]
"""Returns how long a message takes, also by the time since the start, all in ns."""


def quiet(_chance: random.Random, _since_ns: int) -> int:
    """Delay everything by 0.2 ms, as a cable does."""
    return MS // 5


def busy(chance: random.Random, _since_ns: int) -> int:
    """Delay by 3 ms and an exponential share of mean 5 ms."""
    return 3 * MS + round(chance.expovariate(1 / (5 * MS)))


def congested(chance: random.Random, _since_ns: int) -> int:
    """Delay by anything between 3 and 27 ms."""
    return 3 * MS + chance.randrange(24 * MS)


def stalling(chance: random.Random, since_ns: int) -> int:
    """Delay everything by 15 to 25 ms more for 3 s of each 10 s."""
    more_ns = 15 * MS + chance.randrange(10 * MS) if since_ns // SECOND % 10 > 6 else 0
    return 2 * MS + chance.randrange(MS) + more_ns


@dataclass
class Network:
    """A clock off by an offset and a rate, and what arrives of its messages when."""

    delay: Delay = quiet
    seed: int = 1
    ahead_ns: int = 5_000 * SECOND
    rate: float = 0.0
    answers: bool = True
    now_ns: int = START
    followed: FollowedClock = field(default_factory=FollowedClock)
    asked: int = 0
    is_silent: bool = False
    steps: int = 0
    """How often the map was moved at once, which makes it reliable anew."""

    def __post_init__(self) -> None:
        self.followed.announced(ANNOUNCE)
        self._chance = random.Random(self.seed)
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._number = self._pushed = 0
        first_ns = self.now_ns + self._chance.randrange(SYNC_NS)
        self._push(first_ns, self._sync)

    def true_ns(self, session_ns: int) -> int:
        """Return the receiver's time."""
        return session_ns + self.ahead_ns + round(self.rate * (session_ns - START))

    @property
    def error_ns(self) -> int:
        """The present error of the map."""
        assert self.followed.map
        return self.followed.map.timeline_ns(self.now_ns) - self.true_ns(self.now_ns)

    def run(self, until_ns: int) -> None:
        """Let everything arrive that does until a session time."""
        while self._queue[0][0] <= until_ns:
            at_ns, _, happen = heapq.heappop(self._queue)
            reliable_at_ns = self.followed.reliable_at_ns
            happen(at_ns)
            self._ask(at_ns)
            if reliable_at_ns not in (None, self.followed.reliable_at_ns):
                self.steps += 1
        self.now_ns = until_ns

    def run_for(self, seconds: float) -> None:
        """Let so much time pass."""
        self.run(self.now_ns + round(seconds * SECOND))

    def errors_ms(self, seconds: float, every_s: float = 0.1) -> list[float]:
        """Let time pass; return the errors of the map meanwhile, in ms."""
        found = []
        for _ in range(round(seconds / every_s)):
            self.run_for(every_s)
            found.append(self.error_ns / MS)
        return found

    def run_until_reliable(self, limit_s: float = 10) -> float:
        """Let time pass until the clock is usable; return how long that was, in s."""
        begun_ns = self.now_ns
        while self.followed.reliable_at_ns is None:
            assert self.now_ns < begun_ns + limit_s * SECOND
            self.run_for(0.01)
        return (self.now_ns - begun_ns) / SECOND

    def _late_ns(self, left_ns: int) -> int:
        return self.delay(self._chance, left_ns - START)

    def _push(self, at_ns: int, happen: Callable[[int], None]) -> None:
        self._pushed += 1
        heapq.heappush(self._queue, (at_ns, self._pushed, happen))

    def _sync(self, left_ns: int) -> None:
        number = self._number = (self._number + 1) & 0xFFFF
        sync = PtpSync(POD, number)
        told = PtpFollowUp(POD, number, self.true_ns(left_ns))
        self._push(left_ns + SYNC_NS, self._sync)
        if self.is_silent:
            return
        self._push(
            left_ns + self._late_ns(left_ns),
            lambda at_ns: self.followed.synced(sync, at_ns),
        )
        self._push(
            left_ns + self._late_ns(left_ns),
            lambda _: self.followed.followed_up(told),
        )

    def _ask(self, now_ns: int) -> None:
        if now_ns < self.followed.next_request_ns:
            return
        number = self.followed.ask(now_ns)
        self.asked += 1
        self.followed.departed(number, now_ns)
        back_ns = now_ns + self._late_ns(now_ns) + self._late_ns(now_ns)
        if self.answers:
            self._push(
                back_ns,
                lambda at_ns: self.followed.answered(POD.clock_id, number, at_ns),
            )
        self._push(self.followed.next_request_ns, lambda _: None)


def p99(values: list[float]) -> float:
    """Return the 99th percentile of the absolute values."""
    ordered = sorted(abs(each) for each in values)
    return ordered[round(0.99 * (len(ordered) - 1))]


def reliable(**details: object) -> Network:
    """Return a network over which a clock is followed already."""
    network = Network(**details)  # type: ignore[arg-type]
    network.run_until_reliable()
    return network
