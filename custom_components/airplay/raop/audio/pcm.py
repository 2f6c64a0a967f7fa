"""Decoded PCM between the thread that decodes and the thread that paces."""

from collections import deque
import threading

RATE = 44100
CHANNELS = 2
FRAME_BYTES = 4


class PcmQueue:
    """Bounded first-in first-out of s16le stereo frames; reading never blocks."""

    def __init__(self, capacity_frames: int) -> None:
        """Hold about this many frames; a writer waits while there are more."""
        self._capacity = capacity_frames
        # A writer that was full sleeps until a good piece is free, so that the
        # decoder wakes a few times a second and not with every packet sent.
        self._resume_at = max(0, capacity_frames - max(1, RATE // 4))
        self._blocks: deque[memoryview] = deque()
        self._frames = 0
        self._written = 0
        self._finished = False
        self._closed = False
        self._waiting = False
        self._changed = threading.Condition(threading.Lock())

    @property
    def buffered_frames(self) -> int:
        """Frames that can be read now."""
        return self._frames

    @property
    def written_frames(self) -> int:
        """Frames that were ever written."""
        return self._written

    @property
    def is_finished(self) -> bool:
        """Nothing more will be written."""
        return self._finished

    @property
    def is_exhausted(self) -> bool:
        """Nothing is there and nothing will come."""
        with self._changed:
            return self._finished and self._frames == 0

    def write(self, block: bytes) -> bool:
        """Append whole frames, waiting while it is full; False when closed."""
        with self._changed:
            if self._frames >= self._capacity:
                self._waiting = True
                self._changed.wait_for(
                    lambda: self._closed or self._frames <= self._resume_at
                )
                self._waiting = False
            if self._closed:
                return False
            if block:
                self._blocks.append(memoryview(block))
                self._frames += len(block) // FRAME_BYTES
                self._written += len(block) // FRAME_BYTES
            return True

    def read(self, frames: int) -> bytes:
        """Take up to this many frames from the front."""
        parts: list[memoryview] = []
        wanted = frames * FRAME_BYTES
        with self._changed:
            while wanted > 0 and self._blocks:
                block = self._blocks[0]
                if len(block) <= wanted:
                    self._blocks.popleft()
                else:
                    self._blocks[0] = block[wanted:]
                    block = block[:wanted]
                parts.append(block)
                wanted -= len(block)
            self._frames -= frames - wanted // FRAME_BYTES
            if self._waiting and self._frames <= self._resume_at:
                self._changed.notify()
        return b"".join(parts)

    def finish(self) -> None:
        """Tell the reader that nothing more will be written."""
        with self._changed:
            self._finished = True

    def close(self) -> None:
        """Drop everything and free a writer that waits."""
        with self._changed:
            self._closed = True
            self._finished = True
            self._blocks.clear()
            self._frames = 0
            self._changed.notify()
