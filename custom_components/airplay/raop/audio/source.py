"""Media as PCM, decoded ahead in its own thread."""

from collections.abc import Callable
import logging
import threading

from ..errors import MediaError
from ..messages import Media, Tags
from .cancel_scope import CancelScope, Limits, Retries, Watch
from .events import Buffered, Ended, Failed, Recovered, Retitled, SourceEvent, Stalled
from .media_errors import AbandonedError, UnplayableError, for_failure
from .pcm import RATE, PcmQueue
from .track import BREAKS, Track, open_track

_LOGGER = logging.getLogger(__name__)

_START_FRAMES = RATE
_LIVE_START_FRAMES = RATE // 2
# A connection that delivered this much counts as good.
_STEADY_FRAMES = 10 * RATE


class Source:
    """Media as 44100/16/2 PCM, decoded ahead in its own thread."""

    def __init__(
        self,
        media: Media,
        listener: Callable[[SourceEvent], None],
        *,
        ahead_frames: int = 4 * RATE,
        limits: Limits | None = None,
    ) -> None:
        """Prepare the source; events are sent one at a time, from its threads."""
        self._media = media
        self._listener = listener
        self._limits = limits or Limits()
        self._start_frames = min(_START_FRAMES, ahead_frames)
        self._scope = CancelScope(self._limits, media.bounds)
        self._queue = PcmQueue(ahead_frames)
        self._watch = Watch(self._limits.stall_s, self._stall)
        self._emitting = threading.RLock()
        self._thread = threading.Thread(
            target=self._run, name="airplay-source", daemon=True
        )
        self._retries = Retries(self._limits)
        self._track: Track | None = None
        self._tags = Tags()
        self._reopened_at = 0
        self._is_buffered = False
        self._is_stalled = False

    def start(self) -> None:
        """Start to open and decode; return at once."""
        self._thread.start()

    def read(self, frames: int) -> bytes:
        """Return up to this many frames of s16le; b"" if none are available now."""
        return self._queue.read(frames)

    @property
    def is_exhausted(self) -> bool:
        """Whether the media has ended or failed, and all decoded frames are read."""
        return self._queue.is_exhausted

    @property
    def is_decoded(self) -> bool:
        """Whether all frames are decoded and can be counted."""
        return self._queue.is_finished

    @property
    def buffered_frames(self) -> int:
        """The frames that can be read now."""
        return self._queue.buffered_frames

    def close(self) -> None:
        """Close the media; never blocks, and no event begins afterward."""
        self._queue.close()
        self._scope.close()

    def _emit(self, event: SourceEvent) -> None:
        with self._emitting:
            if not self._scope.is_closed:
                self._listener(event)

    def _run(self) -> None:
        failure: MediaError | None = None
        try:
            self._play()
        except AbandonedError:
            pass
        except UnplayableError as problem:
            failure = problem.error(self._media.name)
        except Exception:
            # The stream that waits for this source needs the event for any error.
            _LOGGER.exception("Decoding %s failed", self._media.name)
            failure = MediaError(f"Cannot play {self._media.name}: decoding failed")
        self._watch.stop()
        self._release()
        self._queue.finish()
        if failure is not None:
            self._emit(Failed(failure))

    def _play(self) -> None:
        start = self._media.position_ms * RATE // 1000
        self._track = open_track(self._media.url, start, self._scope)
        was_growing = self._track.is_growing
        self._emit_opened(self._track)
        while not self._pump(self._track):
            self._track = self._reopen()
            if was_growing and not self._track.is_live:
                # The broadcast has ended: the address now delivers its recording.
                break
        self._emit_buffered()
        self._queue.finish()
        self._emit(Ended())

    def _pump(self, track: Track) -> bool:
        """Deliver the audio of a track; return False if it is live and broke off."""
        while True:
            try:
                with self._watch.watching():
                    block = next(track.blocks, None)
            except BREAKS as err:
                self._scope.check()
                if track.is_live:
                    return False
                raise for_failure(err) from err
            if block is None:
                return not track.is_growing
            self._deliver(block, track.tags)

    def _deliver(self, block: bytes, tags: Tags) -> None:
        if tags != self._tags:
            self._tags = tags
            self._emit(Retitled(tags, self._queue.written_frames))
        if not self._queue.write(block):
            raise AbandonedError
        self._recover()
        if self._queue.written_frames >= self._start_frames:
            self._emit_buffered()

    def _reopen(self) -> Track:
        """Reopen a live stream that broke off, until the time limit."""
        self._stall()
        self._release()
        if self._queue.written_frames - self._reopened_at > _STEADY_FRAMES:
            self._retries.reset()
        while True:
            self._scope.pause(self._retries.next_pause())
            try:
                track = open_track(self._media.url, 0, self._scope)
            except UnplayableError:
                continue
            self._reopened_at = self._queue.written_frames
            return track

    def _emit_opened(self, track: Track) -> None:
        opened = track.opened()
        self._tags = opened.tags
        if track.is_live:
            self._start_frames = min(self._start_frames, _LIVE_START_FRAMES)
            self._watch.start()
        self._emit(opened)

    def _emit_buffered(self) -> None:
        if not self._is_buffered:
            self._is_buffered = True
            self._emit(Buffered())

    def _stall(self) -> None:
        with self._emitting:
            if not self._is_stalled:
                self._is_stalled = True
                self._emit(Stalled())

    def _recover(self) -> None:
        with self._emitting:
            if self._is_stalled:
                self._is_stalled = False
                self._emit(Recovered())

    def _release(self) -> None:
        if self._track is not None:
            self._track.close()
            self._track = None
