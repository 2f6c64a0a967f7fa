"""One receiver's UDP side: audio, sync packets, timing replies, resends.

Everything but the constructor, the counters and the ports runs on the pacing thread.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
import socket
from typing import Protocol

from ..commands import Channel
from ..errors import ReceiverProtocolError
from ..session.backlog import Backlog, Format
from ..session.link_quality import ClockSpread, LinkQuality, ResendShare
from ..session.timeline import SECOND_NS, Line, sync_packet
from ..wire.ntp import from_unix_ns, to_unix_ns
from ..wire.rtp import (
    SAMPLE_RATE,
    ResendRequest,
    TimingRequest,
    resend_reply,
    with_marker,
)
from . import clock, sockets
from .pacer import Pacer

_MS = 1_000_000
# Sync packets before a receiver's first timing answer are thrown away (measured on
# shairport-sync), so a start repeats them; later once a second is the custom.
_EAGER_SYNC_NS = 25 * _MS
_EAGER_FOR_NS = 500 * _MS
_SYNC_NS = 1000 * _MS
# The receiver works its clock out a moment after our first answer arrived.
_AFTER_FIRST_ANSWER_NS = 20 * _MS
# 190 packets in 1.5 ms overflow a default receive buffer, in 5 ms they do not
# (measured); four at a time are also one segmented send.
BATCH = 4
_BURST_GAP_NS = 800_000
_RESENDS_A_TURN = 16
_RESEND_QUEUE = 1024
# What is asked for again is sent twice, a moment apart: where packets are lost, the
# answer is lost as easily, and a receiver asks only every 250 ms (measured).
_ECHO_NS = 40 * _MS
_DATAGRAMS_A_TURN = 64
_NEVER_NS = 1 << 62


class Stock(Protocol):
    """What an outlet sends from."""

    @property
    def line(self) -> Line | None:
        """The line that says when each frame is heard."""

    @property
    def backlog(self) -> Backlog:
        """The packets that were made."""

    @property
    def next_sequence(self) -> int:
        """The first packet that is not due."""

    @property
    def latency_frames(self) -> int:
        """How far ahead of being heard packets are sent."""

    def find(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver asks for, if it is still there."""

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return datagrams and the same joined."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a receiver is to be told of the line."""

    line: Line
    now_ns: int
    latency_frames: int
    delay_frames: int
    is_first: bool


def sync(moment: Moment) -> bytes:
    """Tell a receiver that asks for our time which frame belongs to it."""
    return sync_packet(
        moment.line,
        moment.now_ns,
        moment.latency_frames,
        delay_frames=moment.delay_frames,
        is_first=moment.is_first,
    ).build()


