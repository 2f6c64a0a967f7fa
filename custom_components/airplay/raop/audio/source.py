"""Media as PCM, decoded ahead in a process of its own."""

import asyncio
from collections.abc import Callable
import contextlib
import logging
import socket
import threading

from ..errors import MediaError, MediaUnreachableError, error_for
from ..messages import Media
from .decoder_link import (
    DecoderEvent,
    FrameKind,
    FrameReader,
    Job,
    Limits,
    LinkError,
    decode_event,
    encode_job,
    limits_of,
)
from .decoder_pool import DecoderPool, how_ended, is_greedy
from .events import (
    Buffered,
    Cover,
    Ended,
    Failed,
    Failure,
    Found,
    Opened,
    Retitled,
    SourceEvent,
)
from .pcm import RATE, PcmQueue

_LOGGER = logging.getLogger(__name__)

# What is sent at once at a start.
_START_FRAMES = RATE
_LIVE_START_FRAMES = RATE // 2
# One that dies again after less sound is of no use.
_STEADY_FRAMES = 60 * RATE
# A process keeps to the limits itself, unless it hangs.
_GRACE_S = 5.0
_READ_BYTES = 1 << 16
# Reading stops below the capacity by as much as one reading brings.
_ROOM_FRAMES = _READ_BYTES // 4


