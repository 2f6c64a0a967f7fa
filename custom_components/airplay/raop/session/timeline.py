"""The line that maps frames to instants, and the sync packets made from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from ..commands import MAX_DELAY_MS
from ..wire.ntp import from_unix_ns
from ..wire.rtp import SAMPLE_RATE, SyncPacket, TimeAnnounce

SECOND_NS = 1_000_000_000

# A receiver adds this to the latency in a sync packet with flag word 7
# (shairport-sync rtp.c; measured on 3.3.8 and 5.1).
HIDDEN_LATENCY_FRAMES = 11_025

# The same for time announces of AirPlay 2 (shairport-sync rtp.c; measured: with it
# receivers of both kinds are within 0.1 ms of each other).
ANNOUNCED_LATENCY_FRAMES = 11_035

# The value that iOS sends for the receiver's buffer.
_ANNOUNCED_FRAMES = 77_175

# shairport-sync ignores sync packets with more: 3/4 of its 1024 packets.
MAX_LATENCY_FRAMES = 259_311 - 4_000
_MOST_HELD_NS = MAX_LATENCY_FRAMES * SECOND_NS // SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Line:
    """Frame `frame` plays at session time `at_ns`; all others follow at 44.1 kHz.

    Frame numbers never wrap; only the wire truncates them to 32 bits.
    """

    frame: int
    at_ns: int

    def time_of(self, frame: int) -> int:
        """Return the first ns of session time at which a frame plays."""
        # Rounded up, so that `frame_at` returns the same frame.
        return self.at_ns - (self.frame - frame) * SECOND_NS // SAMPLE_RATE

    def frame_at(self, at_ns: int) -> int:
        """Return the frame that is playing at a session time."""
        return self.frame + (at_ns - self.at_ns) * SAMPLE_RATE // SECOND_NS


def frames_of_ms(milliseconds: int) -> int:
    """Return the number of frames of a duration."""
    return milliseconds * SAMPLE_RATE // 1000


def ms_of_frames(frames: int) -> int:
    """Return the duration of frames."""
    return frames * 1000 // SAMPLE_RATE


def delay_frames(delay_ms: int) -> int:
    """Return how many frames later a receiver plays, clamped to the allowed range."""
    within = min(max(delay_ms, -MAX_DELAY_MS), MAX_DELAY_MS)
    return round(within * SAMPLE_RATE / 1000)


def sync_packet(
    line: Line, now_ns: int, latency_frames: int, *, delay_frames: int, is_first: bool
) -> SyncPacket:
    """Return the sync packet for the frame that plays at about now.

    The packet's time is that of the frame's first instant, not `now_ns`, so every
    packet of a line is exactly on it. With a positive delay the receiver plays later.
    """
    frame = line.frame_at(now_ns)
    heard = frame + HIDDEN_LATENCY_FRAMES - delay_frames
    latency = min(latency_frames, MAX_LATENCY_FRAMES - HIDDEN_LATENCY_FRAMES)
    return SyncPacket(
        rtptime=heard + latency,
        rtptime_less_latency=heard,
        ntp=from_unix_ns(line.time_of(frame)),
        is_first=is_first,
    )


def time_announce(
    line: Line,
    now_ns: int,
    clock_id: int,
    timeline_ns: Callable[[int], int],
    *,
    delay_frames: int,
    is_first: bool,
) -> TimeAnnounce:
    """Return the time announce of AirPlay 2 for the same frame as `sync_packet`.

    `timeline_ns` converts session time to that of the clock that the receiver follows.
    """
    frame = line.frame_at(now_ns)
    heard = frame + ANNOUNCED_LATENCY_FRAMES - delay_frames
    return TimeAnnounce(
        frame=heard,
        end_frame=heard + _ANNOUNCED_FRAMES,
        time_ns=timeline_ns(line.time_of(frame)),
        clock_id=clock_id,
        is_first=is_first,
    )


@dataclass(frozen=True, slots=True)
class DelaySpan:
    """How long the first receiver plays before the line, and the last after it."""

    before_ns: int = 0
    behind_ns: int = 0

    @classmethod
    def of(cls, delays_frames: Iterable[int]) -> Self:
        """Return the span of a group; a receiver without a delay is on the line."""
        delays = (0, *delays_frames)
        before, behind = -min(delays), max(delays)
        return cls(before * SECOND_NS // SAMPLE_RATE, behind * SECOND_NS // SAMPLE_RATE)

    def ahead_ns(self, depth_ns: int) -> int:
        """Return how far ahead of the line packets are sent.

        That is `depth_ns` before the first receiver plays, or less if the last one
        could not hold all packets until it plays.
        """
        return min(self.before_ns + depth_ns, _MOST_HELD_NS - self.behind_ns)
