"""The session clock: monotonic, looks like Unix time, never steps.

Receivers only compare our sync packets with our timing replies, so both come from
this clock; a step of the host's wall clock reaches no speaker.
"""

import time

_OFFSET_NS = time.time_ns() - time.monotonic_ns()


def now_ns() -> int:
    """Return the session time in ns."""
    return time.monotonic_ns() + _OFFSET_NS


def monotonic_of(session_ns: int) -> int:
    """Return the CLOCK_MONOTONIC time, for timers."""
    return session_ns - _OFFSET_NS


def of_realtime(realtime_ns: int) -> int:
    """Convert a wall clock stamp just taken, wherever the wall clock stands now."""
    return now_ns() - (time.time_ns() - realtime_ns)


def to_unix(session_ns: int) -> float:
    """Return the wall clock time in seconds, for people and other programs."""
    return (session_ns + time.time_ns() - now_ns()) / 1e9
