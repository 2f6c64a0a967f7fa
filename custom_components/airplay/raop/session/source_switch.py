"""The meaning of a receiver's device-prevent-playback, by iTunes' rule.

1: it was switched to another input or off; it leaves the stream, others play on.
0: it can be used again; it returns only if it left for a 1. The pair that some send
after our own TEARDOWN (Denon, owntone's player.c) is ignored.
"""

from enum import Enum, auto

# Receivers send 1 while they switch to us.
_START_S = 1.0
_PAIR_S = 5.0


class Turn(Enum):
    """The consequence of a report."""

    NOTHING = auto()
    LEAVE = auto()
    RETURN = auto()
    NOTE = auto()


class SourceSwitch:
    """One receiver's reported input; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with a receiver that has reported nothing."""
        self._began_s: float | None = None
        self._ended_s: float | None = None
        self._paired_s: float | None = None
        self._has_left = False

    def began(self, now_s: float) -> None:
        """Record that our session has started."""
        self._began_s = now_s
        self._ended_s = self._paired_s = None
        self._has_left = False

    def ended(self, now_s: float) -> None:
        """Record that our session has ended, for any reason."""
        if self._began_s is not None:
            self._began_s, self._ended_s = None, now_s

    def turn_for(self, *, is_prevented: bool, now_s: float) -> Turn:
        """Return the consequence of a report."""
        if self._began_s is not None:
            return self._while_playing(is_prevented, now_s - self._began_s)
        if is_prevented:
            if self._ended_s is not None and now_s - self._ended_s < _PAIR_S:
                self._paired_s = now_s
                return Turn.NOTHING
            return Turn.NOTE
        paired_s, self._paired_s = self._paired_s, None
        if paired_s is not None and now_s - paired_s < _PAIR_S:
            return Turn.NOTHING
        has_left, self._has_left = self._has_left, False
        return Turn.RETURN if has_left else Turn.NOTE

    def _while_playing(self, is_prevented: bool, for_s: float) -> Turn:
        if not is_prevented or for_s < _START_S:
            return Turn.NOTHING
        self._has_left = True
        return Turn.LEAVE
