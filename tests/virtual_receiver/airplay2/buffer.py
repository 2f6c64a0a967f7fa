"""The ring of a buffered stream: packets in order, anchors, rates and flushes."""

from collections import deque
from dataclasses import dataclass

from tests.virtual_receiver.clock import NS_PER_S, OffsetEstimator, ReceiverClock
from tests.virtual_receiver.playback.player import Line
from tests.virtual_receiver.playback.recording import PlayedPacket, Recording
from tests.virtual_receiver.raop.packets import signed_distance
from tests.virtual_receiver.stats import Stats

from .bodies import Flush

_BITS = 23
_FLUSHES = 16


@dataclass(slots=True)
class _Slot:
    sequence: int
    rtptime: int
    frames: int
    pcm: bytes | None
    size: int
    came_ns: int


class Buffer:
    """Play packets by an anchor; all times are of the receiver's clock."""

    def __init__(
        self,
        session: int,
        clock: ReceiverClock,
        recording: Recording,
        stats: Stats,
        offsets: OffsetEstimator,
        limit_bytes: int,
    ) -> None:
        """Start empty and at rate 0."""
        self._session = session
        self._clock = clock
        self._recording = recording
        self._stats = stats
        self._offsets = offsets
        self._limit_bytes = limit_bytes
        self._slots: deque[_Slot] = deque()
        self._flushes: list[Flush] = []
        self._line: Line | None = None
        self._offset_ns = self._anchored_ns = 0
        self._is_running = False
        self.rate = 44100
        self.bytes = 0
        """Bytes that wait to play."""

    # --- input ---------------------------------------------------------------

    def put(
        self,
        sequence: int,
        rtptime: int,
        frames: int,
        pcm: bytes | None,
        size: int,
        now: int,
    ) -> None:
        """Add the next packet; pcm is None if it could not be decoded."""
        self.advance(now)
        if self._is_flushed(sequence):
            self._stats.flushed += 1
            return
        slot = _Slot(sequence, rtptime, frames, pcm, size, now)
        due = self.due(rtptime) if self._is_running else None
        if due is not None and due < now:
            self._stats.late += 1
        elif due is not None:
            lead_ns, least = due - now, self._stats.min_lead_ns
            self._stats.min_lead_ns = lead_ns if least is None else min(least, lead_ns)
        self._slots.append(slot)
        self.bytes += size

    def run(self) -> None:
        """Rate 1: play as soon as an anchor is known."""
        self._is_running = True

    def anchor(self, line: Line, now: int) -> None:
        """Set another line; packets that it puts into the past are skipped."""
        self.advance(now)
        self._line, self._anchored_ns = line, now
        self._offset_ns = self._offsets.offset_at(now)

    def pause(self, now: int, lost_ns: int = 0) -> None:
        """Rate 0: stop immediately, and lose the decoded audio."""
        self.advance(now)
        while lost_ns and self._slots:
            due = self.due(self._slots[0].rtptime)
            if due is None or due >= now + lost_ns:
                break
            self._take()
            self._stats.flushed += 1
        self._is_running = False
        self._line = None

    def measured(self, now: int) -> None:
        """Follow the sender's clock after another measurement."""
        self.advance(now)
        if self._line is not None and self._offsets.is_known:
            self._offset_ns = self._offsets.offset_at(now)

    def flush(self, flush: Flush, now: int) -> None:
        """Drop a range of packets, also of those that are still to come."""
        self.advance(now)
        self._flushes = [*self._flushes[1 - _FLUSHES :], flush]
        kept = [slot for slot in self._slots if not _covers(flush, slot.sequence)]
        self._stats.flushed += len(self._slots) - len(kept)
        self._slots = deque(kept)
        self.bytes = sum(slot.size for slot in kept)

    def stop(self, now: int) -> None:
        """TEARDOWN: audio that has not played yet never will."""
        self.advance(now)
        self._stats.flushed += len(self._slots)
        self._slots.clear()
        self.bytes = 0

    # --- output --------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Play everything that was due until now."""
        while self._slots:
            due = self.next_due_ns
            if due is None or due > now:
                return
            self._play(self._take(), due)

    def due(self, rtptime: int) -> int | None:
        """Return when a frame plays, or None while that is not known."""
        if self._line is None:
            return None
        frames = signed_distance(rtptime, self._line.rtptime, 32)
        elapsed = frames * NS_PER_S // self.rate
        return self._line.sender_ns - self._offset_ns + elapsed

    @property
    def next_due_ns(self) -> int | None:
        """Return when the next frame plays, if one is queued and runs."""
        if not self._is_running or not self._slots:
            return None
        return self.due(self._slots[0].rtptime)

    @property
    def is_anchored(self) -> bool:
        """Return whether an anchor was accepted."""
        return self._line is not None

    @property
    def has_room(self) -> bool:
        """Return whether another packet may come."""
        return self.bytes < self._limit_bytes

    @property
    def queued(self) -> int:
        """Count the packets that wait to play."""
        return len(self._slots)

    # --- inside --------------------------------------------------------------

    def _take(self) -> _Slot:
        slot = self._slots.popleft()
        self.bytes -= slot.size
        return slot

    def _is_flushed(self, sequence: int) -> bool:
        """Return whether a packet that comes now was flushed before."""
        # the first one behind a flush ends it
        self._flushes = [
            flush
            for flush in self._flushes
            if signed_distance(sequence, flush.until, _BITS) < 0
        ]
        return any(_covers(flush, sequence) for flush in self._flushes)

    def _play(self, slot: _Slot, due: int) -> None:
        is_late = due < max(slot.came_ns, self._anchored_ns)
        is_missing = is_late or slot.pcm is None
        if is_missing:
            self._stats.missing += 1
        self._recording.add(
            PlayedPacket(
                session=self._session,
                play_ns=self._clock.to_monotonic(due),
                local_ns=due,
                rtptime=slot.rtptime,
                frames=slot.frames,
                rate=self.rate,
                pcm=b"" if is_missing else slot.pcm or b"",
                is_missing=is_missing,
            )
        )


def _covers(flush: Flush, sequence: int) -> bool:
    if signed_distance(sequence, flush.until, _BITS) >= 0:
        return False
    return flush.start is None or signed_distance(sequence, flush.start, _BITS) >= 0
