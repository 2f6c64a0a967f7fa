"""An allowance that refills: so much at once, and so much a second."""

import math


class Allowance:
    """A budget for events of one kind; times are seconds of any clock."""

    def __init__(self, per_second: float, at_once: float) -> None:
        """Start full."""
        self._per_second = per_second
        self._at_once = at_once
        self._left = at_once
        self._counted_s = -math.inf

    def left(self, now_s: float) -> float:
        """Return what may be spent now; negative while more was charged."""
        if now_s > self._counted_s:
            gained = (now_s - self._counted_s) * self._per_second
            self._left = min(self._at_once, self._left + gained)
            self._counted_s = now_s
        return self._left

    def spend(self, now_s: float, amount: float = 1) -> bool:
        """Spend an amount if it is left; return whether it was."""
        if self.left(now_s) < amount:
            return False
        self._left -= amount
        return True

    def charge(self, now_s: float, amount: float) -> None:
        """Spend an amount that has been used already, even if it is not left."""
        self._left = self.left(now_s) - amount
