"""The port for timing requests of one receiver; pacing thread."""

from collections.abc import Callable

from ...errors import ReceiverProtocolError
from ...session.link_quality import ClockSpread
from ...wire.ntp import from_unix_ns, to_unix_ns
from ...wire.rtp import TimingRequest
from . import clock, sockets
from .senders import Senders


class TimingPort:
    """Answers the timing requests of one receiver only."""

    def __init__(
        self, local: str, peers: frozenset[str], on_answer: Callable[[int], None]
    ) -> None:
        """Bind the port; `on_answer` gets the session time of each answer.

        `peers` are the receiver's addresses, as `peers_of` returns them.
        """
        self.sock = sockets.bind(local)
        sockets.stamp_arrivals(self.sock)
        self.replies = 0
        self.last_evidence_ns: int | None = None
        self.senders = Senders(peers)
        self._on_answer = on_answer
        self._clock_spread = ClockSpread()

    @property
    def number(self) -> int:
        """The port number to send to the receiver."""
        return int(self.sock.getsockname()[1])

    def spread_us(self, now_ns: int) -> int | None:
        """Return the jitter of the receiver's requests, in µs; event loop."""
        return self._clock_spread.spread_us(now_ns)

    def offset_us(self, now_ns: int) -> int | None:
        """Return how far our clock is ahead of the receiver's, in µs; event loop."""
        return self._clock_spread.offset_us(now_ns)

    def answer(self) -> None:
        """Answer with the kernel's stamp of arrival and a send stamp read last."""
        for _ in range(sockets.DATAGRAMS_A_TURN):
            try:
                datagram, ancillary, _, sender = self.sock.recvmsg(128, 64)
            except OSError:
                return
            stamp = sockets.arrival_ns(ancillary)
            received = clock.now_ns() if stamp is None else clock.of_realtime(stamp)
            if not self.senders.admits(sender[0]):
                continue
            try:
                request = TimingRequest.parse(datagram)
                received_ntp = from_unix_ns(received)
                reply = request.reply(received_ntp, from_unix_ns(clock.now_ns()))
                self.sock.sendto(reply, sender)
            except ReceiverProtocolError, OSError:
                continue
            self._clock_spread.add(received, to_unix_ns(request.sent_ntp))
            self.replies += 1
            self.last_evidence_ns = now_ns = clock.now_ns()
            self._on_answer(now_ns)
