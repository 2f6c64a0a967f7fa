"""The receivers that are seen on the network: found quickly, and a limited number.

Anyone on the network can announce receivers, thousands of them, and change them all the
time. Nothing that is done for one record takes longer if there are more of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from homeassistant.core import CALLBACK_TYPE

from ..const import RAOP_TYPE
from ..raop.api import Receiver, Service, announced_ids

# A house has some dozens, and a bridge announces one for each speaker of another system.
MOST_RECEIVERS = 512
MOST_AT_ONE_ADDRESS = 64


@dataclass(slots=True)
class Sight:
    """One receiver with its last records, and which of them are still valid."""

    receiver: Receiver
    standing: set[str] = field(default_factory=set)
    going: CALLBACK_TYPE | None = None

    def service(self, kind: str) -> Service | None:
        """Return the record of a kind."""
        return self.receiver.raop if kind == RAOP_TYPE else self.receiver.airplay

    def stay(self) -> None:
        """Do not forget it when the grace time ends."""
        if self.going:
            self.going()
            self.going = None


class Sightings:
    """All seen receivers, by their IDs, records, and pairs.

    Those that are wanted have room always. One of the others is forgotten for a newer
    one if there are too many, except for a newer one at an address that has many.
    """

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        """Initialize without receivers; `is_wanted` is asked with an ID."""
        self._is_wanted = is_wanted
        self._sights: dict[str, Sight] = {}
        self._by_record: dict[tuple[bool, str], str] = {}
        self._by_id: dict[str, set[str]] = {}
        self._by_pair: dict[str, set[str]] = {}
        self._by_host: Counter[str] = Counter()

    @property
    def receivers(self) -> dict[str, Receiver]:
        """Return all receivers, by ID."""
        return {key: sight.receiver for key, sight in self._sights.items()}

    def get(self, key: str) -> Sight | None:
        """Return the receiver with an ID."""
        return self._sights.get(key)

    def holder_of(self, kind: str, instance: str) -> tuple[str, Sight] | None:
        """Return the ID and the receiver that a record belongs to, by its name."""
        key = self._by_record.get((kind == RAOP_TYPE, instance))
        return None if key is None else (key, self._sights[key])

    def with_id(self, announced: str) -> dict[str, Receiver]:
        """Return the receivers that announce an ID; usually one."""
        return self._of(self._by_id.get(announced, ()))

    def in_pair(self, pair_id: str | None) -> Iterable[Receiver]:
        """Return the receivers of a pair."""
        return self._of(self._by_pair.get(pair_id or "", ())).values()

    def put(self, key: str, receiver: Receiver) -> Sight | None:
        """Add or replace a receiver; return None if there is no room for it."""
        if sight := self._sights.get(key):
            self._unlist(key, sight.receiver)
            sight.receiver = receiver
        elif self._makes_room(key, receiver):
            sight = self._sights[key] = Sight(receiver)
        else:
            return None
        self._list(key, receiver)
        return sight

    def pop(self, key: str) -> None:
        """Remove a receiver."""
        sight = self._sights.pop(key)
        sight.stay()
        self._unlist(key, sight.receiver)

    def clear(self) -> None:
        """Remove all."""
        for key in [*self._sights]:
            self.pop(key)

    def _makes_room(self, key: str, receiver: Receiver) -> bool:
        is_wanted = self._is_wanted(key)
        if not is_wanted and self._by_host[receiver.host] >= MOST_AT_ONE_ADDRESS:
            return False
        if len(self._sights) < MOST_RECEIVERS:
            return True
        others = (each for each in self._sights if not self._is_wanted(each))
        oldest = next(others, None)
        if oldest is not None:
            self.pop(oldest)
        return is_wanted or oldest is not None

    def _of(self, keys: Iterable[str]) -> dict[str, Receiver]:
        return {key: self._sights[key].receiver for key in keys}

    def _list(self, key: str, receiver: Receiver) -> None:
        self._by_host[receiver.host] += 1
        for record in _records(receiver):
            self._by_record[record] = key
        for name in announced_ids(receiver, key):
            self._by_id.setdefault(name, set()).add(key)
        if receiver.pair_id:
            self._by_pair.setdefault(receiver.pair_id, set()).add(key)

    def _unlist(self, key: str, receiver: Receiver) -> None:
        self._by_host[receiver.host] -= 1
        if not self._by_host[receiver.host]:
            del self._by_host[receiver.host]
        for record in _records(receiver):
            if self._by_record.get(record) == key:
                del self._by_record[record]
        for name in announced_ids(receiver, key):
            _drop(self._by_id, name, key)
        if receiver.pair_id:
            _drop(self._by_pair, receiver.pair_id, key)


def _records(receiver: Receiver) -> list[tuple[bool, str]]:
    services = ((True, receiver.raop), (False, receiver.airplay))
    return [(is_raop, each.instance) for is_raop, each in services if each]


def _drop(index: dict[str, set[str]], name: str, key: str) -> None:
    index[name].discard(key)
    if not index[name]:
        del index[name]
