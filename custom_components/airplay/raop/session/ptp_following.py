"""Following a receiver that keeps its own PTP clock: its time from ours and back."""

from dataclasses import dataclass

from ..wire.ptp import PtpAnnounce, PtpFollowUp, PtpSync

_MS_NS = 1_000_000

# Network delay makes a sample smaller, never greater: greater ones weigh more.
_GAIN, _DELAYED_GAIN = 1 / 8, 1 / 32
_RATE_GAIN = 1 / 16
# Crystals are accurate to 100 ppm; two of them are involved.
_MOST_RATE = 200e-6
_SNAP_NS = 1 * _MS_NS
# One second of successive Syncs that are later than that means a step.
_STRAYS = 8
_RATE_FROM = 16
_GAP_NS = 30_000 * _MS_NS
# The fourth sample comes 0.5 s after the first; starts are reported to work 0.8 s
# after the connection.
_RELIABLE_FROM = 4


@dataclass(frozen=True, slots=True)
class ClockMap:
    """The mapping of session time to a receiver's time: an offset and a rate."""

    at_ns: int = 0
    offset_ns: int = 0
    rate: float = 0.0

    def timeline_ns(self, session_ns: int) -> int:
        """Return the receiver's time at a session time."""
        drift_ns = round(self.rate * (session_ns - self.at_ns))
        return session_ns + self.offset_ns + drift_ns

    def session_ns(self, timeline_ns: int) -> int:
        """Return the session time at a receiver's time."""
        unrated_ns = timeline_ns - self.offset_ns
        elapsed_ns = unrated_ns - self.at_ns
        return unrated_ns - round(self.rate * elapsed_ns / (1 + self.rate))


SAME = ClockMap()


class FollowedClock:
    """Estimates a receiver's clock from its two-step Syncs, in one direction."""

    def __init__(self) -> None:
        self.grandmaster_id: int | None = None
        self.map: ClockMap | None = None
        self.reliable_at_ns: int | None = None
        self._source_id: int | None = None
        self._arrival: tuple[int, int, int] | None = None
        self._departure: tuple[int, int] | None = None
        self._samples = 0
        self._strays = 0

    def announced(self, announce: PtpAnnounce) -> None:
        """Record the receiver's clock; estimate a new one from scratch."""
        if announce.grandmaster_id != self.grandmaster_id:
            self._forget()
            self.grandmaster_id = announce.grandmaster_id
        self._source_id = announce.source.clock_id

    def synced(self, sync: PtpSync, arrived_ns: int) -> None:
        """Record a Sync and the session time of its arrival."""
        if sync.source.clock_id != self._source_id:
            return
        if sync.is_two_step:
            self._arrival = (sync.sequence, arrived_ns, sync.correction_ns)
            self._match()
        else:
            self._add(arrived_ns, sync.origin_ns + sync.correction_ns)

    def followed_up(self, follow_up: PtpFollowUp) -> None:
        """Record the departure time of a Sync."""
        if follow_up.source.clock_id != self._source_id:
            return
        left_ns = follow_up.precise_ns + follow_up.correction_ns
        self._departure = (follow_up.sequence, left_ns)
        self._match()

    def _match(self) -> None:
        if self._arrival is None or self._departure is None:
            return
        sequence, arrived_ns, correction_ns = self._arrival
        left_sequence, left_ns = self._departure
        if sequence == left_sequence:
            self._arrival = self._departure = None
            self._add(arrived_ns, left_ns + correction_ns)

    def _add(self, arrived_ns: int, left_ns: int) -> None:
        sample_ns = left_ns - arrived_ns
        known = self.map
        if known is None:
            self._set(ClockMap(arrived_ns, sample_ns), arrived_ns)
            return
        elapsed_ns = arrived_ns - known.at_ns
        if elapsed_ns <= 0:
            return
        expected_ns = known.timeline_ns(arrived_ns) - arrived_ns
        error_ns = sample_ns - expected_ns
        if self._is_step(error_ns, elapsed_ns):
            self._forget_samples()
            self._set(ClockMap(arrived_ns, sample_ns), arrived_ns)
        elif abs(error_ns) <= _SNAP_NS:
            self._correct(known, arrived_ns, expected_ns, error_ns)

    def _is_step(self, error_ns: int, elapsed_ns: int) -> bool:
        if abs(error_ns) <= _SNAP_NS:
            self._strays = 0
            return False
        # Nothing arrives before its departure; a single late one was delayed.
        self._strays += 1
        return error_ns > 0 or self._strays >= _STRAYS or elapsed_ns > _GAP_NS

    def _correct(
        self, known: ClockMap, arrived_ns: int, expected_ns: int, error_ns: int
    ) -> None:
        gain = _GAIN if error_ns > 0 else _DELAYED_GAIN
        gain = max(gain, 1 / (self._samples + 1))
        moved_ns = error_ns * gain
        rate = known.rate
        if self._samples >= _RATE_FROM:
            rate += moved_ns * _RATE_GAIN / (arrived_ns - known.at_ns)
            rate = min(max(rate, -_MOST_RATE), _MOST_RATE)
        self._set(ClockMap(arrived_ns, expected_ns + round(moved_ns), rate), arrived_ns)

    def _set(self, new: ClockMap, now_ns: int) -> None:
        self.map = new
        self._samples += 1
        if self._samples == _RELIABLE_FROM:
            self.reliable_at_ns = now_ns

    def _forget(self) -> None:
        self._forget_samples()
        self.map = None
        self._arrival = self._departure = None

    def _forget_samples(self) -> None:
        self._samples = self._strays = 0
        self.reliable_at_ns = None
