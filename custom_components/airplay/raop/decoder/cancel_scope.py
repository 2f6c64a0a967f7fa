"""Limits, deadlines, and cancellation of everything that a source waits for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
import threading
import time

from ..audio.decoder_link import Limits
from ..messages import MediaBounds
from .media_errors import AbandonedError, DeadlineError, unreachable


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


class CancelScope:
    """Connects a source's thread to the source's cancellation and to a deadline."""

    def __init__(self, limits: Limits, bounds: MediaBounds | None = None) -> None:
        """Start without a deadline; without bounds, the media may open anything."""
        self.limits = limits
        self.bounds = bounds or MediaBounds()
        self._deadline: float | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._releases: set[Callable[[], None]] = set()

    @property
    def is_closed(self) -> bool:
        """Whether the source was closed."""
        return self._closed.is_set()

    def close(self) -> None:
        """Release everything that the source's thread waits for; never blocks."""
        self._closed.set()
        with self._lock:
            releases, self._releases = self._releases, set()
        for release in releases:
            release()

    def check(self) -> None:
        """Return if the source's thread may continue.

        Raises AbandonedError: the source was closed.
        Raises DeadlineError: the deadline has passed.
        """
        if self.is_closed:
            raise AbandonedError
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
        self._closed.wait(self.timeout_s(seconds))
        self.check()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Apply a common deadline to the block."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = None

    @contextmanager
    def released_by(self, release: Callable[[], None]) -> Iterator[None]:
        """Call a function if the source is closed during the block."""
        self.add_release(release)
        try:
            yield
        finally:
            self.remove_release(release)

    def add_release(self, release: Callable[[], None]) -> None:
        """Call a function when the source is closed, or at once if it already is."""
        with self._lock:
            if not self.is_closed:
                self._releases.add(release)
                return
        release()

    def remove_release(self, release: Callable[[], None]) -> None:
        """Remove an added function."""
        with self._lock:
            self._releases.discard(release)
