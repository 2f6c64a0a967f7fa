"""A listener that records events, and a reader that drains a source."""

import asyncio
from collections.abc import Callable, Coroutine
import threading

from custom_components.airplay.raop.audio.decoder_link import Limits
from custom_components.airplay.raop.audio.decoder_pool import DecoderPool
from custom_components.airplay.raop.audio.events import Ended, Failed, SourceEvent
from custom_components.airplay.raop.audio.source import Source
from custom_components.airplay.raop.media import Loudness
from custom_components.airplay.raop.messages import Media, MediaBounds, MediaKind

PATIENCE_S = 20
# Time enough for a busy machine; tests of the limits set shorter ones.
HASTY = Limits(
    open_s=8.0,
    connect_s=2.0,
    first_s=4.0,
    read_s=4.0,
    segment_s=4.0,
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


class DecoderThread:
    """An event loop in a thread, with the decoder processes of sources."""

    def __init__(self, pool: DecoderPool | None = None) -> None:
        """Start it."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.pool = pool or DecoderPool()

    def run[T](self, work: Callable[[], T]) -> T:
        """Call a function on the event loop."""

        async def call() -> T:
            return work()

        return self.wait(call())

    def wait[T](self, work: Coroutine[None, None, T]) -> T:
        """Run a coroutine on the event loop."""
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        return running.result(PATIENCE_S)

    def close(self) -> None:
        """End the processes and the thread."""
        self.wait(self.pool.close())
        self.wait(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Played:
    """A source, its events and, when it is read, its PCM."""

    def __init__(
        self,
        decoders: DecoderThread,
        url: str,
        *,
        position_ms: int = 0,
        ahead_frames: int = 4 * 44100,
        limits: Limits = HASTY,
        bounds: MediaBounds | None = None,
        kind: MediaKind = MediaKind.ANY,
        loudness: Loudness = Loudness.OFF,
    ) -> None:
        """Start a source at once."""
        self.heard = Recorder()
        self._decoders = decoders
        media = Media(
            url=url,
            name="the song",
            position_ms=position_ms,
            kind=kind,
            bounds=bounds or MediaBounds(),
            loudness=loudness,
        )

        def start() -> Source:
            source = Source(
                media,
                self.heard,
                decoders.pool,
                ahead_frames=ahead_frames,
                limits=limits,
            )
            source.start()
            return source

        self.source = decoders.run(start)

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
        """Abandon the source, which ends its process."""
        self._decoders.run(self.source.close)

    def failure(self) -> Failed:
        """Wait until it fails."""
        return self.heard.wait_for(Failed)
