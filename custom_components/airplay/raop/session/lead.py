"""How soon after a command a receiver plays: the lead of a start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, override

from ..wire.rtp import FRAMES_PER_PACKET, SAMPLE_RATE
from .timeline import SECOND_NS, ms_of_frames

# shairport-sync 3.3.8 loses the first nine packets of a start, 5.1 one after a FLUSH;
# after 24 silent packets both play completely on every output (measured).
SILENT_PACKETS = 24
# The packets of a start: the silent ones, and a second of sound.
START_PACKETS = SILENT_PACKETS + SAMPLE_RATE // FRAMES_PER_PACKET

# Complete on every measured receiver and output.
USUAL_LEAD_MS = 700
LEAST_LEAD_MS = 400
# shairport-sync plays every frame of a start with the least lead, whatever its output
# buffers (measured on 3.3.8, 4.3, and 5.2 with 0.2 to 0.5 s); but with a buffer of
# 0.5 s, as with PipeWire, it is 0.1 s late then, which is heard in a group.
_GROUP_LEAD_MS = 500
# Between the end of a receiver's own latency and the first packet, for the network.
_RESERVE_MS = 100
# shairport-sync reports these values whatever the buffer of its output is: its report
# shows nothing.
_EMPTY_WORDS = (0, 11_025)
# The longest depth that a receiver may ask for.
MOST_DEPTH_MS = 4000

# An unready clock may lose the silent packets before the audio; this is
# shairport-sync's own buffer beyond them (measured: 0.85 s after a SETUP is clean).
_CLOCK_RESERVE_MS = 250

# Each start without a loss makes the next one that much sooner, and a loss makes it
# later, for as many starts as a listener may hear in some days.
_SOONER_MS = 100
_LATER_MS = 200
CALM_STARTS = 20
# Losses of a start are known this long after its first frame: a receiver requests a
# lost packet after 0.1 s, and again every 0.25 s (shairport-sync).
_JUDGED_NS = SECOND_NS
# A start with a longer lead than the known one says nothing about that.
_SAME_LEAD_MS = 20
# The jitter of a wired or good wireless network, which the reserve covers.
_GOOD_SPREAD_US = 10_000
# 80 % of the requests are within the spread; a late packet may be much later.
_SPREADS = 4
# A link that loses more than one packet in so many needs time for requests.
_GOOD_LINK = 200


@dataclass(frozen=True, slots=True)
class LearnedLead:
    """The lead that the earlier starts of a receiver have taught, 0 ms if none has.

    It gets no shorter before `calm` more starts without a loss.
    """

    ms: int = 0
    calm: int = 0

    def after(self, *, losses: int, usual_ms: int, least_ms: int) -> LearnedLead:
        """Return what is known after another start, which may have lost packets.

        A receiver that permits no other lead than the usual one has nothing to teach.
        """
        known_ms = self.ms or usual_ms
        if least_ms >= USUAL_LEAD_MS:
            return self
        if losses:
            later_ms = min(known_ms + _LATER_MS, USUAL_LEAD_MS)
            return LearnedLead(later_ms, CALM_STARTS)
        if self.calm:
            return LearnedLead(known_ms, self.calm - 1)
        if known_ms <= least_ms:
            return self
        return LearnedLead(max(known_ms - _SOONER_MS, least_ms))


class StartEvidence(Protocol):
    """The evidence of a receiver, by either protocol."""

    @property
    def lead_ms(self) -> int:
        """The shortest sufficient lead."""

    @property
    def group_lead_ms(self) -> int:
        """The same for a receiver that must be in sync with others."""

    @property
    def least_ms(self) -> int:
        """The shortest lead that more starts may teach."""

    @property
    def usual_ms(self) -> int:
        """The lead while no start has taught anything."""

    @property
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays."""


class StartWatch:
    """Learns the lead of one receiver from its starts; times are of the session."""

    def __init__(self, learned: LearnedLead) -> None:
        self.learned = learned
        self._heard_ns: int | None = None
        self._lead_ms = 0

    def begin(self, heard_ns: int, lead_ms: int) -> None:
        """Record a start on a new line: when its first frame plays, and its lead."""
        self._heard_ns, self._lead_ms = heard_ns, lead_ms

    def judge(
        self, now_ns: int, losses: int, evidence: Callable[[], StartEvidence]
    ) -> bool:
        """Learn from the present start, once; return whether anything is new.

        `losses` counts the packets of the start that were late or requested again. A
        start that ends early shows nothing, unless it has lost some.
        """
        if self._heard_ns is None:
            return False
        if not losses and now_ns < self._heard_ns + _JUDGED_NS:
            return False
        self._heard_ns, before, now = None, self.learned, evidence()
        if losses or self._lead_ms <= (before.ms or now.usual_ms) + _SAME_LEAD_MS:
            self.learned = before.after(
                losses=losses, usual_ms=now.usual_ms, least_ms=now.least_ms
            )
        return self.learned != before


