"""A sender's timing, computed from the receivers' records."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .receivers import Kind, Seen

type Numbers = npt.NDArray[np.floating]

_SAMPLE_RATE = 44_100
_HIDDEN_LATENCY = 11_025
# All packets of a batch except the first are early on purpose.
_EARLY_MS = -4.0
_REPAIR_NS = 500_000_000
_FILTER = 8
_AGEING = 1.01
_STEP_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """The measured interval of the wall clock, in ns."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Timing:
    """The precision of a sender; a quantity without samples is NaN."""

    lateness_p99_ms: float
    lateness_worst_ms: float
    reply_worst_ms: float
    clock_error_p99_us: float
    clock_error_worst_us: float
    sync_error_p99_us: float
    resend_p99_ms: float
    packets: int
    lost: int
    unrepaired: int


def analyse(seen: Seen, window: Window) -> Timing:
    """Compute the figures of one sender in one window."""
    times = _within(seen.of(Kind.TIME), window, "a")
    bias = _clock_bias(times)
    errors = times["d"] - bias
    lateness = _lateness_ms(seen, window, bias)
    lost, unrepaired = _losses(seen, window)
    return Timing(
        lateness_p99_ms=_quantile(lateness[lateness > _EARLY_MS], 99),
        lateness_worst_ms=_quantile(lateness, 100),
        reply_worst_ms=_quantile(times["b"] / 1e6, 100),
        clock_error_p99_us=_quantile(np.abs(errors) / 1e3, 99),
        clock_error_worst_us=_quantile(np.abs(errors) / 1e3, 100),
        sync_error_p99_us=_quantile(_sync_errors_us(times, errors, window), 99),
        resend_p99_ms=_quantile(
            _within(seen.of(Kind.RESEND), window, "a")["c"] / 1e6, 99
        ),
        packets=len(lateness),
        lost=lost,
        unrepaired=unrepaired,
    )


def first_audio_ns(seen: Seen) -> npt.NDArray[np.int64]:
    """Return the arrival times of audio packets, lost ones included, in order."""
    arrivals = np.concatenate((seen.of(Kind.AUDIO)["a"], seen.of(Kind.LOST)["a"]))
    return np.sort(arrivals)


def _within(
    records: npt.NDArray[np.void], window: Window, column: str
) -> npt.NDArray[np.void]:
    at = records[column]
    chosen: npt.NDArray[np.void] = records[
        (at >= window.start_ns) & (at < window.end_ns)
    ]
    return chosen


def _clock_bias(times: npt.NDArray[np.void]) -> float:
    """Return the difference between the sender's clock and the wall clock.

    A sender may serve any clock with a constant offset; the fastest answers show it.
    """
    if not len(times):
        return 0.0
    quick = times["c"] <= np.percentile(times["c"], 10)
    return float(np.median(times["d"][quick]))


def _lateness_ms(seen: Seen, window: Window, bias: float) -> Numbers:
    """Compare arrivals with the schedule of the sender's sync packets."""
    syncs = seen.of(Kind.SYNC)
    syncs = syncs[syncs["a"] < window.end_ns]
    every = np.concatenate((seen.of(Kind.AUDIO), seen.of(Kind.LOST)))
    audio = _within(every, window, "a")
    if not len(syncs) or not len(audio):
        return np.empty(0)
    line = syncs[-1]
    # The packet with frame d - 11025 is due at the NTP time c.
    frames = (audio["c"] - int(line["d"]) + _HIDDEN_LATENCY) & 0xFFFFFFFF
    frames = np.where(frames >= 1 << 31, frames - (1 << 32), frames)
    due_ns = int(line["c"]) + frames * (1e9 / _SAMPLE_RATE)
    late: Numbers = (audio["a"] + bias - due_ns) / 1e6
    return late


def _losses(seen: Seen, window: Window) -> tuple[int, int]:
    """Count lost packets, and those that were not sent again."""
    horizon = Window(window.start_ns, window.end_ns - _REPAIR_NS)
    lost = _within(seen.of(Kind.LOST), horizon, "a")
    repaired = {(int(one["receiver"]), int(one["b"])) for one in seen.of(Kind.RESEND)}
    missing = [one for one in lost if (one["receiver"], one["b"]) not in repaired]
    return len(lost), len(missing)


def _sync_errors_us(
    times: npt.NDArray[np.void], errors: Numbers, window: Window
) -> Numbers:
    """Compare each receiver's estimate of the sender's clock with the first one's."""
    grid = np.arange(window.start_ns, window.end_ns, _STEP_NS, dtype=np.int64)
    views = []
    for receiver in np.unique(times["receiver"]):
        mine = times["receiver"] == receiver
        if np.count_nonzero(mine) > _FILTER:
            views.append(_view(times[mine], errors[mine], grid))
    if len(views) < 2:
        return np.empty(0)
    apart: Numbers = np.concatenate([view - views[0] for view in views[1:]])
    return np.abs(apart) / 1e3


def _view(
    times: npt.NDArray[np.void], errors: Numbers, grid: npt.NDArray[np.int64]
) -> Numbers:
    """Filter as shairport-sync does: the least dispersed of the last replies."""
    ages = _AGEING ** np.arange(_FILTER - 1, -1, -1)
    last = np.arange(_FILTER - 1, len(times))
    recent = last[:, None] + np.arange(1 - _FILTER, 1)
    best = np.argmin(times["c"][recent] * ages, axis=1)
    filtered: Numbers = errors[recent[np.arange(len(last)), best]]
    at = np.searchsorted(times["a"][last], grid) - 1
    return filtered[np.clip(at, 0, None)]


def _quantile(values: Numbers, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")
