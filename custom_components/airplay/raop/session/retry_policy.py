"""When a lost member is tried again, and when it is not."""

from collections import deque

from ..errors import (
    AuthenticationError,
    HopelessLinkError,
    MissingReceiverError,
    RaopError,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverTakenError,
    ReceiverUnlockedError,
    UnsupportedReceiverError,
)

# Most links recover at once; another must not keep the network busy.
BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 30.0)

# Every return is followed by an audible drop-out: after so many in so short a time
# silence is better, and the user should check the Wi-Fi.
_DROP_OUTS = 5
_WITHIN_S = 600.0
# Longer than the update of a router or a receiver. A receiver that was off for longer
# must not start to play unexpectedly when it is switched on.
_PATIENCE_S = 600.0

# Errors that another attempt cannot or must not change; the user has to.
_FINAL = (
    AuthenticationError,
    ReceiverRefusedError,
    ReceiverTakenError,
    ReceiverUnlockedError,
    UnsupportedReceiverError,
)


class RetryPolicy:
    """The history of one member's link; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with a new link."""
        self.drop_outs = 0
        self._lately: deque[float] = deque(maxlen=_DROP_OUTS)
        self._missing_since_s: float | None = None
        self._attempts = 0

    def missed(self, now_s: float) -> None:
        """Record that the member does not play although it should."""
        if self._missing_since_s is None:
            self._missing_since_s = now_s

    def dropped_out(self, now_s: float) -> None:
        """Record that the member dropped out."""
        self.missed(now_s)
        self.drop_outs += 1
        self._lately.append(now_s)

    def came_back(self) -> None:
        """Record that the member plays."""
        self._missing_since_s = None
        self._attempts = 0

    def was_seen(self) -> None:
        """Record that the member is on the network; forget earlier failures."""
        self._attempts = 0

    def next_wait_s(self) -> float:
        """Return how long to wait before the next attempt."""
        wait_s = BACK_OFF_S[min(self._attempts, len(BACK_OFF_S) - 1)]
        self._attempts += 1
        return wait_s

    def verdict(self, error: RaopError, now_s: float) -> RaopError | None:
        """Return the error that ends the attempts, or None to try again."""
        if isinstance(error, _FINAL):
            return error
        lately = [at for at in self._lately if now_s - at <= _WITHIN_S]
        if len(lately) == _DROP_OUTS:
            minutes = round(_WITHIN_S / 60)
            return HopelessLinkError(
                f"it dropped out {len(lately)} times within {minutes} minutes"
            )
        since_s = self._missing_since_s
        if since_s is None or now_s - since_s < _PATIENCE_S:
            return None
        if isinstance(error, ReceiverBusyError):
            # It plays for another sender, which is not a fault.
            return error
        minutes = round(_PATIENCE_S / 60)
        return MissingReceiverError(f"it did not return for {minutes} minutes: {error}")
