"""What a second connection gives: the same sound again, or other sound.

Sound is compared, not bytes: containers have numbers that differ with each request.
"""

from collections.abc import Iterator
from itertools import chain
import time

from ...audio.pcm import FRAME_BYTES, RATE

# Longer than what stations of one house begin with.
_COMPARED_BYTES = 5 * RATE * FRAME_BYTES


class Beginning:
    """The first seconds of sound that the first connection gave."""

    def __init__(self) -> None:
        """Start without any sound."""
        self._pcm = bytearray()

    def add(self, block: bytes) -> None:
        """Take what follows, until it is enough."""
        self._pcm += block[: _COMPARED_BYTES - len(self._pcm)]

    def is_of(self, blocks: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
        """Return whether sound begins like this one, and all of that sound.

        Raises the errors of reading it.
        """
        pcm = bytearray()
        while len(pcm) < len(self._pcm) and (block := next(blocks, None)) is not None:
            pcm += block
            if not self._begins_like(pcm):
                break
        return bool(pcm) and self._begins_like(pcm), chain((bytes(pcm),), blocks)

    def _begins_like(self, pcm: bytearray) -> bool:
        size = min(len(pcm), len(self._pcm))
        return pcm[:size] == self._pcm[:size]


def without_first(
    blocks: Iterator[bytes], frames: int, patience_s: float | None
) -> Iterator[bytes]:
    """Yield what follows these frames.

    What they do not come before by this time is sent as it is made: a station that begins
    with the same jingle each time.
    """
    until = None if patience_s is None else time.monotonic() + patience_s
    left = frames * FRAME_BYTES
    for block in blocks:
        if left and until is not None and time.monotonic() > until:
            left = 0
        kept = block[left:]
        left -= min(left, len(block))
        if kept:
            yield kept
