"""A listener that records events, and a reader that drains a source."""

import threading

from custom_components.airplay.raop.audio.cancel_scope import Limits
from custom_components.airplay.raop.audio.events import Ended, Failed, SourceEvent
from custom_components.airplay.raop.audio.source import Source
from custom_components.airplay.raop.messages import Media, MediaBounds

PATIENCE_S = 20
# Time enough for a busy machine; tests of the limits set shorter ones.
HASTY = Limits(
    open_s=8.0,
    connect_s=2.0,
    read_s=4.0,
    segment_s=4.0,
    stall_s=2.0,
    reconnect_s=4.0,
    pauses_s=(0.01, 0.02, 0.05),
)


class Recorder:
    """Remembers events, in their order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.events: list[SourceEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: SourceEvent) -> None:
        """Record an event."""
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of[T](self, kind: type[T]) -> list[T]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def names(self) -> list[str]:
        """Return the kinds of all events, in their order."""
        return [type(event).__name__ for event in self.events]

    def wait_for[T](self, kind: type[T], count: int = 1) -> T:
        """Wait for an event of a kind, or for the n-th of it."""
        with self._changed:
            is_there = self._changed.wait_for(
                lambda: len(self.of(kind)) >= count, PATIENCE_S
            )
        assert is_there, f"{kind.__name__} did not come, but {self.names()}"
        return self.of(kind)[count - 1]

    def wait_for_end(self) -> None:
        """Wait until the source has ended or failed."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: bool(self.of(Ended)) or bool(self.of(Failed)), PATIENCE_S
            ), self.names()


class Played:
    """A source, its events and, when it is read, its PCM."""

    def __init__(
        self,
        url: str,
        *,
        position_ms: int = 0,
        ahead_frames: int = 4 * 44100,
        limits: Limits = HASTY,
        bounds: MediaBounds | None = None,
    ) -> None:
        """Start a source at once."""
        self.heard = Recorder()
        media = Media(
            url=url,
            name="the song",
            position_ms=position_ms,
            bounds=bounds or MediaBounds(),
        )
        self.source = Source(
            media, self.heard, ahead_frames=ahead_frames, limits=limits
        )
        self.source.start()

    def all(self) -> bytes:
        """Read to the end, and let the source finish."""
        pieces = []
        idle = threading.Event()
        while not self.source.is_exhausted:
            if piece := self.source.read(8192):
                pieces.append(piece)
            else:
                idle.wait(0.001)
        self.heard.wait_for_end()
        return b"".join(pieces)

    def take(self, frames: int) -> bytes:
        """Read exactly so many frames."""
        pieces = b""
        idle = threading.Event()
        while len(pieces) < frames * 4 and not self.source.is_exhausted:
            pieces += self.source.read(frames - len(pieces) // 4)
            idle.wait(0.001)
        return pieces

    def close(self) -> None:
        """Abandon the source, and wait until its thread has ended."""
        self.source.close()
        self.source._thread.join(PATIENCE_S)
        assert not self.source._thread.is_alive()

    def failure(self) -> Failed:
        """Wait until it fails."""
        return self.heard.wait_for(Failed)
