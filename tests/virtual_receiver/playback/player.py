"""Packets in, played frames out: the buffer and the line of one session."""

from collections import deque
from dataclasses import dataclass

from tests.virtual_receiver.clock import NS_PER_S, OffsetEstimator, ReceiverClock
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.packets import SyncPacket, signed_distance
from tests.virtual_receiver.raop.sdp import Announcement
from tests.virtual_receiver.stats import Stats

from .gaps import Gaps
from .recording import PlayedPacket, Recording

OWN_LATENCY_FRAMES = 11025
# shairport-sync: three quarters of 1024 packets (rtp.c)
LATENCY_LIMIT_FRAMES = 259_311
BUFFER_PACKETS = 1024
RESYNC_NS = 50_000_000
ARRIVAL_DELAY_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """Which frame plays when, by the sender's clock."""

    sender_ns: int
    rtptime: int


@dataclass(slots=True)
class _Slot:
    rtptime: int
    frames: int
    pcm: bytes
    at_ns: int
    is_late: bool = False
    is_bad: bool = False


class Player:
    """Play the packets of a sender; all times are of the receiver's clock."""

    def __init__(
        self,
        session: int,
        announcement: Announcement,
        clock: ReceiverClock,
        recording: Recording,
        stats: Stats,
        quirks: Quirks,
        airplay_version: int = 0,
        *,
        least_lead_ns: int = 0,
    ) -> None:
        """Prepare to play an announced stream.

        Packets that come less than `least_lead_ns` before they are due are late.
        """
        self._session = session
        self._announcement = announcement
        self._clock = clock
        self._recording = recording
        self._stats = stats
        self._quirks = quirks
        self._least_lead_ns = least_lead_ns
        self._adds_own_latency = 0 < airplay_version <= 353 or airplay_version >= 371
        self._line: Line | None = None
        self._offset_ns = 0
        self._slots: dict[int, _Slot] = {}
        self._read: int | None = None
        self._newest = 0
        self._newest_rtptime: int | None = None
        self._next_rtptime = 0
        self._flush_point: int | None = None
        self._muted_packets = quirks.mutes_first_packets
        self._has_played = False
        self._lost: deque[int] = deque(maxlen=BUFFER_PACKETS)
        self.offsets = OffsetEstimator()
        self.gaps = Gaps()

    # --- input ---------------------------------------------------------------

    def start(self, rtptime: int | None) -> None:
        """RECORD: frames before the first rtptime are dropped, as on 5.1."""
        self._flush_point = rtptime

    def measured(self, now: int) -> None:
        """Follow the sender's clock after another timing answer."""
        self.advance(now)
        if self._line is not None:
            self._offset_ns = self.offsets.offset_at(now)
            self._skip_overdue(now, RESYNC_NS if self._has_played else 0)

    def sync(self, packet: SyncPacket, now: int) -> bool:
        """Handle a sync packet; False if it was dropped."""
        self.advance(now)
        if self._quirks.plays_by_arrival or not self.offsets.is_known:
            return False
        latency = signed_distance(packet.rtptime, packet.rtptime_less_latency, 32)
        if packet.flag == 7 or self._adds_own_latency:
            latency += OWN_LATENCY_FRAMES
        limits = self._announcement
        if limits.max_latency_frames is not None:
            latency = min(latency, limits.max_latency_frames)
        if limits.min_latency_frames is not None:
            latency = max(latency, limits.min_latency_frames)
        if not 0 <= latency <= LATENCY_LIMIT_FRAMES + OWN_LATENCY_FRAMES:
            return False
        self._line = Line(packet.sender_ns, packet.rtptime - latency & 0xFFFFFFFF)
        self._offset_ns = self.offsets.offset_at(now)
        self._skip_overdue(now, RESYNC_NS if self._has_played else 0)
        return True

    def put(
        self, sequence: int, rtptime: int, frames: int, pcm: bytes | None, now: int
    ) -> None:
        """Add a packet; pcm is None if it could not be decoded."""
        self.advance(now)
        if self._is_flushed(rtptime) or not self._may_buffer():
            self._stats.flushed += 1
            return
        place = self._place(sequence, now)
        if place is None:
            return
        if self._quirks.plays_by_arrival and self._line is None:
            self._line = Line(now + ARRIVAL_DELAY_NS, rtptime)
        slot = _Slot(rtptime, frames, pcm or b"", now, is_bad=pcm is None)
        due = self.due(rtptime)
        if due is not None:
            slot.is_late = due < now + self._least_lead_ns
            self._count_lead(due - now, is_late=slot.is_late)
        self._slots[place] = slot
        if self._newest_rtptime is None or (
            signed_distance(rtptime, self._newest_rtptime, 32) > 0
        ):
            self._newest_rtptime = rtptime

    def flush(self, rtptime: int | None, now: int) -> bool:
        """Drop all queued audio; a point older than the newest packet drops nothing."""
        self.advance(now)
        newest = self._newest_rtptime
        # measured: rtptime=0 and no RTP-Info at all flush everything
        if rtptime and newest is not None and signed_distance(rtptime, newest, 32) <= 0:
            return False
        self._drop()
        if rtptime:
            self._flush_point = rtptime
        elif newest is not None:
            self._flush_point = newest + 1 & 0xFFFFFFFF
        return True

    def stop(self, now: int) -> None:
        """TEARDOWN: audio that has not played yet never will."""
        self.advance(now)
        self._drop()

    # --- output --------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Play everything that was due until now."""
        if self._line is None or self._read is None:
            return
        while self._read <= self._newest:
            slot = self._slots.get(self._read)
            rtptime = slot.rtptime if slot is not None else self._next_rtptime
            due = self.due(rtptime)
            if due is None or due > now:
                break
            self._play(self._read, rtptime, due)
            self._read += 1
        self.gaps.forget_below(self._read)

    def due(self, rtptime: int) -> int | None:
        """Return when a frame plays, or None while that is not known."""
        if self._line is None:
            return None
        frames = signed_distance(rtptime, self._line.rtptime, 32)
        elapsed = frames * NS_PER_S // self._announcement.rate
        return self._line.sender_ns - self._offset_ns + elapsed

    def resends(self, now: int) -> list[tuple[int, int]]:
        """Return first and count of the packets to ask for now."""
        return self.gaps.ask(now, self._due_of_gap)

    @property
    def next_due_ns(self) -> int | None:
        """Return when the next frame plays, if one is queued."""
        if self._read is None or self._read > self._newest:
            return None
        slot = self._slots.get(self._read)
        return self.due(slot.rtptime if slot is not None else self._next_rtptime)

    @property
    def end_ns(self) -> int | None:
        """Return when the last queued frame ends, if one is queued."""
        if self._newest_rtptime is None or self.next_due_ns is None:
            return None
        frames = self._announcement.frames_per_packet
        return self.due(self._newest_rtptime + frames & 0xFFFFFFFF)

    @property
    def queued(self) -> int:
        """Count the packets that wait to play."""
        return len(self._slots)

    @property
    def newest_sequence(self) -> int | None:
        """Return the sequence number of the newest packet."""
        return None if self._read is None else self._newest & 0xFFFF

    # --- inside --------------------------------------------------------------

    def _is_flushed(self, rtptime: int) -> bool:
        if self._flush_point is None or self._quirks.forgets_flush_point:
            return False
        return signed_distance(rtptime, self._flush_point, 32) < 0

    def _may_buffer(self) -> bool:
        return self._line is not None or not self._quirks.drops_audio_before_sync

    def _place(self, sequence: int, now: int) -> int | None:
        """Find the slot of a packet and note the gaps before it."""
        if self._read is None:
            self._read = self._newest = sequence
            return sequence
        place = self._newest + signed_distance(sequence, self._newest & 0xFFFF, 16)
        if place in self._slots:
            self._stats.duplicates += 1
            return None
        if place < self._read:
            return self._place_before(place)
        if place - self._read >= BUFFER_PACKETS:
            self._stats.flushed += len(self._slots)
            self._slots.clear()
            self.gaps.clear()
            self._read = self._newest = place
        self.gaps.fill(place)
        if place > self._newest:
            self.gaps.notice(range(self._newest + 1, place), now)
            self._newest = place
        return place

    def _place_before(self, place: int) -> int | None:
        """Add a packet from before the reading position, if nothing was played."""
        assert self._read is not None
        if not self._has_played and self._read - place < BUFFER_PACKETS:
            self._read = place
            return place
        if place in self._lost:
            self._lost.remove(place)
            self._stats.late += 1
        else:
            self._stats.duplicates += 1
        return None

    def _skip_overdue(self, now: int, tolerance_ns: int) -> None:
        """Skip packets that a moved line has put into the past."""
        for slot in self._slots.values():
            due = self.due(slot.rtptime)
            if due is None:
                continue
            # of packets that came before the line was known
            has_starved = self._least_lead_ns and due < slot.at_ns + self._least_lead_ns
            if has_starved or due < now - tolerance_ns:
                slot.is_late = True

    def _count_lead(self, lead_ns: int, *, is_late: bool) -> None:
        if is_late:
            self._stats.late += 1
        elif self._stats.min_lead_ns is None or lead_ns < self._stats.min_lead_ns:
            self._stats.min_lead_ns = lead_ns

    def _due_of_gap(self, place: int) -> int | None:
        if self._newest_rtptime is None:
            return None
        frames = (self._newest - place) * self._announcement.frames_per_packet
        return self.due(self._newest_rtptime - frames & 0xFFFFFFFF)

    def _drop(self) -> None:
        """Forget the queue; the line stays until the next sync packet."""
        if self._quirks.plays_by_arrival:
            self._line = None
        self._stats.flushed += len(self._slots)
        self._slots.clear()
        self._lost.clear()
        self.gaps.clear()
        self._read = self._newest_rtptime = None
        self._has_played = False
        self._muted_packets = self._quirks.mutes_first_packets

    def _play(self, place: int, rtptime: int, due: int) -> None:
        slot = self._slots.pop(place, None)
        frames = slot.frames if slot else self._announcement.frames_per_packet
        is_missing = slot is None or slot.is_late or slot.is_bad
        pcm = b"" if slot is None or slot.is_late else slot.pcm
        if is_missing:
            self._stats.missing += 1
            self._lost.append(place)
        elif self._muted_packets > 0:
            self._muted_packets -= 1
            pcm = bytes(len(pcm))
        self._has_played = True
        self._next_rtptime = rtptime + frames & 0xFFFFFFFF
        self._recording.add(
            PlayedPacket(
                session=self._session,
                play_ns=self._clock.to_monotonic(due),
                local_ns=due,
                rtptime=rtptime,
                frames=frames,
                rate=self._announcement.rate,
                pcm=pcm,
                is_missing=is_missing,
            )
        )
