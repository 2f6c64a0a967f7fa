"""Places for connections to a port that is open to everyone.

Each address has a share, so that no host keeps another one out. If all places are in
use, the oldest connection of the host that has the most makes room: one that is
silent for long is no receiver, whose request comes with its connection.
"""

from collections import Counter
from dataclasses import dataclass

from .allowance import Allowance

# Of addresses that connected last; a flood from more is bounded by the total.
_MOST_ADDRESSES = 256


@dataclass(frozen=True, slots=True)
class Share:
    """How many connections are open, and begin: of all hosts of a kind, and of one."""

    places: int
    places_an_address: int
    per_second: float
    at_once: float
    per_second_an_address: float
    at_once_an_address: float


class Places[C]:
    """The open connections of all hosts of a kind; times are seconds of any clock."""

    def __init__(self, share: Share) -> None:
        """Start without connections."""
        self._share = share
        # In the order in which they began.
        self._open: dict[C, str] = {}
        self._counts: Counter[str] = Counter()
        self._total = Allowance(share.per_second, share.at_once)
        self._by_address: dict[str, Allowance] = {}

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    def admits(self, address: str, now_s: float) -> bool:
        """Count an attempt to connect; return False if there are too many."""
        share = self._share
        own = self._by_address.pop(address, None)
        if own is None:
            own = Allowance(share.per_second_an_address, share.at_once_an_address)
        self._by_address[address] = own
        if len(self._by_address) > _MOST_ADDRESSES:
            del self._by_address[next(iter(self._by_address))]
        return own.spend(now_s) and self._total.spend(now_s)

    def add(self, connection: C, address: str) -> C | None:
        """Give a connection a place; return the one that must make room, if any."""
        displaced = None
        if self._counts[address] >= self._share.places_an_address:
            displaced = self._oldest_of(address)
        elif len(self._open) >= self._share.places:
            [(greedy, _)] = self._counts.most_common(1)
            displaced = self._oldest_of(greedy)
        if displaced is not None:
            self.remove(displaced)
        self._open[connection] = address
        self._counts[address] += 1
        return displaced

    def remove(self, connection: C) -> None:
        """Free the place of a connection that has one."""
        address = self._open.pop(connection, None)
        if address is None:
            return
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def _oldest_of(self, address: str) -> C:
        return next(each for each, its in self._open.items() if its == address)
