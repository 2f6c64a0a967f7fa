"""Whether the system accepts the packets of an outlet, as evidence against sound."""

import logging

_LOGGER = logging.getLogger(__name__)

# Sending works again after so many packets in a row (0.5 s): a closed port refuses only
# the packet after the one that it has answered.
_RESTORED_PACKETS = 64


class SendHealth:
    """Counts what the system refuses; pacing thread, any thread may read.

    `errors` is the number of refused datagrams. `problem` is the system's reason while
    it does not accept all audio packets, else None: nothing whole plays then, whatever
    else the receiver shows.
    """

    def __init__(self) -> None:
        self.errors = 0
        self.problem: str | None = None
        self._accepted = 0
        self._believed_ns: int | None = None
        self._logged: str | None = None

    def accept(self, packets: int) -> None:
        """Record packets that the system accepted."""
        self._accepted += packets
        if self.problem and self._accepted >= _RESTORED_PACKETS:
            self.problem = None

    def refuse(self, error: OSError) -> None:
        """Record a packet that the system did not accept."""
        self.errors += 1
        self._accepted = 0
        self.problem = error.strerror or str(error)

    def believe(self, evidence_ns: int | None) -> int | None:
        """Return the time of the receiver's last evidence that counts.

        What it shows while audio cannot be sent does not count; event loop.
        """
        if self.problem is None:
            self._believed_ns = evidence_ns
        return self._believed_ns

    def log(self, remote: str) -> None:
        """Log a new problem once; event loop, as a log may block."""
        problem = self.problem
        if problem and problem != self._logged:
            _LOGGER.warning("Cannot send audio to %s: %s", remote, problem)
        self._logged = problem
