"""One receiver's TCP side: a buffered stream of AirPlay 2.

It sends the packets of the timeline, made at the same time as for other receivers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
import socket
from typing import override

from ...commands import Channel
from ...session.backlog import Format, shared
from ...session.lead import START_PACKETS
from ...session.link_quality import LinkQuality
from ...session.timeline import Line
from .outlet import NEVER_NS, Outlet
from .pacer import Pacer
from .packet_source import BATCH, PacketSource

# The retry interval while the receiver accepts no data.
_FULL_NS = 5_000_000
_READ_BYTES = 4096
_SEND_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class BufferedAnchor:
    """A frame and the session time at which it plays, which defines all others."""

    frame: int
    at_ns: int

    def at(self, now_ns: int) -> BufferedAnchor:
        """Return the same line by the frame that plays at a session time."""
        line = Line(self.frame, self.at_ns)
        frame = line.frame_at(now_ns)
        return BufferedAnchor(frame, line.time_of(frame))


class TcpOutlet(Outlet):
    """Sends one receiver its packets over a connection that may be full at times.

    `on_anchor` is called if the line or the delay has changed, `on_end` when the
    receiver has closed the connection; both on the pacing thread.
    """

    def __init__(
        self,
        connection: socket.socket,
        shape: Format,
        *,
        on_anchor: Callable[[BufferedAnchor], None],
        on_end: Callable[[], None],
    ) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        super().__init__(shape)
        self._connection = connection
        self._on_anchor = on_anchor
        self._on_end = on_end
        self._anchored: tuple[Line, int] | None = None
        self._rest = b""
        self._lead_ns = 0
        self._least_lead_ns: int | None = None
        self._start_end = self._start_losses = 0
        self._pacer: Pacer | None = None

    @property
    @override
    def resent(self) -> int:
        """The number of retransmitted packets: 0, as TCP retransmits."""
        return 0

    @property
    @override
    def start_losses(self) -> int:
        """The packets of the present start that were sent after their instant."""
        return self._start_losses

    @override
    def tune(self, delay_frames: int, channel: Channel) -> None:
        """Set the delay; packets use the channel from now on."""
        self.shape = shared(replace(self.shape, channel=channel))
        self.delay_frames = delay_frames
        self.due_ns = 0

    @override
    def link(self, now_ns: int) -> LinkQuality:
        """Return how long before its instant each packet since the last call was sent.

        Less than 0 means that the connection was too slow, and sound was lost.
        """
        least_ns, self._least_lead_ns = self._least_lead_ns, None
        lead_ns = self._lead_ns if least_ns is None else least_ns
        return LinkQuality(lead_ms=lead_ns // 1_000_000)

    @override
    def plug(self, pacer: Pacer) -> None:
        """Start watching for the end of the connection."""
        self._pacer = pacer
        pacer.listen(self._connection, self._listen)

    @override
    def unplug(self, pacer: Pacer) -> None:
        """Stop sending and close the connection."""
        self.cursor = None
        pacer.forget(self._connection)
        self._connection.close()

    @override
    def start(self, sequence: int) -> None:
        """Send from a packet on, after the rest of a partly sent packet."""
        self._rest = self._rest[: len(self._rest) % self._packet_bytes]
        self._anchored = None
        self.cursor = sequence
        self._start_end, self._start_losses = sequence + START_PACKETS, 0
        self.due_ns = 0

    @override
    def pump(self, now_ns: int, source: PacketSource) -> int:
        """Send due packets; return the time of the next turn."""
        line = source.line
        if self.cursor is None or line is None:
            return NEVER_NS
        if self._anchored != (line, self.delay_frames):
            self._anchor(line, source)
        while self._rest or self.cursor < source.next_sequence:
            if not self._rest:
                count = min(source.next_sequence - self.cursor, BATCH)
                datagrams, self._rest = source.batch(self.shape, self.cursor, count)
                self.cursor += count
                self.packets += len(datagrams)
            try:
                sent = self._connection.send(self._rest)
            except BlockingIOError:
                return now_ns + _FULL_NS
            except OSError:
                self._end()
                break
            self._rest = self._rest[sent:]
            frame = source.backlog.frame_of(self.cursor) + self.delay_frames
            self._lead_ns = line.time_of(frame) - now_ns
            if self._lead_ns < 0 and self.cursor <= self._start_end:
                self._start_losses += 1
            known_ns = self._least_lead_ns
            self._least_lead_ns = (
                self._lead_ns if known_ns is None else min(known_ns, self._lead_ns)
            )
        return NEVER_NS

    @property
    def _packet_bytes(self) -> int:
        return self.shape.datagram_bytes

    def _anchor(self, line: Line, source: PacketSource) -> None:
        assert self.cursor is not None
        self._anchored = (line, self.delay_frames)
        frame = source.backlog.frame_of(self.cursor)
        self._on_anchor(BufferedAnchor(frame - self.delay_frames, line.time_of(frame)))

    def _listen(self) -> None:
        try:
            if self._connection.recv(_READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end()

    def _end(self) -> None:
        self._rest, self.cursor = b"", None
        if self._pacer:
            self._pacer.forget(self._connection)
        self._on_end()
