"""The session clock: monotonic, close to Unix time, never steps.

Receivers only compare our sync packets with our timing replies, so both use this
clock; a step of the host's wall clock does not affect any receiver.
"""

import time

_OFFSET_NS = time.time_ns() - time.monotonic_ns()

# The thread may be preempted between two clock readings; such readings are repeated.
_TOGETHER_NS = 5_000
_MOST_LOOKS = 8


def now_ns() -> int:
    """Return the session time in ns."""
    return time.monotonic_ns() + _OFFSET_NS


def monotonic_of(session_ns: int) -> int:
    """Return the CLOCK_MONOTONIC time, for timers."""
    return session_ns - _OFFSET_NS


def of_realtime(realtime_ns: int) -> int:
    """Convert a recent wall clock stamp, whatever the wall clock shows now."""
    return realtime_ns + _OFFSET_NS - _wall_offset_ns()


def to_unix(session_ns: int) -> float:
    """Return the wall clock time in seconds, for people and other programs."""
    return (session_ns - _OFFSET_NS + _wall_offset_ns()) / 1e9


def of_unix(unix_s: float) -> int:
    """Return the session time in ns of a wall clock time in seconds."""
    return int(unix_s * 1e9) + _OFFSET_NS - _wall_offset_ns()


def _wall_offset_ns() -> int:
    """Return how far the wall clock is ahead of CLOCK_MONOTONIC."""
    offset_ns, closest_ns = 0, None
    for _ in range(_MOST_LOOKS):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        apart_ns = time.monotonic_ns() - before_ns
        if closest_ns is None or apart_ns < closest_ns:
            offset_ns, closest_ns = wall_ns - before_ns - apart_ns // 2, apart_ns
        if apart_ns <= _TOGETHER_NS:
            break
    return offset_ns
