"""How many packets a receiver may have sent again.

Requests for packets come by UDP, and anyone can send one in the name of a receiver: a
request of 8 bytes for a packet of 1.4 KB. What a lossy link needs must fit.
"""

from .allowance import Allowance

# A stream has 125 packets a second. If a link loses 30 % of them, and of those that are
# sent again, 83 a second are needed with each one sent twice. A packet has at most 1.5
# KB, so this is at most 300 KB a second.
_PACKETS_A_SECOND = 200.0
# An outage of four seconds, without second copies.
_PACKETS_AT_ONCE = 500.0
_LEFT_FOR_COPIES = _PACKETS_AT_ONCE / 2
# With a loss of 30 %, one packet in 15,000 is lost so often.
_TIMES_A_PACKET = 8
# More packets than are kept.
_REMEMBERED = 1024


class ResendBudget:
    """Counts the packets of one session that are sent again; times are in seconds."""

    def __init__(self) -> None:
        """Start with a full budget."""
        self._packets = Allowance(_PACKETS_A_SECOND, _PACKETS_AT_ONCE)
        # Each packet with how often it was sent again, by its place in a ring.
        self._times: list[tuple[int, int]] = [(-1, 0)] * _REMEMBERED

    def grants(self, sequence: int, now_s: float) -> bool:
        """Count one packet that was requested; return False if it is too much."""
        known, times = self._times[sequence % _REMEMBERED]
        times = times if known == sequence else 0
        if times >= _TIMES_A_PACKET or not self._packets.spend(now_s):
            return False
        self._times[sequence % _REMEMBERED] = (sequence, times + 1)
        return True

    def grants_copy(self, sequence: int, now_s: float) -> bool:
        """Count a second copy of a packet; first ones come before it."""
        if self._packets.left(now_s) < _LEFT_FOR_COPIES:
            return False
        return self.grants(sequence, now_s)
