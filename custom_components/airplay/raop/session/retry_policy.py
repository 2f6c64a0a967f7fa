"""When a member that was lost is tried again, and when it is given up."""

from collections import deque

from ..errors import (
    AuthenticationError,
    HopelessLinkError,
    MissingReceiverError,
    RaopError,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverTakenError,
    UnsupportedReceiverError,
)

# Most links are back at once; one that is not shall not keep the network busy.
BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 30.0)

# Each time it comes back it is heard to drop out again: after so many in so short a
# time silence is kinder, and somebody should look at the Wi-Fi.
_DROP_OUTS = 5
_WITHIN_S = 600.0
# Longer than a router or a receiver takes for an update. Who is switched off for longer
# would come as a surprise when it is switched on again.
_PATIENCE_S = 600.0

# What another attempt does not change, or must not; a person has to.
_FINAL = (
    AuthenticationError,
    ReceiverRefusedError,
    ReceiverTakenError,
    UnsupportedReceiverError,
)


class RetryPolicy:
    """What one member's link has shown; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start with a link that has shown nothing."""
        self.drop_outs = 0
        self._lately: deque[float] = deque(maxlen=_DROP_OUTS)
        self._missing_since_s: float | None = None
        self._attempts = 0

    def missed(self, now_s: float) -> None:
        """Take note that it is not heard, although it should be."""
        if self._missing_since_s is None:
            self._missing_since_s = now_s

    def dropped_out(self, now_s: float) -> None:
        """Take note that it was heard and is not any more."""
        self.missed(now_s)
        self.drop_outs += 1
        self._lately.append(now_s)

    def came_back(self) -> None:
        """Take note that it is heard."""
        self._missing_since_s = None
        self._attempts = 0

    def was_seen(self) -> None:
        """Take note that it is on the network: what was before counts no more."""
        self._attempts = 0

    def next_wait_s(self) -> float:
        """Return how long to wait before the next attempt."""
        wait_s = BACK_OFF_S[min(self._attempts, len(BACK_OFF_S) - 1)]
        self._attempts += 1
        return wait_s

    def verdict(self, error: RaopError, now_s: float) -> RaopError | None:
        """Return why it is not tried again after an error, or None if it is."""
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
            # It plays for somebody else, which is nothing to repair.
            return error
        minutes = round(_PATIENCE_S / 60)
        return MissingReceiverError(
            f"it did not come back for {minutes} minutes: {error}"
        )
