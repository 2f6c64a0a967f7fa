"""Media as PCM, decoded ahead in a thread of its own."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
import logging
import threading
import time

import av

from ..errors import MediaError
from ..messages import Media, Tags
from .decoder import Decoder
from .events import (
    Buffered,
    Cover,
    Ended,
    Failed,
    Opened,
    Recovered,
    Retitled,
    SourceEvent,
    Stalled,
)
from .link import Limits, Link
from .opening import Input, open_input
from .http_stream import HttpRadio
from .pcm import RATE, PcmQueue
from .problems import (
    AbandonedError,
    BrokenStreamError,
    MediaProblem,
    for_libav,
    for_network,
    too_slow,
    unreachable,
)
from .tags import cover_from, tags_from, tags_from_title

_LOGGER = logging.getLogger(__name__)

_START_FRAMES = RATE
_LIVE_START_FRAMES = RATE // 2


class Source:
    """Media as 44100/16/2 PCM, decoded ahead in a thread of its own."""

    def __init__(
        self,
        media: Media,
        listener: Callable[[SourceEvent], None],
        *,
        ahead_frames: int = 4 * RATE,
        limits: Limits = Limits(),
    ) -> None:
        """Do nothing yet; the listener is called on the source's own thread."""
        self._media = media
        self._listener = listener
        self._limits = limits
        self._link = Link(limits)
        self._queue = PcmQueue(ahead_frames)
        self._thread = threading.Thread(
            target=self._run, name="airplay-source", daemon=True
        )
        self._input: Input | None = None
        self._is_opened = False
        self._is_buffered = False
        self._is_stalled = False
        self._tags = Tags()

    def start(self) -> None:
        """Begin to open and decode; returns at once."""
        self._thread.start()

    def read(self, frames: int) -> bytes:
        """Take up to this many frames of s16le; b"" when nothing is there now."""
        return self._queue.read(frames)

    @property
    def is_exhausted(self) -> bool:
        """The media has ended and everything that was decoded is read."""
        return self._queue.is_exhausted

    @property
    def buffered_frames(self) -> int:
        """Frames that can be read now."""
        return self._queue.buffered_frames

    def close(self) -> None:
        """Abandon the media; never blocks, and no event comes after it."""
        self._queue.close()
        self._link.close()

    def _emit(self, event: SourceEvent) -> None:
        if not self._link.is_closed:
            self._listener(event)

    def _run(self) -> None:
        try:
            self._play()
        except AbandonedError:
            pass
        except MediaProblem as problem:
            self._fail(problem.error(self._media.name))
        except Exception:
            _LOGGER.exception("Decoding %s failed", self._media.name)
            self._fail(MediaError(f"Cannot play {self._media.name}: it failed"))
        finally:
            self._queue.finish()
            self._release()

    def _fail(self, error: MediaError) -> None:
        self._queue.finish()
        self._emit(Failed(error))

    def _play(self) -> None:
        self._link.stalling(self._stall)
        blocks = self._open(self._media.position_ms * RATE // 1000)
        self._tell_opened()
        while True:
            try:
                self._pump(blocks)
            except (BrokenStreamError, OSError, av.FFmpegError) as err:
                if not self._current.is_live:
                    raise _problem(err) from err
                blocks = self._reconnect()
            else:
                break
        self._queue.finish()
        self._tell_buffered()
        self._emit(Ended())

    def _open(self, start: int) -> Iterator[bytes]:
        """Open the media and decode its first frames, all within one deadline."""
        try:
            with self._link.deadline(self._limits.open_s):
                self._input = opened = open_input(self._media.url, self._link)
                if isinstance(opened.web, HttpRadio):
                    opened.web.on_title = self._retitle
                self._decoder = Decoder(opened.container, opened.stream, start)
                if start and opened.can_seek:
                    self._decoder.seek()
                blocks = self._decoder.blocks()
                first = next(blocks, b"")
        except (BrokenStreamError, OSError, av.FFmpegError) as err:
            self._link.check()
            raise _problem(err) from err
        return chain((first,), blocks)

    def _pump(self, blocks: Iterator[bytes]) -> None:
        for block in blocks:
            self._deliver(block)

    def _deliver(self, block: bytes) -> None:
        if not self._queue.write(block):
            raise AbandonedError
        if self._is_stalled:
            self._is_stalled = False
            self._emit(Recovered())
        enough = _LIVE_START_FRAMES if self._current.is_live else _START_FRAMES
        if self._queue.written_frames >= enough:
            self._tell_buffered()

    @property
    def _current(self) -> Input:
        assert self._input is not None
        return self._input

    def _tell_opened(self) -> None:
        current = self._current
        self._is_opened = True
        tags = tags_from(current.stream.metadata, current.container.metadata)
        if self._tags != Tags():
            tags = self._tags
        self._tags = tags
        self._emit(
            Opened(
                duration_ms=current.duration_ms,
                is_live=current.is_live,
                can_seek=current.can_seek,
                tags=tags,
                station=current.station,
                cover=cover_from(self._decoder.picture),
            )
        )

    def _tell_buffered(self) -> None:
        if not self._is_buffered:
            self._is_buffered = True
            self._emit(Buffered())

    def _retitle(self, title: str) -> None:
        tags = tags_from_title(title)
        if tags == self._tags:
            return
        self._tags = tags
        if self._is_opened:
            self._emit(Retitled(tags, self._queue.written_frames))

    def _stall(self) -> None:
        if self._is_opened and self._current.is_live and not self._is_stalled:
            self._is_stalled = True
            self._emit(Stalled())

    def _reconnect(self) -> Iterator[bytes]:
        """Open a live stream again, for as long as it may take."""
        self._stall()
        give_up = time.monotonic() + self._limits.reconnect_s
        pauses = self._limits.pauses_s
        for pause in chain((0.0,), pauses, repeat(pauses[-1])):
            self._link.pause(pause)
            old = self._current
            old.close()
            try:
                return self._open(0)
            except MediaProblem:
                self._input = old
            if time.monotonic() > give_up:
                break
        raise unreachable("its stream broke off and did not come back")

    def _release(self) -> None:
        if self._input is not None:
            self._input.close()


def _problem(error: Exception) -> MediaProblem:
    if isinstance(error, BrokenStreamError):
        cause = error.__cause__
        return for_network(cause if isinstance(cause, OSError) else ConnectionError())
    if isinstance(error, av.FFmpegError):
        return for_libav(error)
    if isinstance(error, TimeoutError):
        return too_slow()
    assert isinstance(error, OSError)
    return for_network(error)
