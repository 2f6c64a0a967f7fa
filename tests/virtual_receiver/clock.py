"""A receiver's own clock, and its estimate of the sender's."""

from collections import deque
from dataclasses import dataclass
import time

NS_PER_S = 1_000_000_000

_LOOKS = 4
_ROUND_TRIP_LIMIT_NS = 200_000_000
_HISTORY = 128
_AGEING = 1.018
# An answer may be off by half of a round trip.
_TRUST = 2
# How far clocks drift apart, before anything was measured.
_USUAL_DRIFT = 10e-6


def monotonic_ns() -> int:
    """Read CLOCK_MONOTONIC; unlike time.monotonic_ns not frozen by freezegun."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def realtime_ns() -> int:
    """Read CLOCK_REALTIME; unlike time.time_ns not frozen by freezegun."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def to_unix_ns(monotonic: int) -> int:
    """Convert an instant of CLOCK_MONOTONIC to Unix time, by the present clocks."""
    return monotonic + wall_offset_ns()


def wall_offset_ns() -> int:
    """Return how far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC.

    Of several looks that one counts within which the process waited least.
    """
    looks = []
    for _ in range(_LOOKS):
        before, wall, after = monotonic_ns(), realtime_ns(), monotonic_ns()
        looks.append((after - before, wall - (before + after) // 2))
    return min(looks)[1]


@dataclass(frozen=True, slots=True)
class ReceiverClock:
    """A clock that is off the machine's and runs a little faster or slower."""

    offset_ns: int = 0
    drift_ppm: float = 0.0
    epoch_ns: int = 0

    @property
    def _drift_ppb(self) -> int:
        return round(self.drift_ppm * 1000)

    def from_monotonic(self, monotonic: int) -> int:
        """Return the time of this clock at an instant of the machine's."""
        drifted = (monotonic - self.epoch_ns) * self._drift_ppb // NS_PER_S
        return monotonic + self.offset_ns + drifted

    def to_monotonic(self, local: int) -> int:
        """Return the machine's instant at which this clock shows a time."""
        passed = local - self.offset_ns - self.epoch_ns
        return self.epoch_ns + passed * NS_PER_S // (NS_PER_S + self._drift_ppb)


@dataclass(slots=True)
class _Sample:
    at_ns: int
    offset_ns: int
    dispersion_ns: float


class OffsetEstimator:
    """Estimate sender clock minus receiver clock from timing answers."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._samples: deque[_Sample] = deque(maxlen=_HISTORY)

    def forget(self) -> None:
        """Know nothing again."""
        self._samples.clear()

    @property
    def is_known(self) -> bool:
        """Return whether an answer was accepted."""
        return bool(self._samples)

    def add(self, asked: int, received: int, sent: int, answered: int) -> bool:
        """Add the four times of an exchange; False if it lasted too long."""
        round_trip = (answered - asked) - (sent - received)
        if not 0 <= answered - asked < _ROUND_TRIP_LIMIT_NS or round_trip < 0:
            return False
        # shairport-sync lets a measurement lose worth with each later one (rtp.c).
        for sample in self._samples:
            sample.dispersion_ns *= _AGEING
        offset = (received + sent - asked - answered) // 2
        self._samples.append(
            _Sample((asked + answered) // 2, offset, max(round_trip, 1_000))
        )
        return True

    def offset_at(self, local: int) -> int:
        """Return sender clock minus receiver clock at a time of the receiver's."""
        return _fit(list(self._samples), local)


def _fit(samples: list[_Sample], local: int) -> int:
    """Extrapolate the line through samples, each weighted by its precision.

    Its slope weighs the samples against the small usual drift of clocks: few of
    them, or slow ones, hardly tilt it.
    """
    base_ns, base_offset = samples[-1].at_ns, samples[-1].offset_ns
    weights = [(_TRUST / sample.dispersion_ns) ** 2 for sample in samples]
    times = [float(sample.at_ns - base_ns) for sample in samples]
    offsets = [float(sample.offset_ns - base_offset) for sample in samples]
    total = sum(weights)
    mean_t = sum(w * t for w, t in zip(weights, times, strict=True)) / total
    mean_o = sum(w * o for w, o in zip(weights, offsets, strict=True)) / total
    spread = sum(w * (t - mean_t) ** 2 for w, t in zip(weights, times, strict=True))
    common = sum(
        w * (t - mean_t) * (o - mean_o)
        for w, t, o in zip(weights, times, offsets, strict=True)
    )
    slope = common / (spread + 1 / _USUAL_DRIFT**2)
    return base_offset + round(mean_o + slope * (local - base_ns - mean_t))
