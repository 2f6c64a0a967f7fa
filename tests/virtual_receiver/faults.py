"""A bad network and a bad receiver: packets lost, late, and asked for needlessly."""

import math
import random

from .quirks import Quirks


class Faults:
    """The effect of the quirks on the packets of one stream."""

    def __init__(self, quirks: Quirks) -> None:
        """Begin with the quirks' own seed."""
        self._quirks = quirks
        self._random = random.Random(quirks.seed)
        self._seen = self._burst_left = 0

    def is_lost(self) -> bool:
        """Return whether the audio packet that comes now is lost."""
        self._seen += 1
        every = self._quirks.burst_loss_every
        if every and self._seen % every == 0:
            self._burst_left = self._quirks.burst_loss_length
        if self._burst_left:
            self._burst_left -= 1
            return True
        return bool(self._quirks.loss) and self._random.random() < self._quirks.loss

    def delay_s(self) -> float:
        """Return by how much the packet that comes or goes now is late."""
        share = math.pow(self._random.random(), self._quirks.jitter_rarity)
        return share * self._quirks.jitter_s

    @property
    def asks_needlessly(self) -> bool:
        """Return whether `needless` returns any packets."""
        return self._quirks.ask_burst > 0 or self._quirks.ask_never_sent

    def needless(self, newest: int) -> list[tuple[int, int]]:
        """Return first and count of packets to ask for without any reason."""
        asked = []
        if self._quirks.ask_burst:
            count = self._quirks.ask_burst
            asked.append((newest - count + 1, count))
        if self._quirks.ask_never_sent:
            asked.append((newest + 30_000, 16))
        return asked
