"""Timing requests: when to send them, and the content of the answers."""

from dataclasses import dataclass
import itertools

from tests.virtual_receiver.clock import OffsetEstimator
from tests.virtual_receiver.stats import Stats

from .packets import TimingReply, build_timing_request, ns_to_ntp

_PENDING = 64


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a receiver asks; shairport-sync's own by default (rtp.c)."""

    first_requests: int = 3
    first_interval_s: float = 0.3
    interval_s: float = 3.0

    def delay_s(self, sent: int) -> float:
        """Return the time to wait after so many requests."""
        return self.first_interval_s if sent <= self.first_requests else self.interval_s


class TimingClient:
    """Match the answers with the requests and feed the estimator."""

    def __init__(self, estimator: OffsetEstimator, stats: Stats) -> None:
        """Start with nothing asked."""
        self._estimator = estimator
        self._stats = stats
        self._numbers = itertools.count(1)
        self._asked: dict[bytes, int] = {}

    def request(self, now: int, *, is_stamped: bool = False) -> bytes:
        """Build a request that is sent at a time of the receiver's clock."""
        number = next(self._numbers)
        filler = (ns_to_ntp(now) if is_stamped else number).to_bytes(8)
        self._asked[filler] = now
        if len(self._asked) > _PENDING:
            del self._asked[next(iter(self._asked))]
        self._stats.timing_requests += 1
        return build_timing_request(filler)

    def answered(self, reply: TimingReply, now: int) -> bool:
        """Handle an answer; False if it is none of ours or came too late."""
        asked = self._asked.pop(reply.origin, None)
        if asked is None or not self._estimator.add(
            asked, reply.received_ns, reply.sent_ns, now
        ):
            self._stats.timing_rejected += 1
            return False
        self._stats.timing_answers += 1
        return True
