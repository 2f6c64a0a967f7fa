"""One timeline on the pacing thread: makes due packets for every outlet."""

from collections.abc import Callable

from ...audio.overlay import Overlay
from ...commands import Channel
from ...session.backlog import Backlog, Format
from ...session.lead import SILENT_PACKETS
from ...session.timeline import Line, frames_of_ms
from ...wire.rtp import FRAMES_PER_PACKET
from .feed import Pcm
from .outlet import NEVER_NS, Outlet
from .outlets import Outlets
from .overlay_mix import PlacedOverlay
from .packet_source import BATCH
from .packetizer import Packetizer

# The receiver's output buffer drains a little after a frame's instant, and the last
# packets may have to be requested again.
_TAIL_NS = 250_000_000
# A packet closer to its instant than this is too late; then the line is moved.
_TOO_LATE_NS = 20_000_000
_SETTLE_NS = 100_000_000
_DEEP_RESERVE_NS = 100_000_000  # What packets for deep receivers have to spare.
# With less in hand, half as many packets leave twice as often.
_COMFORT_NS = 600_000_000


class Transmitter:
    """Keeps the line, has its packets made in time, and runs the outlets."""

    def __init__(
        self,
        *,
        sequence: int,
        frame: int,
        ssrc: int,
        depth_ms: int,
        on_switch: Callable[[Pcm], None],
        on_end: Callable[[Pcm], None],
        on_change: Callable[[], None],
    ) -> None:
        """`on_change` follows each change of line, feed, or a receiver's evidence."""
        self.line: Line | None = None
        self.backlog = Backlog(sequence, frame, ssrc)
        self._packetizer = Packetizer(self.backlog, on_switch)
        self.feed = self._packetizer.feed
        self._outlets = Outlets(self.backlog, depth_ms * 1_000_000, on_change)
        self.next_sequence = sequence
        self.latency_frames = frames_of_ms(depth_ms)
        self.worst_lateness_ns = 0
        self.line_moves = 0
        self.first_packet_ns: int | None = None
        self.is_unbroken = False  # Set if FLUSH must be avoided on a receiver.
        self._on_end = on_end
        self.on_change = on_change
        self._settled_ns = 0
        # By the identity of a shared format, which each entry keeps.
        self._joined: dict[int, tuple[int, list[bytes], bytes, Format]] = {}

    @property
    def next_frame(self) -> int:
        """The first frame that was not passed to the outlets yet."""
        return self.backlog.frame_of(self.next_sequence)

    def entry(self, now_ns: int, lead_ns: int, *, delay_frames: int = 0) -> int:
        """Return the first packet that a receiver that joins now can still play.

        On a running line it may have been sent already.
        """
        if self.line is None:
            return self.next_sequence
        return self._outlets.entry(self.line, now_ns, lead_ns, delay_frames)

    def attach(
        self, outlet: Outlet, sequence: int, *, now_ns: int = 0, lead_ns: int = 0
    ) -> None:
        """Add an outlet, starting at an entry or, if it is too late, after it."""
        self._outlets.add(outlet, sequence, self.line, now_ns, lead_ns)
        self.on_change()

    def heard_ns(self, outlet: Outlet) -> int | None:
        """Return the instant at which an outlet's receiver begins to play."""
        line = self.line
        return self._outlets.heard_ns(outlet, line) if line else None

    def detach(self, outlet: Outlet) -> None:
        """Remove an outlet without an effect on the others."""
        self._outlets.remove(outlet)
        self._packetizer.member_packets.pop(outlet, None)

    def deepen(self, depth_ms: int) -> None:
        """Send packets earlier from now on; a running line keeps its latency."""
        if depth_ms:
            self._outlets.deepen(depth_ms * 1_000_000 + _DEEP_RESERVE_NS)
        if self.line is None:
            self.latency_frames = max(self.latency_frames, frames_of_ms(depth_ms))

    def tune(self, outlet: Outlet, delay_frames: int, channel: Channel) -> None:
        """Set an outlet's delay and channel without an effect on the others."""
        outlet.tune(delay_frames, channel)
        self._outlets.stretch()

    @property
    def reach_ns(self) -> int:
        """How long before the line the earliest receiver plays.

        Sound that all must play completely has to begin that much later.
        """
        return self._outlets.reach.before_ns

    @property
    def lag_ns(self) -> int:
        """How long after the line the latest receiver plays."""
        return self._outlets.reach.behind_ns

    def begin(self, source: Pcm, at_ns: int, now_ns: int, position_frames: int) -> int:
        """Play a source from `at_ns` on; return the instant at which it begins.

        24 silent packets precede it, so `at_ns` must be at least that far away, plus
        the reach. On a running line, under a voice, it begins as soon as possible.
        """
        line, packetizer = self.line, self._packetizer
        frame = packetizer.unmade_frame if line else self._set_line(at_ns, now_ns)
        packetizer.begin(source, frame, position_frames, is_seamless=line is not None)
        return line.time_of(frame) if line else at_ns

    def wake(self, at_ns: int, now_ns: int, silent_packets: int) -> None:
        """Set a line that begins with silence; paused music stays paused.

        Its packets are sent as late as possible, until `commit`.
        """
        self._set_line(at_ns, now_ns, silent_packets)
        self._outlets.send_late()

    def commit(self) -> None:
        """Return to the usual depth."""
        self._outlets.send_early()

    def hush(self, now_ns: int) -> tuple[int, int] | None:
        """Stop sending; return the next sequence number and frame, for FLUSH.

        Return None if the line continues: under a voice, or if FLUSH must be avoided
        and sent packets play on.
        """
        if self.is_speaking(now_ns):
            return None
        if self.is_unbroken and self.line:
            self._packetizer.unmake(self.next_frame)
            self._packetizer.take_back(self.next_sequence)
            return None
        self.line = None
        self._packetizer.take_back(self.next_sequence)
        return self.next_sequence, self.next_frame

    def pause(self, now_ns: int) -> tuple[int, int] | None:
        """Hold the music at the playing frame, or under a voice at once; see `hush`."""
        self._packetizer.is_paused = True
        if self.is_speaking(now_ns):
            self.feed.hold(self._packetizer.unmade_frame)
            return None
        if self.line and self.is_unbroken:
            self.hush(now_ns)
            self.feed.hold(self.next_frame)
            return None
        if self.line:
            heard = min(self.line.frame_at(now_ns), self.next_frame)
            oldest = self.backlog.frame_of(self.backlog.oldest_sequence)
            heard = max(heard, oldest)
            self._packetizer.unmake(heard)
            self.feed.hold(heard)
        return self.hush(now_ns)

    def resume(self, at_ns: int, now_ns: int) -> int:
        """Continue with the last frame that played before the pause; see `begin`."""
        line, packetizer = self.line, self._packetizer
        frame = packetizer.unmade_frame if line else self._set_line(at_ns, now_ns)
        packetizer.resume(frame)
        return line.time_of(frame) if line else at_ns

    def speak(
        self, overlay: Overlay, at_ns: int, outlet: Outlet | None = None
    ) -> int | None:
        """Place a voice at an instant or soon after it, on all outlets or on one.

        Return when it begins, or None if the line or the outlet has just ended.
        """
        if self.line is None:
            return None
        frame = max(self.next_frame, self.line.frame_at(at_ns))
        placed = PlacedOverlay(overlay, frame)
        if outlet is None:
            self._packetizer.speak(placed, self.next_sequence)
        elif outlet in self._outlets.outlets:
            self._packetizer.speak_to(outlet, placed, self)
        else:
            return None
        return self.line.time_of(frame)

    @property
    def is_silent(self) -> bool:
        """Whether no music plays on the line."""
        return self._packetizer.is_silent

    def clear(self) -> None:
        """Remove the music, so that a running line is free for a voice."""
        self._packetizer.clear()

    def soonest_ns(self) -> int:
        """Return when the next unsent frame plays, after the silence of a start."""
        line = self.line
        return 0 if line is None else max(line.at_ns, line.time_of(self.next_frame))

    def is_speaking(self, now_ns: int) -> bool:
        """Whether a voice plays, or will play soon."""
        if self.line is None:
            return False
        return not self._packetizer.is_over_at(self.line.frame_at(now_ns - self.lag_ns))

    def heard_frame(self, now_ns: int) -> int | None:
        """Return the frame that is playing, or None if nothing plays."""
        line = self.line
        return line.frame_at(now_ns) if line else None

    def packet_for(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver requests, if it is still available."""
        return self.backlog.packet_for(wire_sequence)

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return packets, separate and joined; the last is cached for a shared format."""
        known = self._joined.get(id(shape))
        if known and known[0] == first and len(known[1]) == count:
            return known[1], known[2]
        datagrams = self.backlog.datagrams(shape, first, count)
        joined = b"".join(datagrams)
        if count > 1:
            self._joined[id(shape)] = (first, datagrams, joined, shape)
        return datagrams, joined

    def pump(self, now_ns: int) -> int:
        """Make and send due packets; return the time of the next turn."""
        if self.line is None:
            return NEVER_NS
        before = self.line, self.feed.segments
        due_ns = self._send_due(now_ns)
        if self._packetizer.member_packets:
            self._packetizer.drop_member_packets(self.line.frame_at(now_ns))
        self._look_for_end(now_ns)
        if before != (self.line, self.feed.segments):
            self.on_change()
        return due_ns

    def _send_due(self, now_ns: int) -> int:
        before = self.next_sequence
        due_ns = self._advance(now_ns)
        has_more = self.next_sequence != before
        member_packets = self._packetizer.member_packets
        for outlet in self._outlets.outlets:
            if has_more or outlet.due_ns <= now_ns:
                packets = member_packets.get(outlet, self) if member_packets else self
                outlet.due_ns = outlet.pump(now_ns, packets)
            due_ns = min(due_ns, outlet.due_ns)
        return due_ns

    def _advance(self, now_ns: int) -> int:
        assert self.line is not None
        outlets = self._outlets
        if outlets.is_catching_up:
            self._settled_ns = max(self._settled_ns, now_ns + _SETTLE_NS)
            outlets.is_catching_up = False
        ahead_ns = outlets.ahead_ns
        while True:
            frame = self.next_frame
            heard_ns = self.line.time_of(frame)
            due_ns = heard_ns - ahead_ns
            if due_ns > now_ns:
                return due_ns
            if heard_ns < now_ns + _TOO_LATE_NS:
                self._move_line(frame, now_ns)
                continue
            if due_ns > self._settled_ns:
                self.worst_lateness_ns = max(self.worst_lateness_ns, now_ns - due_ns)
            if self.first_packet_ns is None:
                self.first_packet_ns = now_ns
            self.next_sequence += BATCH if ahead_ns >= _COMFORT_NS else BATCH // 2
            while self.backlog.next_sequence < self.next_sequence:
                self._packetizer.make(self._packetizer.unmade_frame)

    def _set_line(
        self, at_ns: int, now_ns: int, silent_packets: int = SILENT_PACKETS
    ) -> int:
        """Set a line; return the first frame after its initial silence."""
        self._packetizer.take_back(self.next_sequence)
        self._packetizer.drop_voices()
        content = self.next_frame + silent_packets * FRAMES_PER_PACKET
        self.line = Line(content, at_ns)
        self._outlets.send_early()
        self.first_packet_ns = None
        self._settled_ns = max(now_ns, at_ns - self._outlets.ahead_ns) + _SETTLE_NS
        self._outlets.enter_all(self.next_sequence)
        return content

    def _move_line(self, frame: int, now_ns: int) -> None:
        """Move the line after a gap: the machine slept or was blocked too long."""
        ahead_ns = self._outlets.ahead_ns
        self.line = Line(frame, now_ns + ahead_ns)
        self._settled_ns = now_ns + ahead_ns + _SETTLE_NS
        self.line_moves += 1
        self._outlets.enter_all(self.next_sequence)

    def _look_for_end(self, now_ns: int) -> None:
        end = self.feed.end_frame
        if end is None or self.line is None or self.feed.is_held:
            return
        if self.is_speaking(now_ns):
            return
        tail_ns = _TAIL_NS + self.lag_ns
        if self.line.time_of(end) + tail_ns <= now_ns and self.feed.source:
            self.line = None
            self._on_end(self.feed.source)
