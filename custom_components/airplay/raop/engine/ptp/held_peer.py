"""A receiver that shares one clock with us, and who is told of its changes."""

from collections.abc import Callable

from ...session.ptp import Peer
from ..net.sockets import endpoint, family_of
from .event_sockets import Address
from .links import Place, place_of


class HeldPeer:
    """A receiver with its addresses and the lanes that hold it; pacing thread only.

    `listeners` and `watchers` are what each lane wants to be called on new evidence,
    and on a new timeline; `idlers` return whether nothing plays on it.
    """

    def __init__(self, peer: Peer, address: str) -> None:
        self.peer = peer
        self.address: Address = endpoint(address, 0)
        self.family = family_of(address)
        self.place = place_of(address)
        self.places: set[Place] = set()
        self.holders = 0
        self.has_evidence = False
        # How many messages have come from it, for the doctor; any thread may read.
        self.messages = 0
        self.listeners: dict[object, Callable[[], None]] = {}
        self.watchers: dict[object, Callable[[int], None]] = {}
        self.idlers: dict[object, Callable[[], bool]] = {}
        self._timeline = peer.timeline

    def remove(self, lane: object) -> None:
        """Call a lane no more."""
        self.listeners.pop(lane, None)
        self.watchers.pop(lane, None)
        self.idlers.pop(lane, None)
        self.holders -= 1

    def rest(self, now_ns: int) -> None:
        """Let the peer rest if nothing plays on any lane."""
        are_known = len(self.idlers) == self.holders
        is_idle = are_known and all(is_idle() for is_idle in self.idlers.values())
        self.peer.rest(now_ns, is_idle=is_idle)

    def notify_evidence(self, now_ns: int) -> None:
        """Call the listeners if there is evidence, and was none."""
        had_evidence = self.has_evidence
        self.has_evidence = self.peer.has_evidence(now_ns)
        if self.has_evidence and not had_evidence:
            for notify in self.listeners.values():
                notify()

    def notify_timeline(self, now_ns: int) -> None:
        """Call the watchers if the timeline has changed."""
        timeline = self.peer.timeline
        if timeline != self._timeline:
            self._timeline = timeline
            for notify in self.watchers.values():
                notify(now_ns)
