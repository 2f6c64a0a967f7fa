"""Who sends to the UDP sockets of one session."""

from . import sockets

# Whoever writes to our ports must not cost memory.
_MOST_STRANGERS = 4


class Senders:
    """Admits the packets of a receiver alone; pacing thread, any thread may read.

    `heard` are its addresses from which packets came, `strangers` the first others.
    """

    def __init__(self, peers: frozenset[str]) -> None:
        """`peers` are the receiver's addresses, as `peers_of` returns them."""
        self._peers = peers
        self.heard: frozenset[str] = frozenset()
        self.strangers: frozenset[str] = frozenset()

    def admits(self, address: str) -> bool:
        """Return whether a packet comes from the receiver, by its sender's address."""
        plain = sockets.without_scope(address)
        if plain in self._peers:
            if plain not in self.heard:
                self.heard |= {plain}
            return True
        if len(self.strangers) < _MOST_STRANGERS:
            self.strangers |= {plain}
        return False
