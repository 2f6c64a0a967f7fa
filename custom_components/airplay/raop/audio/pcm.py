"""Decoded PCM on its way from a decoder process to the pacing thread."""

from collections import deque

RATE = 44100
CHANNELS = 2
FRAME_BYTES = 4

# Little is enough to start with while it comes so much faster than it plays.
_FAST_START_FRAMES = RATE // 4
_FAST = 20


def enough(most_frames: int, elapsed_s: float) -> int:
    """Return how many frames are enough to start, so long after media was opened."""
    fast_frames = _FAST * RATE * min(elapsed_s, 1.0)
    return min(most_frames, max(_FAST_START_FRAMES, round(fast_frames)))


class PcmQueue:
    """First-in first-out of s16le stereo frames; whoever calls it holds a lock."""

    def __init__(self) -> None:
        """Start empty."""
        self._blocks: deque[memoryview] = deque()
        self.buffered_frames = 0
        self.written_frames = 0

    def write(self, block: bytes) -> None:
        """Append whole frames."""
        if block:
            self._blocks.append(memoryview(block))
            self.buffered_frames += len(block) // FRAME_BYTES
            self.written_frames += len(block) // FRAME_BYTES

    def read(self, frames: int) -> bytes:
        """Remove and return up to this many frames from the front."""
        parts: list[memoryview] = []
        wanted = frames * FRAME_BYTES
        while wanted > 0 and self._blocks:
            block = self._blocks[0]
            if len(block) <= wanted:
                self._blocks.popleft()
            else:
                self._blocks[0] = block[wanted:]
                block = block[:wanted]
            parts.append(block)
            wanted -= len(block)
        self.buffered_frames -= frames - wanted // FRAME_BYTES
        return b"".join(parts)

    def clear(self) -> None:
        """Drop everything that was not read."""
        self._blocks.clear()
        self.buffered_frames = 0
