"""One receiver's UDP side: audio, sync packets, and answers to its requests."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
import socket
from typing import override

from ...commands import Channel
from ...errors import ReceiverProtocolError
from ...session.backlog import Backlog, Format, shared
from ...session.link_quality import LinkQuality, ResendShare
from ...session.timeline import SECOND_NS, Line, sync_packet
from ...wire.rtp import SAMPLE_RATE, ResendRequest, with_marker
from ..net import clock, sockets
from ..net.timing_port import TimingPort
from .outlet import NEVER_NS, Outlet
from .pacer import Pacer
from .packet_source import BATCH, BURST_GAP_NS, SLACK_NS, PacketSource
from .resends import Resends

_MS = 1_000_000
# A receiver discards sync packets before its first timing answer (measured on
# shairport-sync), so a start repeats them; later, once a second is usual.
_EAGER_SYNC_NS = 25 * _MS
_EAGER_FOR_NS = 500 * _MS
_SYNC_NS = 1000 * _MS
# The receiver computes its clock a moment after our first answer arrived.
_AFTER_FIRST_ANSWER_NS = 20 * _MS


@dataclass(frozen=True, slots=True)
class LineStatement:
    """The facts about the line for a receiver."""

    line: Line
    now_ns: int
    latency_frames: int
    delay_frames: int
    is_first: bool


def sync(statement: LineStatement) -> bytes:
    """Return the sync packet for a receiver that uses our NTP time."""
    return sync_packet(
        statement.line,
        statement.now_ns,
        statement.latency_frames,
        delay_frames=statement.delay_frames,
        is_first=statement.is_first,
    ).build()


class UdpOutlet(Outlet):
    """Sends one receiver its packets and answers its requests.

    Use its ports and `connect` on the event loop, before the first `start`.
    """

    def __init__(
        self,
        local: str,
        remote: str,
        shape: Format,
        state_line: Callable[[LineStatement], bytes] = sync,
        *,
        peers: frozenset[str] = frozenset(),
    ) -> None:
        """`state_line` returns the packet that announces the line; pacing thread.

        `peers` are all addresses from which the receiver may send.
        Raises OSError: the local address has no free port, or is not ours.
        Raises UdpPortsTakenError: all ports of the user's range are in use.
        """
        super().__init__(shape)
        self._state_line = state_line
        self._remote = remote
        known = peers | sockets.peers_of(remote)
        self.timing = TimingPort(local, known, self._note_answer)
        with ExitStack() as undo:
            undo.callback(self.timing.sock.close)
            self.control = sockets.bind(local)
            undo.pop_all()
        self._audio: socket.socket | None = None
        self._local = local
        self._is_segmenting = False
        self._segment: Callable[[int], bool] = lambda _: False
        self._control_endpoint: tuple[str, int] | tuple[str, int, int, int] | None
        self._control_endpoint = None
        self._resends = Resends(self._send_control)
        # A sync packet is due from an instant on, and sent at last a slack later.
        self._next_sync_ns = self._sync_slack_ns = 0
        self._eager_until_ns = 0
        self._next_burst_ns = 0
        self._is_first_sync = True
        self._is_first_packet = True
        self._asked_ns: int | None = None
        # The line and the backlog of the last packet, its number, and when it was sent.
        self._sent: tuple[Line, Backlog, int, int] | None = None
        self._resend_share = ResendShare()

    @property
    @override
    def resent(self) -> int:
        """The number of retransmitted packets."""
        return self._resends.packets

    @property
    @override
    def start_losses(self) -> int:
        """The packets of the present start that were requested again."""
        return self._resends.start_losses

    @property
    def timing_replies(self) -> int:
        """The number of answered timing requests; 0 while audio cannot be sent."""
        return 0 if self.sending.problem else self.timing.replies

    @property
    def last_evidence_ns(self) -> int | None:
        """The session time of its last request that counts, or None before any."""
        times_ns = (self._asked_ns, self.timing.last_evidence_ns)
        known_ns = (at_ns for at_ns in times_ns if at_ns is not None)
        return self.sending.believe(max(known_ns, default=None))

    @property
    def control_port(self) -> int:
        """Our port for sync packets and resend requests."""
        return int(self.control.getsockname()[1])

    @property
    def timing_port(self) -> int:
        """Our port for timing requests."""
        return self.timing.number

    def connect(self, audio_port: int, control_port: int) -> None:
        """Set the receiver's ports.

        Raises OSError, UdpPortsTakenError: it is unreachable, or see `sockets.bind`.
        """
        self._audio = sockets.bind(self._local)
        self._audio.connect(sockets.endpoint(self._remote, audio_port))
        self._segment = partial(sockets.segment, self._audio)
        self._is_segmenting = self._segment(self.shape.datagram_bytes)
        self._control_endpoint = sockets.endpoint(self._remote, control_port)

    @override
    def plug(self, pacer: Pacer) -> None:
        """Start listening for the receiver's requests."""
        pacer.listen(self.timing.sock, self.timing.answer)
        pacer.listen(self.control, self.read_requests)

    @override
    def unplug(self, pacer: Pacer) -> None:
        """Stop listening and sending, and close the sockets."""
        pacer.forget(self.timing.sock)
        pacer.forget(self.control)
        self.close()

    def close(self) -> None:
        """Close the sockets and stop sending."""
        self.cursor = None
        for sock in (self.timing.sock, self.control, self._audio):
            if sock:
                sock.close()

    @override
    def start(self, sequence: int) -> None:
        """Send from a packet on, as the first one after RECORD or FLUSH."""
        self.cursor = sequence
        self._is_first_sync = self._is_first_packet = True
        self._next_sync_ns = self._sync_slack_ns = self._next_burst_ns = 0
        self._eager_until_ns = 0
        self.due_ns = 0
        self._resends.begin(sequence)

    @override
    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Set the delay against the line, positive or negative, and the channel.

        The delay is announced at once; packets use the channel from the next one on.
        """
        self.shape = shared(replace(self.shape, channel=channel))
        if delay_frames != self.delay_frames:
            self.delay_frames = delay_frames
            self._next_sync_ns = self._sync_slack_ns = self.due_ns = 0

    @override
    def link(self, now_ns: int) -> LinkQuality:
        """Return the quality of the network path; event loop, at intervals."""
        self.sending.log(self._remote)
        return LinkQuality(
            resend_percent=self._resend_share.update(now_ns, self.packets, self.resent),
            clock_spread_us=self.timing.spread_us(now_ns),
            lead_ms=self._lead_ms(),
        )

    @override
    def pump(self, now_ns: int, source: PacketSource) -> int:
        """Send due packets; return the time of the next turn."""
        if self.cursor is None or source.line is None or self._audio is None:
            return NEVER_NS
        if self.cursor >= source.next_sequence and self._is_first_packet:
            return NEVER_NS
        if now_ns >= self._next_sync_ns:
            self._sync(now_ns, source)
        due_ns = self._next_sync_ns + self._sync_slack_ns
        if self.cursor < source.next_sequence:
            due_ns = min(due_ns, self._send(now_ns, source))
        if self._resends.is_busy:
            resends = self._resends
            due_ns = min(due_ns, resends.pump(now_ns, source, self.shape, self.cursor))
        return due_ns

    def read_requests(self) -> None:
        """Record the receiver's resend requests."""
        for _ in range(sockets.DATAGRAMS_A_TURN):
            try:
                datagram, sender = self.control.recvfrom(128)
            except OSError:
                return
            if not self.timing.senders.admits(sender[0]):
                continue
            try:
                request = ResendRequest.parse(datagram)
            except ReceiverProtocolError:
                continue
            self._asked_ns = clock.now_ns()
            self._resends.ask(request)
            self.due_ns = 0
            self.on_evidence(self._asked_ns, False)

    def _note_answer(self, now_ns: int) -> None:
        is_first = self.timing.replies == 1
        if is_first:
            self._repeat_sync_soon(now_ns)
        self.on_evidence(now_ns, is_first)

    def _repeat_sync_soon(self, now_ns: int) -> None:
        self._eager_until_ns = now_ns + _EAGER_FOR_NS
        self._next_sync_ns = now_ns + _AFTER_FIRST_ANSWER_NS
        self._sync_slack_ns = 0
        self.due_ns = 0

    def _sync(self, now_ns: int, source: PacketSource) -> None:
        assert source.line is not None
        if self._is_first_sync:
            self._eager_until_ns = now_ns + _EAGER_FOR_NS
        statement = LineStatement(
            line=source.line,
            now_ns=now_ns,
            latency_frames=source.latency_frames,
            delay_frames=self.delay_frames,
            is_first=self._is_first_sync,
        )
        self._send_control(self._state_line(statement))
        self._is_first_sync = False
        is_eager = now_ns < self._eager_until_ns
        self._next_sync_ns = now_ns + (_EAGER_SYNC_NS if is_eager else _SYNC_NS)
        self._sync_slack_ns = 0 if is_eager else SLACK_NS

    def _send(self, now_ns: int, source: PacketSource) -> int:
        assert self.cursor is not None
        behind = source.next_sequence - self.cursor
        if now_ns < self._next_burst_ns:
            return self._next_burst_ns
        datagrams, joined = source.batch(self.shape, self.cursor, min(behind, BATCH))
        if self._is_first_packet and datagrams:
            datagrams = [with_marker(datagrams[0]), *datagrams[1:]]
            joined = b"".join(datagrams)
            self._is_first_packet = False
        self._transmit(datagrams, joined)
        self.cursor += min(behind, BATCH)
        assert source.line is not None
        self._sent = (source.line, source.backlog, self.cursor - 1, now_ns)
        self._next_burst_ns = now_ns + BURST_GAP_NS
        return self._next_burst_ns if behind > BATCH else NEVER_NS

    def _lead_ms(self) -> int:
        """Return how long before its instant the last packet was sent."""
        if self._sent is None:
            return 0
        line, backlog, sequence, sent_ns = self._sent
        delay_ns = self.delay_frames * SECOND_NS // SAMPLE_RATE
        return (line.time_of(backlog.frame_of(sequence)) + delay_ns - sent_ns) // _MS

    def _transmit(self, datagrams: list[bytes], joined: bytes) -> None:
        assert self._audio is not None
        self.packets += len(datagrams)
        if self._is_segmenting:
            try:
                self._audio.send(joined)
            except (BlockingIOError, ConnectionRefusedError) as err:
                # Not for the segmentation; each packet has one more chance.
                self.sending.refuse(err)
            except OSError:
                # EIO, EINVAL, or EMSGSIZE: this path cannot segment after all, or is
                # for shorter packets. Switched on, it would refuse single ones too.
                self._is_segmenting = False
                self._segment(0)
            else:
                if self.sending.problem:
                    self.sending.accept(len(datagrams))
                return
        for datagram in datagrams:
            try:
                self._audio.send(datagram)
            except OSError as err:
                self.sending.refuse(err)
            else:
                self.sending.accept(1)

    def _send_control(self, packet: bytes) -> None:
        assert self._control_endpoint is not None
        try:
            self.control.sendto(packet, self._control_endpoint)
        except OSError:
            self.sending.errors += 1
