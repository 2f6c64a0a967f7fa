"""One timeline on the pacing thread: makes packets when due, for every outlet."""

from collections.abc import Callable

from ..session.backlog import ENCODED_AT_ONCE, Backlog, Format
from ..session.lead import SILENT_PACKETS
from ..session.timeline import SECOND_NS, Line, frames_of_ms
from ..wire.rtp import FRAMES_PER_PACKET
from .outlet import BATCH, Outlet
from .supply import Pcm, Supply

# Taken and encoded at once, sent a batch at a time: waking up cold is what costs.
_BLOCK_FRAMES = ENCODED_AT_ONCE * FRAMES_PER_PACKET
# The receiver's own output buffer lets go a little after a frame's instant, and the
# last packets may have to be asked for again.
_TAIL_NS = 250_000_000
# Closer to being heard than this, a packet comes too late; then the line is moved.
_TOO_LATE_NS = 20_000_000
_SETTLE_NS = 100_000_000


class Transmitter:
    """Keeps the line, fills the backlog on time, and lets the outlets send it."""

    def __init__(
        self,
        *,
        sequence: int,
        frame: int,
        ssrc: int,
        depth_ms: int,
        on_switch: Callable[[Pcm], None],
        on_end: Callable[[Pcm], None],
    ) -> None:
        self.line: Line | None = None
        self.backlog = Backlog(sequence, frame, ssrc)
        self.supply = Supply(on_switch)
        self.next_sequence = sequence
        self.latency_frames = frames_of_ms(depth_ms)
        self.worst_lateness_ns = 0
        self.line_moves = 0
        self.first_packet_ns: int | None = None
        self._depth_ns = depth_ms * 1_000_000
        self._on_end = on_end
        self._outlets: list[Outlet] = []
        self._settled_ns = 0
        self._joined: dict[Format, tuple[int, list[bytes], bytes]] = {}

    @property
    def next_frame(self) -> int:
        """The first frame that was not given to the outlets yet."""
        return self.backlog.frame_of(self.next_sequence)

    def attach(self, outlet: Outlet, sequence: int) -> None:
        """Give an outlet the packets from a sequence number on."""
        outlet.start(sequence)
        self._outlets.append(outlet)

    def detach(self, outlet: Outlet) -> None:
        """Take an outlet away; the others notice nothing."""
        if outlet in self._outlets:
            self._outlets.remove(outlet)

    def begin(self, source: Pcm, at_ns: int, now_ns: int, position_frames: int) -> None:
        """Set the line: the source's first frame is heard at `at_ns`.

        24 silent packets come in front of it, so it has to be a while from now.
        """
        self.supply.cue(source, self._set_line(at_ns, now_ns), position_frames)

    def hush(self) -> tuple[int, int]:
        """Stop sending; return the next sequence number and frame, for FLUSH."""
        self.line = None
        self.backlog.take_back(self.next_sequence)
        return self.next_sequence, self.next_frame

    def pause(self, now_ns: int) -> tuple[int, int]:
        """Stop sending and take back what is not heard yet, to go on from there."""
        if self.line:
            heard = min(self.line.frame_at(now_ns), self.next_frame)
            oldest = self.backlog.frame_of(self.backlog.oldest_sequence)
            heard = max(heard, oldest)
            self.supply.rewind(heard, self.backlog.pcm_from(heard))
        return self.hush()

    def resume(self, at_ns: int, now_ns: int) -> None:
        """Set a new line: the frame heard last before the pause is heard again."""
        self.supply.resume(self._set_line(at_ns, now_ns))

    def _set_line(self, at_ns: int, now_ns: int) -> int:
        self.backlog.take_back(self.next_sequence)
        content = self.next_frame + SILENT_PACKETS * FRAMES_PER_PACKET
        self.line = Line(content, at_ns)
        self.first_packet_ns = None
        self._settled_ns = max(now_ns, at_ns - self._depth_ns) + _SETTLE_NS
        for outlet in self._outlets:
            outlet.start(self.next_sequence)
        return content

    def heard_frame(self, now_ns: int) -> int | None:
        """Return the frame that is being heard, or None while nothing plays."""
        line = self.line
        return line.frame_at(now_ns) if line else None

    def pump(self, now_ns: int) -> int:
        """Make and send what is due; return the time of the next turn."""
        if self.line is None:
            return now_ns + SECOND_NS
        before = self.next_sequence
        due_ns = self._advance(now_ns)
        has_more = self.next_sequence != before
        for outlet in self._outlets:
            if has_more or outlet.due_ns <= now_ns:
                outlet.due_ns = outlet.pump(now_ns, self)
            due_ns = min(due_ns, outlet.due_ns)
        self._look_for_end(now_ns)
        return due_ns

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return packets and the same joined; the last ones asked for are kept."""
        known = self._joined.get(shape)
        if known and known[0] == first and len(known[1]) == count:
            return known[1], known[2]
        datagrams = self.backlog.datagrams(shape, first, count)
        joined = b"".join(datagrams)
        if count > 1:
            self._joined[shape] = (first, datagrams, joined)
        return datagrams, joined

    def _advance(self, now_ns: int) -> int:
        assert self.line is not None
        while True:
            frame = self.next_frame
            heard_ns = self.line.time_of(frame)
            due_ns = heard_ns - self._depth_ns
            if due_ns > now_ns:
                return due_ns
            if heard_ns < now_ns + _TOO_LATE_NS:
                self._move_line(frame, now_ns)
                continue
            if due_ns > self._settled_ns:
                self.worst_lateness_ns = max(self.worst_lateness_ns, now_ns - due_ns)
            if self.first_packet_ns is None:
                self.first_packet_ns = now_ns
            if self.next_sequence == self.backlog.next_sequence:
                self.backlog.append(self.supply.take(frame, _BLOCK_FRAMES))
            self.next_sequence += BATCH

    def _move_line(self, frame: int, now_ns: int) -> None:
        """Start again behind a hole: the machine slept, or was held, for too long."""
        self.line = Line(frame, now_ns + self._depth_ns)
        self._settled_ns = now_ns + self._depth_ns + _SETTLE_NS
        self.line_moves += 1
        for outlet in self._outlets:
            outlet.start(self.next_sequence)

    def _look_for_end(self, now_ns: int) -> None:
        end = self.supply.end_frame
        if end is None or self.line is None:
            return
        if self.line.time_of(end) + _TAIL_NS <= now_ns and self.supply.source:
            self.line = None
            self._on_end(self.supply.source)