class Outlet:
    """Sends one receiver its packets and answers its questions."""

    def __init__(
        self,
        local: str,
        remote: str,
        shape: Format,
        tell: Callable[[Moment], bytes] = sync,
    ) -> None:
        self._say_line = tell
        self._peer = sockets.without_scope(remote)
        self._remote = remote
        self.shape = shape
        self.timing = sockets.bind(local)
        self.control = sockets.bind(local)
        sockets.stamp_arrivals(self.timing)
        self._audio: socket.socket | None = None
        self._local = local
        self._is_segmenting = False
        self._control_endpoint: tuple[str, int] | tuple[str, int, int, int] | None = (
            None
        )
        # A dictionary for its order: a flood of requests must not cost time.
        self._resends: dict[int, None] = {}
        self._echoes: deque[tuple[int, int]] = deque()
        self._next_sync_ns = 0
        self._eager_until_ns = 0
        self._next_burst_ns = 0
        self._next_resend_ns = 0
        self._is_first_sync = True
        self._is_first_packet = True
        self.cursor: int | None = None
        self.due_ns = 0
        self.delay_frames = 0
        self.packets = 0
        self.resent = 0
        self.timing_replies = 0
        self.last_evidence_ns: int | None = None
        self.send_errors = 0
        self._lead_ns = 0
        self._resend_share = ResendShare()
        self._clock_spread = ClockSpread()

    @property
    def control_port(self) -> int:
        """Our port for sync packets and resend requests."""
        return int(self.control.getsockname()[1])

    @property
    def timing_port(self) -> int:
        """Our port for timing requests."""
        return int(self.timing.getsockname()[1])

    def connect(self, audio_port: int, control_port: int) -> None:
        """Learn where the receiver takes packets."""
        self._audio = sockets.bind(self._local)
        self._audio.connect(sockets.endpoint(self._remote, audio_port))
        size = self.shape.datagram_bytes
        self._is_segmenting = sockets.segment(self._audio, size)
        self._control_endpoint = sockets.endpoint(self._remote, control_port)

    def plug(self, pacer: Pacer) -> None:
        """Begin to hear what the receiver asks."""
        pacer.listen(self.timing, self.answer_timing)
        pacer.listen(self.control, self.take_requests)

    def unplug(self, pacer: Pacer) -> None:
        """Hear nothing and send nothing any more."""
        pacer.forget(self.timing)
        pacer.forget(self.control)
        self.close()

    def close(self) -> None:
        """Release the sockets; nothing is sent any more."""
        self.cursor = None
        for sock in (self.timing, self.control, self._audio):
            if sock:
                sock.close()

    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after RECORD or FLUSH."""
        self.cursor = sequence
        self._is_first_sync = self._is_first_packet = True
        self._next_sync_ns = self._next_burst_ns = 0
        self._eager_until_ns = 0
        self.due_ns = 0
        self._resends.clear()
        self._echoes.clear()

    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Let it be heard later than the line, or earlier, and hear a channel.

        It is told of a delay at once; packets from the next one on are of the channel.
        """
        self.shape = replace(self.shape, channel=channel)
        if delay_frames != self.delay_frames:
            self.delay_frames = delay_frames
            self._next_sync_ns = self.due_ns = 0

    def link(self, now_ns: int) -> LinkQuality:
        """Return how good the way to it is; of the event loop, once in a while."""
        return LinkQuality(
            resend_percent=self._resend_share.look(now_ns, self.packets, self.resent),
            clock_spread_us=self._clock_spread.spread_us(now_ns),
            lead_ms=self._lead_ns // _MS,
        )

    def pump(self, now_ns: int, stock: Stock) -> int:
        """Send what is due; return the time of the next turn."""
        if self.cursor is None or stock.line is None or self._audio is None:
            return _NEVER_NS
        if self.cursor >= stock.next_sequence and self._is_first_packet:
            return _NEVER_NS
        sync_ns = self._sync(now_ns, stock)
        return min(sync_ns, self._send(now_ns, stock), self._repair(now_ns, stock))

    def answer_timing(self) -> None:
        """Answer timing requests with the kernel's stamp and a send stamp taken last."""
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                datagram, ancillary, _, sender = self.timing.recvmsg(128, 64)
            except OSError:
                return
            stamp = sockets.arrival_ns(ancillary)
            received = clock.now_ns() if stamp is None else clock.of_realtime(stamp)
            if sockets.without_scope(sender[0]) != self._peer:
                continue
            try:
                request = TimingRequest.parse(datagram)
                received_ntp = from_unix_ns(received)
                reply = request.reply(received_ntp, from_unix_ns(clock.now_ns()))
                self.timing.sendto(reply, sender)
            except ReceiverProtocolError, OSError:
                continue
            self._clock_spread.add(received, to_unix_ns(request.sent_ntp))
            self.timing_replies += 1
            self.last_evidence_ns = clock.now_ns()
            if self.timing_replies == 1:
                self._repeat_sync_soon(clock.now_ns())

    def take_requests(self) -> None:
        """Note which packets the receiver asks for again."""
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                datagram, sender = self.control.recvfrom(128)
            except OSError:
                return
            if sockets.without_scope(sender[0]) != self._peer:
                continue
            try:
                request = ResendRequest.parse(datagram)
            except ReceiverProtocolError:
                continue
            self.last_evidence_ns = clock.now_ns()
            room = _RESEND_QUEUE - len(self._resends)
            wanted = replace(request, count=min(request.count, room))
            self._resends.update(dict.fromkeys(wanted.sequence_numbers()))
            self._next_resend_ns = self.due_ns = 0

    def _repeat_sync_soon(self, now_ns: int) -> None:
        self._eager_until_ns = now_ns + _EAGER_FOR_NS
        self._next_sync_ns = now_ns + _AFTER_FIRST_ANSWER_NS
        self.due_ns = 0

    def _sync(self, now_ns: int, stock: Stock) -> int:
        if now_ns < self._next_sync_ns:
            return self._next_sync_ns
        assert stock.line is not None
        if self._is_first_sync:
            self._eager_until_ns = now_ns + _EAGER_FOR_NS
        moment = Moment(
            line=stock.line,
            now_ns=now_ns,
            latency_frames=stock.latency_frames,
            delay_frames=self.delay_frames,
            is_first=self._is_first_sync,
        )
        self._tell(self._say_line(moment))
        self._is_first_sync = False
        is_eager = now_ns < self._eager_until_ns
        self._next_sync_ns = now_ns + (_EAGER_SYNC_NS if is_eager else _SYNC_NS)
        return self._next_sync_ns

    def _send(self, now_ns: int, stock: Stock) -> int:
        assert self.cursor is not None
        behind = stock.next_sequence - self.cursor
        if behind <= 0:
            return _NEVER_NS
        if now_ns < self._next_burst_ns:
            return self._next_burst_ns
        datagrams, joined = stock.batch(self.shape, self.cursor, min(behind, BATCH))
        if self._is_first_packet and datagrams:
            datagrams = [with_marker(datagrams[0]), *datagrams[1:]]
            joined = b"".join(datagrams)
            self._is_first_packet = False
        self._transmit(datagrams, joined)
        self.cursor += min(behind, BATCH)
        self._lead_ns = self._heard_ns(stock) - now_ns
        self._next_burst_ns = now_ns + _BURST_GAP_NS
        return self._next_burst_ns if behind > BATCH else _NEVER_NS

    def _heard_ns(self, stock: Stock) -> int:
        """Return when the last packet that was sent is heard."""
        assert stock.line is not None
        assert self.cursor is not None
        heard_ns = stock.line.time_of(stock.backlog.frame_of(self.cursor - 1))
        return heard_ns + self.delay_frames * SECOND_NS // SAMPLE_RATE

    def _transmit(self, datagrams: list[bytes], joined: bytes) -> None:
        assert self._audio is not None
        self.packets += len(datagrams)
        if self._is_segmenting:
            try:
                self._audio.send(joined)
            except BlockingIOError, ConnectionRefusedError:
                self.send_errors += 1
            except OSError:
                # EIO, EINVAL or EMSGSIZE: this path cannot segment after all.
                self._is_segmenting = False
            else:
                return
        for datagram in datagrams:
            try:
                self._audio.send(datagram)
            except OSError:
                self.send_errors += 1

    def _repair(self, now_ns: int, stock: Stock) -> int:
        return min(self._answer_requests(now_ns, stock), self._echo(now_ns, stock))

    def _answer_requests(self, now_ns: int, stock: Stock) -> int:
        if not self._resends:
            return _NEVER_NS
        if now_ns < self._next_resend_ns:
            return self._next_resend_ns
        for _ in range(min(_RESENDS_A_TURN, len(self._resends))):
            wanted = next(iter(self._resends))
            del self._resends[wanted]
            sequence = stock.find(wanted)
            if sequence is None or self.cursor is None or sequence >= self.cursor:
                continue
            self.resent += self._resend(sequence, stock)
            self._echoes.append((now_ns + _ECHO_NS, sequence))
        self._next_resend_ns = now_ns + _BURST_GAP_NS
        return self._next_resend_ns if self._resends else _NEVER_NS

    def _echo(self, now_ns: int, stock: Stock) -> int:
        while self._echoes and self._echoes[0][0] <= now_ns:
            self._resend(self._echoes.popleft()[1], stock)
        return self._echoes[0][0] if self._echoes else _NEVER_NS

    def _resend(self, sequence: int, stock: Stock) -> int:
        datagrams = stock.batch(self.shape, sequence, 1)[0]
        for datagram in datagrams:
            self._tell(resend_reply(datagram))
        return len(datagrams)

    def _tell(self, packet: bytes) -> None:
        assert self._control_endpoint is not None
        try:
            self.control.sendto(packet, self._control_endpoint)
        except OSError:
            self.send_errors += 1
