"""How soon after a command a receiver is heard: the lead of a start."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..wire.rtp import FRAMES_PER_PACKET
from .timeline import ms_of_frames

# 3.3.8 loses the first nine packets of a start, 5.1 one after a FLUSH; behind 24
# silent packets both play complete on every output (measured).
SILENT_PACKETS = 24

# Complete on every receiver and output that was measured.
USUAL_LEAD_MS = 700
_LEAST_LEAD_MS = 400
# Between the end of a receiver's own latency and the first packet, for the network.
_RESERVE_MS = 100
# shairport-sync says so whatever the buffer of its output is, and where its first
# packet is late it leaves out half a second without a word (measured): its word
# shows nothing.
_EMPTY_WORDS = (0, 11_025)
_TIMING_REPLIES = 2


# The silent packets in front of the sound may fall victim to an unready clock; this is
# shairport-sync's own buffer beyond them (measured: 0.85 s after a SETUP is clean).
_CLOCK_RESERVE_MS = 250


class StartEvidence(Protocol):
    """What a receiver has shown, by whichever protocol."""

    @property
    def lead_ms(self) -> int:
        """The shortest lead that is enough for it."""

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet where music plays already."""


@dataclass(frozen=True, slots=True)
class PtpStartEvidence:
    """How far a receiver that follows a PTP clock is with that."""

    ready_in_ms: int

    @property
    def lead_ms(self) -> int:
        """The shortest lead behind which its clock can be relied on."""
        return max(self.joining_ms, _LEAST_LEAD_MS)

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet where music plays already."""
        return self.ready_in_ms + _CLOCK_RESERVE_MS


@dataclass(frozen=True, slots=True)
class RaopStartEvidence:
    """What one receiver has shown in its session until now."""

    own_latency_frames: int
    timing_replies: int
    resent: int
    was_heard: bool

    @property
    def lead_ms(self) -> int:
        """The shortest lead that it has shown to be enough."""
        is_shown = (
            self.was_heard
            and self.own_latency_frames not in _EMPTY_WORDS
            and self.timing_replies >= _TIMING_REPLIES
            # What comes late is asked for again.
            and not self.resent
        )
        if not is_shown:
            return USUAL_LEAD_MS
        frames = self.own_latency_frames + SILENT_PACKETS * FRAMES_PER_PACKET
        wanted_ms = ms_of_frames(frames) + _RESERVE_MS
        return min(max(wanted_ms, _LEAST_LEAD_MS), USUAL_LEAD_MS)

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet where music plays already.

        Nobody waits for its start, so there is no silence in front of it.
        """
        silent_ms = ms_of_frames(SILENT_PACKETS * FRAMES_PER_PACKET)
        return self.lead_ms - silent_ms


def lead_ms(group: Iterable[StartEvidence]) -> int:
    """Return the lead that all of a group have shown to be enough."""
    return max((each.lead_ms for each in group), default=USUAL_LEAD_MS)
