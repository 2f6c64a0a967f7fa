"""How much a receiver may send on a connection of its session."""

from ...errors import ReceiverProtocolError
from .allowance import Allowance

# Answers are a few KB, and each follows a request of ours.
_BYTES_A_SECOND = 128 * 1024.0
_BYTES_AT_ONCE = 1024 * 1024.0
# A knob that is turned sends 20 a second.
_CALLS_A_SECOND = 50.0
_CALLS_AT_ONCE = 200.0


class TalkBudget:
    """Counts what one connection brings; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with a full budget."""
        self._bytes = Allowance(_BYTES_A_SECOND, _BYTES_AT_ONCE)
        self._calls = Allowance(_CALLS_A_SECOND, _CALLS_AT_ONCE)

    def count_bytes(self, count: int, now_s: float) -> None:
        """Count received bytes, before they are parsed.

        Raises ReceiverProtocolError: there are too many.
        """
        if not self._bytes.spend(now_s, count):
            raise ReceiverProtocolError("the receiver sends too much")

    def count_call(self, now_s: float) -> None:
        """Count a request of the receiver, before it is answered.

        Raises ReceiverProtocolError: there are too many.
        """
        if not self._calls.spend(now_s):
            raise ReceiverProtocolError("the receiver sends too many requests")