class Source:
    """Media as 44100/16/2 PCM, decoded ahead in a process of its own.

    The event loop reads what the process sends, until somebody reads the PCM. From then
    on the reader does, whenever there is room, so that nothing else wakes up.
    """

    def __init__(
        self,
        media: Media,
        listener: Callable[[SourceEvent], None],
        decoders: DecoderPool,
        *,
        ahead_frames: int = 4 * RATE,
        limits: Limits | None = None,
    ) -> None:
        """Prepare the source; events are sent one at a time, from any thread."""
        self._media = media
        self._listener = listener
        self._decoders = decoders
        self._limits = limits or limits_of(media.kind)
        self._capacity = max(ahead_frames - _ROOM_FRAMES, 1)
        self._start_frames = min(_START_FRAMES, self._capacity)
        self._start_frame = media.position_ms * RATE // 1000
        self._loop = asyncio.get_running_loop()
        # Held while frames are taken or read.
        self._lock = threading.RLock()
        self._queue = PcmQueue()
        self._frames = FrameReader()
        self._cover = bytearray()
        self._number = 0
        self._sock: socket.socket | None = None
        self._is_live = False
        self._is_opened = False
        self._is_buffered = False
        self._is_watched = False
        self._is_finished = False
        self._is_closed = False
        self._reopens_from = 0
        self._opening: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start to open and decode; return at once. Event loop only."""
        self._opening = self._loop.create_task(self._open(self._start_frame))

    def read(self, frames: int) -> bytes:
        """Return up to this many frames of s16le; b"" if none are available now."""
        with self._lock:
            self._fill()
            return self._queue.read(frames)

    @property
    def is_exhausted(self) -> bool:
        """Whether the media has ended or failed, and all decoded frames are read."""
        with self._lock:
            self._fill()
            return self._is_finished and not self._queue.buffered_frames

    @property
    def is_decoded(self) -> bool:
        """Whether all frames are decoded and can be counted."""
        return self._is_finished

    @property
    def buffered_frames(self) -> int:
        """The frames that can be read now."""
        with self._lock:
            self._fill()
            return self._queue.buffered_frames

    def close(self) -> None:
        """Close the media; never blocks, and no event follows."""
        with self._lock:
            self._is_closed = self._is_finished = True
            self._queue.clear()
            if self._sock is None:
                return
            # Ends the process now; the event loop, if it still runs, frees the rest.
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._leave)

    async def _open(self, start_frame: int) -> None:
        """Give the job to a new process."""
        try:
            content = encode_job(Job.of(self._media, start_frame, self._limits))
            number, sock = await self._decoders.open(self._ended)
        except LinkError:
            return self._fail(MediaError(self._text("its address is too long")))
        except OSError:
            if not self._is_closed:
                _LOGGER.exception("No decoder process can be started")
            return self._fail(MediaError(self._text("it cannot be decoded now")))
        with self._lock:
            if self._is_closed:
                self._decoders.forget(number)
                sock.close()
                return None
            self._number, self._sock = number, sock
            self._frames = FrameReader()
            self._cover.clear()
            # A process that has ended already is reported by the pool.
            with contextlib.suppress(OSError):
                sock.send(content)
            self._watch()
            if not self._is_opened:
                patience_s = self._limits.open_s + _GRACE_S
                self._alarm = self._loop.call_later(patience_s, self._give_up)
        return None

    def _give_up(self) -> None:
        """End a process that neither opened the media nor said why not."""
        with self._lock:
            if not (self._is_opened or self._is_finished):
                text = self._text("it did not start in time")
                self._fail(MediaUnreachableError(text))
                self._leave()

    def _watch(self) -> None:
        """Have the event loop read, until the queue is full or a reader comes."""
        if self._sock and not self._is_watched:
            self._is_watched = True
            self._loop.add_reader(self._sock, self._take)

    def _take(self) -> None:
        """Read what has come; event loop only."""
        with self._lock:
            self._receive()
            if self._queue.buffered_frames >= self._capacity:
                self._unwatch()

    def _unwatch(self) -> None:
        if self._sock and self._is_watched:
            self._is_watched = False
            self._loop.remove_reader(self._sock)

    def _fill(self) -> None:
        """Read what has come, if there is room and the event loop does not."""
        if self._is_watched and self._is_buffered:
            # From now on this reader does.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop_watching)
        while not self._is_finished and self._queue.buffered_frames < self._capacity:
            if not self._receive():
                return

    def _stop_watching(self) -> None:
        with self._lock:
            self._unwatch()

    def _receive(self) -> bool:
        """Take one piece from the socket; return whether there was any."""
        if self._sock is None or self._is_finished:
            return False
        try:
            octets = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            octets = b""
        if not octets:
            # The pool reports how the process has ended.
            if self._is_watched:
                self._loop.call_soon_threadsafe(self._stop_watching)
            return False
        try:
            for kind, content in self._frames.feed(octets):
                self._handle(kind, content)
        except LinkError:
            _LOGGER.exception("A decoder process is not understood")
            self._fail(MediaError(self._text("decoding failed")))
            self._loop.call_soon_threadsafe(self._leave)
        return True

    def _handle(self, kind: FrameKind, content: bytes) -> None:
        if kind is FrameKind.PCM:
            self._queue.write(content)
            if self._queue.written_frames >= self._start_frames:
                self._emit_buffered()
        elif kind is FrameKind.COVER:
            self._cover += content
        elif kind is FrameKind.EVENT:
            self._happened(decode_event(content))
        else:
            raise LinkError("not for the sender")

    def _happened(self, event: DecoderEvent) -> None:
        match event:
            case Found():
                self._found(event)
            case Retitled():
                self._emit(Retitled(event.tags, self._queue.written_frames))
            case Failure():
                error = error_for(event.code, self._text(event.reason), event.status)
                if not isinstance(error, MediaError):
                    raise LinkError("not an error of media")
                self._fail(error)
            case Ended():
                self._emit_buffered()
                self._is_finished = True
                self._emit(event)

    def _found(self, event: Found) -> None:
        picture = bytes(self._cover)
        self._cover.clear()
        if self._is_opened:
            # A station may have a new title since its process ended.
            if self._is_live:
                self._emit(Retitled(event.tags, self._queue.written_frames))
            return
        self._is_opened = True
        self._is_live = event.is_live
        if event.is_live:
            self._start_frames = min(self._start_frames, _LIVE_START_FRAMES)
        cover = Cover(picture, event.cover_type) if event.cover_type else None
        facts = (event.duration_ms, event.is_live, event.can_seek)
        self._emit(Opened(*facts, event.tags, event.station, cover))

    def _ended(self, status: int | None) -> None:
        """Handle the end of the process: of its work, or too early. Event loop only."""
        with self._lock:
            while self._receive():
                pass
            self._leave()
            if self._is_finished:
                return
            _LOGGER.warning("The decoder of %s %s", self._media.name, how_ended(status))
            at = self._start_frame + self._queue.written_frames
            if is_greedy(status):
                self._fail(MediaError(self._text("decoding it takes too long")))
            elif at < self._reopens_from or not (self._is_opened or status is None):
                self._fail(MediaError(self._text("its decoder ended unexpectedly")))
            else:
                self._reopens_from = at + _STEADY_FRAMES
                self._opening = self._loop.create_task(self._open(at))

    def _leave(self) -> None:
        """Close the socket, which ends the process. Event loop only."""
        with self._lock:
            if self._alarm:
                self._alarm.cancel()
            self._unwatch()
            if self._sock:
                self._sock.close()
                self._sock = None
                self._decoders.forget(self._number)

    def _fail(self, error: MediaError) -> None:
        with self._lock:
            if not self._is_finished:
                self._is_finished = True
                self._emit(Failed(error))

    def _emit_buffered(self) -> None:
        if not self._is_buffered:
            self._is_buffered = True
            self._emit(Buffered())

    def _emit(self, event: SourceEvent) -> None:
        if not self._is_closed:
            self._listener(event)

    def _text(self, reason: str) -> str:
        return f"Cannot play {self._media.name}: {reason}"
