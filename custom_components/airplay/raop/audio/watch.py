"""An eye on a thread that may wait where nothing can tell that it waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import threading
import time


class Watch:
    """Calls, from a thread of its own, when something takes longer than it should."""

    def __init__(self, limit_s: float, on_late: Callable[[], None]) -> None:
        """Watch nothing yet."""
        self._limit_s = limit_s
        self._on_late = on_late
        self._since: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="airplay-watch", daemon=True
        )

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread soon; may be called without a start."""
        self._ended.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is done within."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def _run(self) -> None:
        while not self._ended.wait(self._limit_s / 4):
            since = self._since
            if since is not None and time.monotonic() - since > self._limit_s:
                self._on_late()
