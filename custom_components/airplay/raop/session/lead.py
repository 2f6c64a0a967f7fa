"""How soon after a command a receiver plays: the lead of a start."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..wire.rtp import FRAMES_PER_PACKET
from .timeline import ms_of_frames

# shairport-sync 3.3.8 loses the first nine packets of a start, 5.1 one after a FLUSH;
# after 24 silent packets both play completely on every output (measured).
SILENT_PACKETS = 24

# Complete on every measured receiver and output.
USUAL_LEAD_MS = 700
_LEAST_LEAD_MS = 400
# Between the end of a receiver's own latency and the first packet, for the network.
_RESERVE_MS = 100
# shairport-sync reports these values whatever the buffer of its output is, and skips
# half a second without notice if its first packet is late (measured): its report
# shows nothing.
_EMPTY_WORDS = (0, 11_025)
_TIMING_REPLIES = 2
# The longest depth that a receiver may ask for.
MOST_DEPTH_MS = 4000

# An unready clock may lose the silent packets before the audio; this is
# shairport-sync's own buffer beyond them (measured: 0.85 s after a SETUP is clean).
_CLOCK_RESERVE_MS = 250


class StartEvidence(Protocol):
    """The evidence of a receiver, by either protocol."""

    @property
    def lead_ms(self) -> int:
        """The shortest sufficient lead."""

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays."""


@dataclass(frozen=True, slots=True)
class PtpStartEvidence:
    """How far a receiver has synchronized with a PTP clock."""

    ready_in_ms: int
    least_depth_ms: int = 0

    @property
    def lead_ms(self) -> int:
        """The shortest lead after which its clock is reliable."""
        return max(self.joining_ms, _LEAST_LEAD_MS)

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays."""
        return max(
            self.ready_in_ms + _CLOCK_RESERVE_MS, deep_lead_ms(self.least_depth_ms)
        )


@dataclass(frozen=True, slots=True)
class RaopStartEvidence:
    """The evidence of one receiver in its session so far."""

    own_latency_frames: int
    timing_replies: int
    resent: int
    was_heard: bool
    least_depth_ms: int = 0

    @property
    def lead_ms(self) -> int:
        """The shortest lead that this evidence permits."""
        return max(self._shown_ms, deep_lead_ms(self.least_depth_ms))

    @property
    def _shown_ms(self) -> int:
        is_shown = (
            self.was_heard
            and self.own_latency_frames not in _EMPTY_WORDS
            and self.timing_replies >= _TIMING_REPLIES
            # Late packets are requested again.
            and not self.resent
        )
        if not is_shown:
            return USUAL_LEAD_MS
        frames = self.own_latency_frames + SILENT_PACKETS * FRAMES_PER_PACKET
        wanted_ms = ms_of_frames(frames) + _RESERVE_MS
        return min(max(wanted_ms, _LEAST_LEAD_MS), USUAL_LEAD_MS)

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays.

        No listener waits for its start, so no silence precedes it.
        """
        silent_ms = ms_of_frames(SILENT_PACKETS * FRAMES_PER_PACKET)
        return self.lead_ms - silent_ms


def depth_of_latency_ms(own_latency_frames: int) -> int:
    """Return the depth that a receiver's `Audio-Latency` asks for, 0 if none."""
    if own_latency_frames in _EMPTY_WORDS:
        return 0
    return min(ms_of_frames(own_latency_frames), MOST_DEPTH_MS)


def deep_lead_ms(least_depth_ms: int) -> int:
    """Return the shortest lead for a receiver that needs a depth, 0 if it needs none."""
    return least_depth_ms + 2 * _RESERVE_MS if least_depth_ms else 0


def lead_ms(group: Iterable[StartEvidence]) -> int:
    """Return the lead that is sufficient for all receivers of a group."""
    return max((each.lead_ms for each in group), default=USUAL_LEAD_MS)