@dataclass(frozen=True, slots=True)
class PtpStartEvidence(StartEvidence):
    """How far a receiver has synchronized with a PTP clock.

    With a clock that is known, the shortest lead is complete (measured), so there is
    nothing to learn but that a link needs more.
    """

    ready_in_ms: int
    least_depth_ms: int = 0
    learned: LearnedLead = LearnedLead()

    @property
    @override
    def lead_ms(self) -> int:
        """The shortest lead after which its clock is reliable."""
        return max(self.joining_ms, self.learned.ms, LEAST_LEAD_MS)

    @property
    @override
    def group_lead_ms(self) -> int:
        """The same, as a receiver with a clock is in sync as soon as it plays."""
        return self.lead_ms

    @property
    @override
    def least_ms(self) -> int:
        """The shortest lead with a clock that is known."""
        return LEAST_LEAD_MS

    @property
    @override
    def usual_ms(self) -> int:
        """The same, as nothing has to be learned first."""
        return LEAST_LEAD_MS

    @property
    @override
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays."""
        return max(
            self.ready_in_ms + _CLOCK_RESERVE_MS, deep_lead_ms(self.least_depth_ms)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RaopStartEvidence(StartEvidence):
    """The evidence of one receiver with NTP time, in this session and before.

    `kind_lead_ms` is the shortest lead that its kind is known to permit, 0 if unknown;
    `spread_us` is the jitter of its timing requests, None if there are too few.
    """

    own_latency_frames: int = 0
    kind_lead_ms: int = 0
    timing_replies: int = 0
    packets: int = 0
    resent: int = 0
    spread_us: int | None = None
    least_depth_ms: int = 0
    learned: LearnedLead = LearnedLead()

    @property
    @override
    def lead_ms(self) -> int:
        """The shortest lead that this evidence permits."""
        return max(self._shown_ms, deep_lead_ms(self.least_depth_ms))

    @property
    @override
    def group_lead_ms(self) -> int:
        """The shortest lead with which it is on the line from the first frame on."""
        return max(self.lead_ms, _GROUP_LEAD_MS)

    @property
    @override
    def least_ms(self) -> int:
        """The shortest lead by its own latency or its kind, on a link like this."""
        wanted_ms = self._told_ms + self._jitter_ms
        return min(max(wanted_ms, LEAST_LEAD_MS), USUAL_LEAD_MS)

    @property
    @override
    def usual_ms(self) -> int:
        """The lead that is complete everywhere."""
        return USUAL_LEAD_MS

    @property
    @override
    def joining_ms(self) -> int:
        """The shortest lead of the first packet if music already plays.

        No listener waits for its start, so no silence precedes it, and nothing is
        risked for it.
        """
        silent_ms = ms_of_frames(SILENT_PACKETS * FRAMES_PER_PACKET)
        usual_ms = max(USUAL_LEAD_MS, deep_lead_ms(self.least_depth_ms))
        return usual_ms - silent_ms

    @property
    def _shown_ms(self) -> int:
        is_lossy = self.resent * _GOOD_LINK > self.packets
        if is_lossy or not self.timing_replies:
            return USUAL_LEAD_MS
        has_told = self.own_latency_frames not in _EMPTY_WORDS
        if has_told and self.packets and not self.learned.calm:
            # Its own word, since it has played: no more starts are needed to learn it.
            return self.least_ms
        return max(self.learned.ms or USUAL_LEAD_MS, self.least_ms)

    @property
    def _told_ms(self) -> int:
        if self.own_latency_frames in _EMPTY_WORDS:
            return self.kind_lead_ms or USUAL_LEAD_MS
        frames = self.own_latency_frames + SILENT_PACKETS * FRAMES_PER_PACKET
        return ms_of_frames(frames) + _RESERVE_MS

    @property
    def _jitter_ms(self) -> int:
        spread_us = self.spread_us or 0
        return _SPREADS * spread_us // 1000 if spread_us > _GOOD_SPREAD_US else 0


def depth_of_latency_ms(own_latency_frames: int) -> int:
    """Return the depth that a receiver's `Audio-Latency` asks for, 0 if none."""
    if own_latency_frames in _EMPTY_WORDS:
        return 0
    return min(ms_of_frames(own_latency_frames), MOST_DEPTH_MS)


def deep_lead_ms(least_depth_ms: int) -> int:
    """Return the shortest lead for a receiver that needs a depth, 0 if it needs none."""
    return least_depth_ms + 2 * _RESERVE_MS if least_depth_ms else 0


def filling_lead_ms(depth_ms: int, decoded_ms: int) -> int:
    """Return the lead for media of which no more is decoded at its start.

    What is sent at once, up to the depth, must be there, or silence takes its place.
    """
    return min(depth_ms + _RESERVE_MS - decoded_ms, USUAL_LEAD_MS)


def lead_ms(group: Iterable[StartEvidence]) -> int:
    """Return the lead that is sufficient for all receivers of a group."""
    members = tuple(group)
    if len(members) == 1:
        return members[0].lead_ms
    return max((each.group_lead_ms for each in members), default=USUAL_LEAD_MS)
