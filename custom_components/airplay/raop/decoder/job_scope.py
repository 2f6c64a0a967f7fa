"""The limits and deadlines of everything that a decoder process waits for.

Nothing here can be canceled: the sender kills the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, repeat
import time

from ..audio.decoder_link import Limits, limits_of
from ..media import MediaBounds, MediaKind
from .media_errors import DeadlineError, unreachable


class Retries:
    """Returns the pause before each retry, until the time limit."""

    def __init__(self, limits: Limits) -> None:
        """Start the time limit with the first try."""
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Restart the time limit: the last try succeeded."""
        pauses = self._limits.pauses_s
        self._pauses = chain((0.0,), pauses, repeat(pauses[-1]))
        self._since: float | None = None

    def next_pause(self) -> float:
        """Return the seconds to wait.

        Raises UnplayableError: the time limit has passed.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._limits.reconnect_s:
            raise unreachable("its stream broke off and did not come back")
        return next(self._pauses)


class JobScope:
    """What holds for all that a job opens: its limits, its bounds, and a deadline."""

    def __init__(
        self,
        limits: Limits,
        bounds: MediaBounds | None = None,
        kind: MediaKind = MediaKind.ANY,
    ) -> None:
        """Start without a deadline; without bounds, the media may open anything."""
        self.limits = limits
        self.kind = kind
        self.bounds = bounds or MediaBounds()
        self._deadline: float | None = None

    def be_live(self) -> None:
        """Wait no longer than for a station, unless the caller knows better."""
        if self.kind is MediaKind.ANY:
            station, own = limits_of(MediaKind.RADIO), self.limits
            self.limits = replace(
                own,
                open_s=min(own.open_s, station.open_s),
                first_s=min(own.first_s, station.first_s),
                read_s=min(own.read_s, station.read_s),
            )

    def check(self) -> None:
        """Return if the job may continue. Raises DeadlineError: it took too long."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise DeadlineError

    def timeout_s(self, longest_s: float) -> float:
        """Return how long the next operation may take. Raises the errors of `check`."""
        self.check()
        if self._deadline is None:
            return longest_s
        return max(0.001, min(longest_s, self._deadline - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Sleep within the deadline. Raises the errors of `check`."""
        time.sleep(self.timeout_s(seconds))
        self.check()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Apply a common deadline to the block, within that of an outer block."""
        outer = self._deadline
        until = time.monotonic() + seconds
        self._deadline = until if outer is None else min(until, outer)
        try:
            yield
        finally:
            self._deadline = outer
