"""Who says how loud a receiver is: a state machine without clock and network.

Every level has one owner, here. What comes back from the receiver is its user's wish
only where it cannot be an echo of ours:

- for 2 s after our own change nothing that it reports counts, nor while an
  announcement sounds at a level of its own;
- up to 4 s after it, a report of what was written is a late echo, once for each
  writing;
- what Apple's receivers report is the level before, so theirs never counts.

A change at the receiver is told back to it once, when it is quiet for a moment:
some only ask and wait for it, and to the others it is what they have.
"""

from collections import deque
from dataclasses import dataclass

from ..player.origin import Origin

DEAF_S = 2.0
ECHO_S = 4.0
ANSWER_S = 0.4
# A receiver with fewer steps than ours reports the nearest one.
ROUNDING = 0.05
_SAME = 0.01
_MOST_ECHOES = 64
# A receiver that stays too loud whatever it is told is not told for ever.
_MOST_REMINDERS = 3


@dataclass(frozen=True, slots=True)
class OwnedLevel:
    """What a receiver is told, from 0 to 1."""

    level: float
    is_muted: bool

    @property
    def audible(self) -> float:
        """How loud it is heard; silent and muted are the same to a receiver."""
        return 0.0 if self.is_muted else self.level


@dataclass(frozen=True, slots=True)
class _Echo:
    """A level that was written and may be reported yet."""

    level: float
    until_s: float


class VolumeOwner:
    """One receiver's level; times are seconds of any clock.

    Call `poll` after every input, and again at `due_s`: it returns what is to be
    written.
    """

    def __init__(self, level: float) -> None:
        """Begin with a guess, which is written to nobody."""
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
        # Some say once more what they were lowered from.
        self._lowered_from: float | None = None

    @property
    def present(self) -> OwnedLevel:
        """Return what is in force."""
        return OwnedLevel(self.level, self.is_muted)

    def restore(self, level: float, *, is_muted: bool) -> None:
        """Take up what was known before a restart; nothing is written."""
        self._set(level, is_muted=is_muted, origin=Origin.RESTORED)

    def order(
        self, level: float, *, is_muted: bool, origin: Origin, now_s: float
    ) -> None:
        """Set the level; of all that is open, this is what is written."""
        self._set(level, is_muted=is_muted, origin=origin)
        self._reminders = 0
        self._write_at(now_s)

    def limit(self, maximum: float, now_s: float) -> bool:
        """Set the most that is allowed; return whether the level had to follow."""
        self.maximum = maximum
        if self.level <= maximum:
            return False
        self.level = maximum
        if self.is_known:
            self.origin = Origin.LIMIT
            self._write_at(now_s)
        return True

    def write_again(self, now_s: float) -> None:
        """Have the present level written once more."""
        self._write_at(now_s)

    def find(self, level: float, now_s: float) -> None:
        """Take the level that a receiver told when it was asked."""
        if not self.is_known:
            self._set(level, is_muted=False, origin=Origin.DEVICE)
        if level != self.level or self.is_muted:
            self._write_at(now_s)

    def sent(self, now_s: float) -> None:
        """Take note that a session began with our level."""
        self._note_written(now_s)

    def hold(self, level: float) -> None:
        """Hear nothing while the receiver sounds at a level that is not ours."""
        self._held_at = level

    def release(self, now_s: float) -> None:
        """Hear again, once echoes of the level that is set back are over."""
        if self._held_at is not None:
            self._echoes.append(_Echo(self._held_at, now_s + ECHO_S))
            self._held_at = None
        self._note_written(now_s)

    def report(
        self, level: float | None, now_s: float, *, is_wish: bool = False
    ) -> bool:
        """Take a receiver's word of its level, None for muted.

        `is_wish` is the form that is only used to ask for a level. Returns whether
        something has changed.
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
        """Return what is to be written now, or None."""
        if self.due_s is None or now_s < self.due_s:
            return None
        self.due_s = None
        if self._is_answer:
            self._echoes.append(_Echo(self.present.audible, now_s + ECHO_S))
        else:
            self._note_written(now_s)
        return self.present

    def _set(self, level: float, *, is_muted: bool, origin: Origin) -> None:
        self.level = min(max(level, 0.0), self.maximum)
        self.is_muted, self.is_known, self.origin = is_muted, True, origin

    def _write_at(self, now_s: float) -> None:
        self.due_s, self._is_answer = now_s, False

    def _remind(self, at_s: float) -> None:
        """Tell a receiver again that it is too loud, but not for ever."""
        is_due = self.due_s is not None and not self._is_answer
        if self._reminders < _MOST_REMINDERS and not is_due:
            self._reminders += 1
            self._write_at(at_s)

    def _note_written(self, now_s: float) -> None:
        self._deaf_until_s = now_s + DEAF_S
        self._echoes.append(_Echo(self.present.audible, now_s + ECHO_S))

    def _take_echo(self, heard: float, now_s: float) -> bool:
        """Use up what was written and is reported now; each only once."""
        while self._echoes and self._echoes[0].until_s < now_s:
            self._echoes.popleft()
        for echo in self._echoes:
            if abs(echo.level - heard) <= ROUNDING:
                self._echoes.remove(echo)
                return True
        return False
