"""The counters of a receiver."""

from dataclasses import dataclass

_BURST_GAP_NS = 1_000_000
_BURST_PACKETS = 16


@dataclass(slots=True)
class Stats:
    """Counters over the whole life of a receiver."""

    packets: int = 0
    """Audio packets that arrived, resent ones included, lost ones not."""
    audio_bytes: int = 0
    lost_by_quirk: int = 0
    resend_requests: int = 0
    """Resend requests sent."""
    resend_asked: int = 0
    """Packets requested in them."""
    resent: int = 0
    """Packets that came wrapped as 0xD6, or plain and into a gap."""
    not_available: int = 0
    """Resend answers for packets that no longer exist."""
    missing: int = 0
    """Packets that were not there when they were due."""
    late: int = 0
    """Packets that came after they were due."""
    duplicates: int = 0
    flushed: int = 0
    """Packets dropped by FLUSH, TEARDOWN or as older than the flush point."""
    undecodable: int = 0
    timing_requests: int = 0
    timing_answers: int = 0
    timing_rejected: int = 0
    sync_packets: int = 0
    sync_ignored: int = 0
    malformed: int = 0
    """Packets that could not be parsed."""
    bursts: int = 0
    """Runs of 16 packets and more that came less than 1 ms apart."""
    largest_burst: int = 0
    min_lead_ns: int | None = None
    """Shortest time by which a packet came before it was due."""
    first_packet_ns: int | None = None
    """CLOCK_MONOTONIC when the first audio packet of all came."""
    last_packet_ns: int = 0
    current_burst: int = 0

    def count_packet(self, size: int, at_ns: int) -> None:
        """Count an audio packet that came at an instant of CLOCK_MONOTONIC."""
        self.packets += 1
        self.audio_bytes += size
        if self.first_packet_ns is None:
            self.first_packet_ns = at_ns
        self.current_burst = (
            self.current_burst + 1 if at_ns - self.last_packet_ns < _BURST_GAP_NS else 1
        )
        self.last_packet_ns = at_ns
        self.largest_burst = max(self.largest_burst, self.current_burst)
        if self.current_burst == _BURST_PACKETS:
            self.bursts += 1
