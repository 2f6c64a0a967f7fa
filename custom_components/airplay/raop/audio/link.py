"""What everything that a source waits for has in common: limits, and being abandoned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import threading
import time

from .problems import AbandonedError


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a source waits for what, in seconds."""

    open_s: float = 10.0
    stall_s: float = 1.0
    read_s: float = 5.0
    reconnect_s: float = 60.0
    pauses_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)


class Link:
    """Ties a source's thread to whoever may abandon it, and to its deadline."""

    def __init__(self, limits: Limits) -> None:
        """Wait without a deadline until one is set."""
        self.limits = limits
        self._deadline: float | None = None
        self._on_stall: Callable[[], None] = lambda: None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._releases: set[Callable[[], None]] = set()

    @property
    def is_closed(self) -> bool:
        """The source was abandoned."""
        return self._closed.is_set()

    def close(self) -> None:
        """Free whatever the source's thread waits for; never blocks."""
        self._closed.set()
        with self._lock:
            releases, self._releases = self._releases, set()
        for release in releases:
            release()

    def check(self) -> None:
        """Raise when the source was abandoned or its deadline has passed."""
        if self.is_closed:
            raise AbandonedError
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise TimeoutError

    def patience(self, at_most: float | None = None) -> float:
        """Return how long the next operation may take; raise when there is no time."""
        self.check()
        longest = self.limits.read_s if at_most is None else at_most
        if self._deadline is None:
            return longest
        return max(0.001, min(longest, self._deadline - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Sleep, unless the source is abandoned meanwhile."""
        if self._closed.wait(seconds):
            raise AbandonedError

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Let everything within end by a common deadline."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = None

    @contextmanager
    def released_by(self, release: Callable[[], None]) -> Iterator[None]:
        """Call this when the source is abandoned within."""
        self.attach(release)
        try:
            yield
        finally:
            self.detach(release)

    def attach(self, release: Callable[[], None]) -> None:
        """Call this when the source is abandoned, or at once if it is already."""
        with self._lock:
            if not self.is_closed:
                self._releases.add(release)
                return
        release()

    def detach(self, release: Callable[[], None]) -> None:
        """Forget what was attached."""
        with self._lock:
            self._releases.discard(release)

    def stalling(self, on_stall: Callable[[], None]) -> None:
        """Call this, on the source's thread, when a read waits for long."""
        self._on_stall = on_stall

    def stalled(self) -> None:
        """Tell that a read waits for long."""
        self._on_stall()
