"""Retransmissions for one receiver: a few in each turn, each twice, within a budget."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ...session.backlog import Format
from ...session.lead import START_PACKETS
from ...session.limits.resend_budget import ResendBudget
from ...wire.rtp import ResendRequest, resend_reply
from .outlet import NEVER_NS
from .packet_source import BURST_GAP_NS, SLACK_NS, PacketSource

_A_TURN = 16
_QUEUE = 1024
# Each requested packet is sent twice, at least this far apart: on a lossy path the answer is
# lost as easily, and a receiver asks only every 250 ms (measured).
_ECHO_NS = 40_000_000
_SECOND_NS = 1_000_000_000


class Resends:
    """Retransmits packets that are still in the backlog."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.packets = 0
        self._send = send
        # A dictionary for its order: a flood of requests must not cost time.
        self._wanted: dict[int, None] = {}
        self._echoes: deque[tuple[int, int]] = deque()
        self._next_ns = 0
        self._budget = ResendBudget()
        # Whether `pump` has, or will have, something to do.
        self.is_busy = False
        # The packets of the present start, and how many of them were lost.
        self._start = range(0)
        self.start_losses = 0

    def ask(self, request: ResendRequest) -> None:
        """Record a request."""
        room = _QUEUE - len(self._wanted)
        wanted = replace(request, count=min(request.count, room))
        self._wanted.update(dict.fromkeys(wanted.sequence_numbers()))
        self.is_busy = True

    def begin(self, sequence: int) -> None:
        """Drop all requests at a start, whose first packet is the given one."""
        self._start, self.start_losses = range(sequence, sequence + START_PACKETS), 0
        self._wanted.clear()
        self._echoes.clear()
        self._next_ns = 0

    def pump(
        self, now_ns: int, source: PacketSource, shape: Format, cursor: int
    ) -> int:
        """Send due packets from before the cursor; return the time of the next turn."""
        next_ns = self._answer(now_ns, source, shape, cursor)
        next_ns = min(next_ns, self._echo(now_ns, source, shape))
        self.is_busy = bool(self._wanted or self._echoes)
        return next_ns

    def _answer(
        self, now_ns: int, source: PacketSource, shape: Format, cursor: int
    ) -> int:
        if not self._wanted:
            return NEVER_NS
        if now_ns < self._next_ns:
            return self._next_ns
        for _ in range(min(_A_TURN, len(self._wanted))):
            wanted = next(iter(self._wanted))
            del self._wanted[wanted]
            sequence = source.packet_for(wanted)
            if sequence is None or sequence >= cursor:
                continue
            self.start_losses += sequence in self._start
            if not self._budget.grants(sequence, now_ns / _SECOND_NS):
                continue
            self.packets += self._resend(sequence, source, shape)
            self._echoes.append((now_ns + _ECHO_NS, sequence))
        self._next_ns = now_ns + BURST_GAP_NS
        return self._next_ns if self._wanted else NEVER_NS

    def _echo(self, now_ns: int, source: PacketSource, shape: Format) -> int:
        while self._echoes and self._echoes[0][0] <= now_ns:
            sequence = self._echoes.popleft()[1]
            if self._budget.grants_copy(sequence, now_ns / _SECOND_NS):
                self._resend(sequence, source, shape)
        return self._echoes[0][0] + SLACK_NS if self._echoes else NEVER_NS

    def _resend(self, sequence: int, source: PacketSource, shape: Format) -> int:
        datagrams = source.batch(shape, sequence, 1)[0]
        for datagram in datagrams:
            self._send(resend_reply(datagram))
        return len(datagrams)
