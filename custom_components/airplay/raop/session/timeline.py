"""The line that says when each frame is heard, and the sync packets drawn from it."""

from collections.abc import Callable
from dataclasses import dataclass

from ..commands import MAX_DELAY_MS
from ..wire.ntp import from_unix_ns
from ..wire.rtp import SAMPLE_RATE, SyncPacket, TimeAnnounce

SECOND_NS = 1_000_000_000

# A receiver adds this to the latency that a sync packet with flag word 7 spells out
# (shairport-sync rtp.c; measured on 3.3.8 and 5.1).
HIDDEN_LATENCY_FRAMES = 11_025

# The same for time announces of AirPlay 2 (shairport-sync rtp.c; measured: with it
# receivers of both kinds are within 0.1 ms of each other).
ANNOUNCED_LATENCY_FRAMES = 11_035

# What iOS says there of how much the receiver holds.
_ANNOUNCED_FRAMES = 77_175

# shairport-sync ignores sync packets that ask for more: 3/4 of its 1024 packets.
MAX_LATENCY_FRAMES = 259_311 - 4_000


@dataclass(frozen=True, slots=True)
class Line:
    """Frame `frame` is heard at session time `at_ns`; all others follow at 44.1 kHz.

    Frames count without end; they are cut to 32 bits on the wire alone.
    """

    frame: int
    at_ns: int

    def time_of(self, frame: int) -> int:
        """Return the first ns of session time at which a frame is heard."""
        # Rounded up, so that `frame_at` gives the very frame back.
        return self.at_ns - (self.frame - frame) * SECOND_NS // SAMPLE_RATE

    def frame_at(self, at_ns: int) -> int:
        """Return the frame that is being heard at a session time."""
        return self.frame + (at_ns - self.at_ns) * SAMPLE_RATE // SECOND_NS


def frames_of_ms(milliseconds: int) -> int:
    """Return how many frames sound for a time."""
    return milliseconds * SAMPLE_RATE // 1000


def ms_of_frames(frames: int) -> int:
    """Return how long frames sound."""
    return frames * 1000 // SAMPLE_RATE


def delay_frames(delay_ms: int) -> int:
    """Return how many frames later a receiver is heard, within what may be wanted."""
    within = min(max(delay_ms, -MAX_DELAY_MS), MAX_DELAY_MS)
    return round(within * SAMPLE_RATE / 1000)


def sync_packet(
    line: Line, now_ns: int, latency_frames: int, *, delay_frames: int, is_first: bool
) -> SyncPacket:
    """Tell a receiver the line: which frame is heard at about now.

    The packet's time is that of the frame's first instant, not `now_ns`, so every
    packet of a line is exactly on it. A positive delay is heard later.
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
    """Tell a receiver of AirPlay 2 the line, as `sync_packet` does.

    `timeline_ns` turns session time into that of the clock that the receiver follows.
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
