"""Whose volume of a receiver counts: a state machine without clock and network.

Every volume has one owner, here. A report from the receiver is its user's wish only
if it cannot be an echo of a write:
- for 2 s after a write, and while an announcement plays at its own volume, no report
  counts;
- up to 4 s after a write, a report of the written volume is a late echo, once for
  each write;
- Apple's receivers report the previous volume, so their reports never count.
A change at the receiver is sent back to it once, when it is quiet for a moment: some
receivers only request a volume and wait for it; the others already have it.
"""

from collections import deque
from dataclasses import dataclass

from ..player.origin import Origin

DEAF_S = 2.0
ECHO_S = 4.0
ANSWER_S = 0.4
# A receiver with coarser steps reports the nearest one.
ROUNDING = 0.05
_SAME = 0.01
_DOUBTFUL = 0.5
_MOST_ECHOES = 64
# A receiver that stays too loud despite corrections is not corrected forever.
_MOST_REMINDERS = 3


@dataclass(frozen=True, slots=True)
class OwnedLevel:
    """A volume to write to a receiver, from 0 to 1."""

    level: float
    is_muted: bool

    @property
    def audible(self) -> float:
        """Return the audible volume; zero and muted are the same to a receiver."""
        return 0.0 if self.is_muted else self.level


@dataclass(frozen=True, slots=True)
class _Echo:
    """A written volume that the receiver may still report."""

    level: float
    until_s: float


class VolumeOwner:
    """One receiver's volume; times are seconds of any clock.

    Call `poll` after every input, and again at `due_s`: it returns the volume to write.
    """

    def __init__(self, level: float) -> None:
        """Initialize with a guess, which is never written."""
        self.level = level
        self.is_muted = False
        self.is_known = False
        self.maximum = 1.0
        self.origin = Origin.DEFAULT
        self.reports_previous = False
        self.due_s: float | None = None
        self._deaf_until_s = float("-inf")
        self._held_at: float | None = None
        self._is_answer = False
        self._echoes: deque[_Echo] = deque(maxlen=_MOST_ECHOES)
        self._reminders = 0
        # A volume that was returned and not accepted.
        self._doubted: float | None = None
        # Some receivers repeat the volume from which they were lowered.
        self._lowered_from: float | None = None

    @property
    def present(self) -> OwnedLevel:
        """Return the current volume."""
        return OwnedLevel(self.level, self.is_muted)

    def restore(self, level: float, *, is_muted: bool) -> None:
        """Restore the volume from before a restart without writing it."""
        self._set(level, is_muted=is_muted, origin=Origin.RESTORED)

    def order(
        self, level: float, *, is_muted: bool, origin: Origin, now_s: float
    ) -> None:
        """Set the volume; it replaces any pending write."""
        self._set(level, is_muted=is_muted, origin=origin)
        self._reminders = 0
        self._write_at(now_s)

    def limit(self, maximum: float, now_s: float) -> bool:
        """Set the maximum; return whether it lowered the volume."""
        self.maximum = maximum
        if self.level <= maximum:
            return False
        self.level = maximum
        if self.is_known:
            self.origin = Origin.LIMIT
            self._write_at(now_s)
        return True

    def write_again(self, now_s: float) -> None:
        """Schedule another write of the current volume."""
        self._write_at(now_s)

    def find(self, level: float, now_s: float) -> None:
        """Accept the volume that a receiver returned on request.

        Some receivers always return the maximum. An unknown volume of a half or more
        is accepted only once it has changed.
        """
        if not self.is_known:
            doubted, self._doubted = self._doubted, level
            if _DOUBTFUL <= level <= self.maximum and doubted in (None, level):
                return
            self._set(level, is_muted=False, origin=Origin.DEVICE)
        if level != self.level or self.is_muted:
            self._write_at(now_s)

    def sent(self, now_s: float) -> None:
        """Record that a session started with the current volume."""
        self._note_written(now_s)

    def hold(self, level: float) -> None:
        """Ignore reports while the receiver plays at the volume of an announcement."""
        self._held_at = level

    def release(self, now_s: float) -> None:
        """Accept reports again, after the echoes of the restored volume."""
        if self._held_at is not None:
            self._echoes.append(_Echo(self._held_at, now_s + ECHO_S))
            self._held_at = None
        self._note_written(now_s)

    def report(
        self, level: float | None, now_s: float, *, is_wish: bool = False
    ) -> bool:
        """Process a receiver's report of its volume, None for muted.

        `is_wish` is the command that only requests a volume. Return whether the volume has
        changed.
        """
        if self.reports_previous and not is_wish:
            return False
        heard = 0.0 if level is None else level
        is_echo = self._take_echo(heard, now_s)
        if self._held_at is not None:
            return False
        if now_s < self._deaf_until_s:
            if heard > self.maximum and heard != self._lowered_from:
                self._remind(self._deaf_until_s)
            self._lowered_from = None
            return False
        if is_echo or abs(heard - self.present.audible) <= _SAME:
            return False
        if level is None:
            self._set(self.level, is_muted=True, origin=Origin.DEVICE)
        else:
            self._set(level, is_muted=False, origin=Origin.DEVICE)
        if heard > self.maximum:
            self._lowered_from = heard
            self._remind(now_s)
        else:
            self._reminders = 0
            self.due_s, self._is_answer = now_s + ANSWER_S, True
        return True

    def poll(self, now_s: float) -> OwnedLevel | None:
        """Return the volume to write now, or None."""
        if self.due_s is None or now_s < self.due_s:
            return None
        self.due_s = None
        if self._is_answer:
            self._echoes.append(_Echo(self.present.audible, now_s + ECHO_S))
        else:
            self._note_written(now_s)
        return self.present

    def _set(self, level: float, *, is_muted: bool, origin: Origin) -> None:
        # Sums of steps have digits that mean nothing.
        self.level = min(max(round(level, 4), 0.0), self.maximum)
        self.is_muted, self.is_known, self.origin = is_muted, True, origin

    def _write_at(self, now_s: float) -> None:
        self.due_s, self._is_answer = now_s, False

    def _remind(self, at_s: float) -> None:
        """Schedule a correction of a receiver that is too loud, a limited number of times."""
        is_due = self.due_s is not None and not self._is_answer
        if self._reminders < _MOST_REMINDERS and not is_due:
            self._reminders += 1
            self._write_at(at_s)

    def _note_written(self, now_s: float) -> None:
        self._deaf_until_s = now_s + DEAF_S
        self._echoes.append(_Echo(self.present.audible, now_s + ECHO_S))

    def _take_echo(self, heard: float, now_s: float) -> bool:
        """Consume the echo that matches a report; each counts once."""
        while self._echoes and self._echoes[0].until_s < now_s:
            self._echoes.popleft()
        for echo in self._echoes:
            if abs(echo.level - heard) <= ROUNDING:
                self._echoes.remove(echo)
                return True
        return False
