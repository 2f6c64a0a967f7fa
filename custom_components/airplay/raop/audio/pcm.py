"""Decoded PCM between the decoding thread and the pacing thread."""

from collections import deque
import threading

RATE = 44100
CHANNELS = 2
FRAME_BYTES = 4


class PcmQueue:
    """Bounded first-in first-out of s16le stereo frames; reading never blocks."""

    def __init__(self, capacity_frames: int) -> None:
        """Set the capacity; a writer waits while it is exceeded."""
        self._capacity = capacity_frames
        # A waiting writer sleeps until enough space is free, so that the decoder
        # wakes a few times a second and not with every packet sent.
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
        """The frames that can be read now."""
        return self._frames

    @property
    def written_frames(self) -> int:
        """The total of frames written."""
        return self._written

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be written."""
        return self._finished

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is buffered and nothing more will be written."""
        with self._changed:
            return self._finished and self._frames == 0

    def write(self, block: bytes) -> bool:
        """Append whole frames, wait while it is full; return False if closed."""
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
        """Remove and return up to this many frames from the front."""
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
        """Mark that nothing more will be written."""
        with self._changed:
            self._finished = True

    def close(self) -> None:
        """Drop everything and release a waiting writer."""
        with self._changed:
            self._closed = True
            self._finished = True
            self._blocks.clear()
            self._frames = 0
            self._changed.notify()
