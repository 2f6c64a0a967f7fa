"""One timeline on the pacing thread: makes packets when due, for every outlet."""

from collections.abc import Callable

from ..audio.overlay import Overlay
from ..commands import Channel
from ..session.backlog import ENCODED_AT_ONCE, Backlog, Format
from ..session.lead import SILENT_PACKETS
from ..session.reach import Reach
from ..session.timeline import SECOND_NS, Line, frames_of_ms
from ..wire.rtp import FRAMES_PER_PACKET, SAMPLE_RATE
from .outlet import BATCH
from .supply import Pcm, Supply
from .tap import Tap
from .voicing import Branch, Voicing

# Taken and encoded at once, sent a batch at a time: waking up cold is what costs.
_BLOCK_FRAMES = ENCODED_AT_ONCE * FRAMES_PER_PACKET
# The receiver's own output buffer lets go a little after a frame's instant, and the
# last packets may have to be asked for again.
_TAIL_NS = 250_000_000
# Closer to being heard than this, a packet comes too late; then the line is moved.
_TOO_LATE_NS = 20_000_000
_SETTLE_NS = 100_000_000
# As late as packets may go out while it is open what they shall hold: more than the
# longest output buffer that was measured to work.
_LATE_NS = 350_000_000
# What a receiver that joins may take for RECORD and its level, beyond its own lead.
_JOINING_NS = 100_000_000


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
        self.is_paused = False
        # Set where a receiver must not be made to drop what it holds.
        self.is_unbroken = False
        # Music that begins while a voice mutes it waits: its first frames count.
        self._is_fresh = False
        self._voicing: Voicing | None = None
        self._branches: dict[Tap, Branch] = {}
        # How far ahead of its first receiver's sound packets go out, and of the line.
        self._depth_ns = self._distance_ns = self._ahead_ns = depth_ms * 1_000_000
        self._reach = Reach()
        self._on_end = on_end
        self._outlets: list[Tap] = []
        # The first packet that each outlet was given of the present line.
        self._entries: dict[Tap, int] = {}
        self._first_sequence = sequence
        self._settled_ns = 0
        self._is_catching_up = False
        self._joined: dict[Format, tuple[int, list[bytes], bytes]] = {}

    @property
    def next_frame(self) -> int:
        """The first frame that was not given to the outlets yet."""
        return self.backlog.frame_of(self.next_sequence)

    def entry(self, now_ns: int, lead_ns: int, *, delay_frames: int = 0) -> int:
        """Return the packet with which a receiver begins that joins now.

        It is the one heard soonest of those that it can still play: on a line that
        runs one from the past, as long as it is heard `lead_ns` from now or later.
        """
        return self._entry(now_ns, self._joining_ns(lead_ns), delay_frames)

    def attach(
        self, outlet: Tap, sequence: int, *, now_ns: int = 0, lead_ns: int = 0
    ) -> None:
        """Give an outlet the packets from an entry on, or from a later one.

        The entry may have come too late meanwhile.
        """
        if self.line:
            least_ns = self._joining_ns(lead_ns) - _JOINING_NS
            soonest = self._entry(now_ns, least_ns, outlet.delay_frames)
            sequence = max(sequence, soonest)
        self._entries[outlet] = sequence
        outlet.start(sequence)
        self._outlets.append(outlet)
        self._stretch()

    def heard_ns(self, outlet: Tap) -> int | None:
        """Return the instant from which on an outlet's receiver is heard."""
        line, sequence = self.line, self._entries.get(outlet)
        if line is None or sequence is None:
            return None
        heard_ns = max(line.at_ns, line.time_of(self.backlog.frame_of(sequence)))
        return heard_ns + outlet.delay_frames * SECOND_NS // SAMPLE_RATE

    def _joining_ns(self, lead_ns: int) -> int:
        # What goes out to all only then is soon enough.
        return min(lead_ns + _JOINING_NS, self._ahead_ns)

    def _entry(self, now_ns: int, lead_ns: int, delay_frames: int) -> int:
        if self.line is None:
            return self.next_sequence
        frame = self.line.frame_at(now_ns + lead_ns) - delay_frames
        oldest = max(self._first_sequence, self.backlog.oldest_sequence)
        return max(self.backlog.sequence_from(frame), oldest)

    def detach(self, outlet: Tap) -> None:
        """Take an outlet away; the others notice nothing."""
        if outlet in self._outlets:
            self._outlets.remove(outlet)
            self._entries.pop(outlet, None)
            self._branches.pop(outlet, None)
            self._stretch()

    def tune(self, outlet: Tap, delay_frames: int, channel: Channel) -> None:
        """Set an outlet's delay and channel; the others notice nothing."""
        outlet.tune(delay_frames, channel)
        self._stretch()

    @property
    def reach_ns(self) -> int:
        """How long before the line the first of the receivers is heard.

        What shall be heard whole by all has to begin so much later.
        """
        return self._reach.before_ns

    @property
    def lag_ns(self) -> int:
        """How long after the line the last of the receivers is heard."""
        return self._reach.behind_ns

    def _stretch(self) -> None:
        """Send far enough ahead for all delays, and no further."""
        self._reach = Reach.of(outlet.delay_frames for outlet in self._outlets)
        self._keep_distance(self._distance_ns)

    def _keep_distance(self, distance_ns: int) -> None:
        self._distance_ns = distance_ns
        ahead_ns = self._reach.ahead_ns(distance_ns)
        # What is due all at once now is not late.
        self._is_catching_up |= ahead_ns > self._ahead_ns
        self._ahead_ns = ahead_ns

    def begin(self, source: Pcm, at_ns: int, now_ns: int, position_frames: int) -> int:
        """Let a source be heard from `at_ns` on; return the instant at which it is.

        24 silent packets come in front of it, so it has to be a while from now, and
        the reach more. On a line that runs it is heard as soon as may be instead,
        under a voice.
        """
        self.is_paused = False
        self._is_fresh = True
        if self.line:
            frame = self._unmade_frame
            self.supply.cue(source, frame, position_frames, is_seamless=True)
            return self.line.time_of(frame)
        self.supply.cue(source, self._set_line(at_ns, now_ns), position_frames)
        return at_ns

    def wake(self, at_ns: int, now_ns: int, silent_packets: int) -> None:
        """Set a line on which nothing is heard yet; what is paused stays so.

        Its packets go out as late as they may, until `commit`.
        """
        self._set_line(at_ns, now_ns, silent_packets)
        self._keep_distance(min(self._depth_ns, _LATE_NS))

    def commit(self) -> None:
        """Send as far ahead as usual again."""
        self._keep_distance(self._depth_ns)

    def hush(self, now_ns: int) -> tuple[int, int] | None:
        """Stop sending; return the next sequence number and frame, for FLUSH.

        Under a voice the line runs on and there is nothing to FLUSH; neither is where
        it is to be unbroken, and what was sent is heard.
        """
        if self.is_speaking(now_ns):
            return None
        if self.is_unbroken and self.line:
            self._unmake(self.next_frame)
            self._take_back()
            return None
        self.line = None
        self._take_back()
        return self.next_sequence, self.next_frame

    def pause(self, now_ns: int) -> tuple[int, int] | None:
        """Hold the music where it is heard, or under a voice at once; see `hush`."""
        self.is_paused = True
        if self.is_speaking(now_ns):
            self.supply.hold(self._unmade_frame)
            return None
        if self.line and self.is_unbroken:
            self.hush(now_ns)
            self.supply.hold(self.next_frame)
            return None
        if self.line:
            heard = min(self.line.frame_at(now_ns), self.next_frame)
            oldest = self.backlog.frame_of(self.backlog.oldest_sequence)
            heard = max(heard, oldest)
            self._unmake(heard)
            self.supply.hold(heard)
        return self.hush(now_ns)

    def resume(self, at_ns: int, now_ns: int) -> int:
        """Let the frame heard last before the pause be heard again; see `begin`."""
        self.is_paused = False
        self._is_fresh = True
        if self.line is None:
            self.supply.resume(self._set_line(at_ns, now_ns))
            return at_ns
        frame = self._unmade_frame
        if self._wants_music:
            self.supply.resume(frame)
        return self.line.time_of(frame)

    def speak(
        self, overlay: Overlay, at_ns: int, outlet: Tap | None = None
    ) -> int | None:
        """Let a voice be heard at an instant, or as soon after it as may be.

        It is heard on all outlets, or on one alone. Returns the instant at which it
        begins; None where the line has just ended.
        """
        if self.line is None:
            return None
        frame = max(self.next_frame, self.line.frame_at(at_ns))
        voicing = Voicing(overlay, frame)
        if outlet is None:
            self._unmake(self.next_frame)
            self._take_back()
            self._voicing = voicing
        elif outlet in self._outlets:
            below = self._branches.get(outlet)
            if below:
                below.settle()
            branch = Branch(self, below or self, voicing)
            if music := self.backlog.music_from(self.next_frame):
                branch.make(music)
            self._branches[outlet] = branch
        else:
            return None
        return self.line.time_of(frame)

    @property
    def is_silent(self) -> bool:
        """Whether a line runs on which no music is heard."""
        return self.supply.is_held or self.supply.source is None

    def clear(self) -> None:
        """Leave the music: a line that runs is free for a voice."""
        self.is_paused = False
        self.supply.clear()

    def soonest_ns(self) -> int:
        """Return the instant at which the next frame that is still ours is heard.

        Silence in front of what is heard is not ours.
        """
        line = self.line
        return 0 if line is None else max(line.at_ns, line.time_of(self.next_frame))

    def is_speaking(self, now_ns: int) -> bool:
        """Whether a voice is heard, or on its way."""
        if self.line is None:
            return False
        frame = self.line.frame_at(now_ns - self.lag_ns)
        voices = [each.voicing for each in self._branches.values()]
        if self._voicing:
            voices.append(self._voicing)
        return not all(each.is_heard_at(frame) for each in voices)

    def _take_back(self) -> None:
        """Forget the packets that were made, but not given to the outlets yet."""
        for backlog in (self.backlog, *(b.backlog for b in self._branches.values())):
            backlog.take_back(self.next_sequence)

    @property
    def _unmade_frame(self) -> int:
        """The first frame that is in no packet: no voice was mixed into it."""
        return self.backlog.frame_of(self.backlog.next_sequence)

    def _unmake(self, frame: int) -> None:
        """Take music back that is not heard, to be made again."""
        self.supply.rewind(frame, self.backlog.music_from(frame))

    def _set_line(
        self, at_ns: int, now_ns: int, silent_packets: int = SILENT_PACKETS
    ) -> int:
        self._take_back()
        self._voicing = None
        self._branches.clear()
        content = self.next_frame + silent_packets * FRAMES_PER_PACKET
        self.line = Line(content, at_ns)
        self._keep_distance(self._depth_ns)
        self.first_packet_ns = None
        self._settled_ns = max(now_ns, at_ns - self._ahead_ns) + _SETTLE_NS
        self._enter_all()
        return content

    def _enter_all(self) -> None:
        """Let all outlets begin with the first packet of a line."""
        self._first_sequence = self.next_sequence
        for outlet in self._outlets:
            self._entries[outlet] = self.next_sequence
            outlet.start(self.next_sequence)

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
                stock = self._branches.get(outlet, self) if self._branches else self
                outlet.due_ns = outlet.pump(now_ns, stock)
            due_ns = min(due_ns, outlet.due_ns)
        self._look_for_end(now_ns)
        if self._branches:
            self._drop_branches(now_ns)
        return due_ns

    def _drop_branches(self, now_ns: int) -> None:
        if self.line:
            frame = self.line.frame_at(now_ns)
            for outlet, branch in tuple(self._branches.items()):
                if not branch.is_needed_at(frame):
                    del self._branches[outlet]

    def find(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver asks for, if it is still there."""
        return self.backlog.find(wire_sequence)

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
        if self._is_catching_up:
            self._settled_ns = max(self._settled_ns, now_ns + _SETTLE_NS)
            self._is_catching_up = False
        while True:
            frame = self.next_frame
            heard_ns = self.line.time_of(frame)
            due_ns = heard_ns - self._ahead_ns
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
                self._make(frame)
            self.next_sequence += BATCH

    def _make(self, frame: int) -> None:
        """Make the next block, for all and for those who hear something else."""
        voicing = self._voicing
        if voicing is None or voicing.is_made:
            self._let_music_flow(frame)
            sound = music = self.supply.take(frame, _BLOCK_FRAMES)
        else:
            sound, music = self._voiced(voicing, frame)
        self.backlog.append(sound, music)
        for branch in self._branches.values():
            # Where its own voice is over, it hears what all hear.
            branch.make(sound if branch.voicing.is_made else music)

    def _voiced(self, voicing: Voicing, frame: int) -> tuple[bytes, bytes]:
        """Return the next block with a voice in it, and without it."""
        heard, music = [], []
        stop = frame + _BLOCK_FRAMES
        while frame < stop:
            frames = voicing.reach(frame, stop - frame, is_silent=self.is_silent)
            self._let_music_flow(frame)
            music.append(self.supply.take(frame, frames))
            heard.append(voicing.mix(frame, music[-1]))
            frame += frames
        return b"".join(heard), b"".join(music)

    @property
    def _wants_music(self) -> bool:
        if self.is_paused:
            return False
        overlay = self._voicing.overlay if self._voicing else None
        if overlay is None:
            return True
        return overlay.wants_music and not (self._is_fresh and overlay.is_muting)

    def _let_music_flow(self, frame: int) -> None:
        if self._wants_music:
            self._is_fresh = False
            self.supply.resume(frame)
        else:
            self.supply.hold(frame)

    def _move_line(self, frame: int, now_ns: int) -> None:
        """Start again behind a hole: the machine slept, or was held, for too long."""
        self.line = Line(frame, now_ns + self._ahead_ns)
        self._settled_ns = now_ns + self._ahead_ns + _SETTLE_NS
        self.line_moves += 1
        self._enter_all()

    def _look_for_end(self, now_ns: int) -> None:
        end = self.supply.end_frame
        if end is None or self.line is None or self.supply.is_held:
            return
        if self.is_speaking(now_ns):
            return
        tail_ns = _TAIL_NS + self.lag_ns
        if self.line.time_of(end) + tail_ns <= now_ns and self.supply.source:
            self.line = None
            self._on_end(self.supply.source)
