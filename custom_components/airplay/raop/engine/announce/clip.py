"""The decoded sound of an announcement, kept whole while it plays.

Several streams read the same clip, each at its own position, on the pacing thread.
"""

import asyncio
from collections.abc import Sequence

from ...audio.decoder_pool import DecoderPool
from ...errors import MediaError, MediaTooLongError
from ...messages import Event, Media
from ...session.timeline import frames_of_ms
from ...wire.rtp import BYTES_PER_FRAME
from ..stream.item import MediaItem

# A server generates speech while it is read: buffer some before it plays.
_AHEAD_MS = 4000


class Clip:
    """Media files in sequence, opened first and decoded while they play."""

    def __init__(
        self, media: Sequence[Media], decoders: DecoderPool, *, longest_ms: int
    ) -> None:
        self._longest_ms = longest_ms
        self._longest = frames_of_ms(longest_ms)
        self._parts = [
            MediaItem("", each, decoders, delay_s=0, ahead_ms=_AHEAD_MS, emit=_ignore)
            for each in media
        ]
        self._left = [*self._parts]
        self._pcm = bytearray()

    @property
    def error(self) -> MediaError | None:
        """The error that kept it from playing completely."""
        errors = (part.error for part in self._parts)
        return next((error for error in errors if error), None)

    async def open(self) -> None:
        """Open all parts.

        Raises MediaError: a part cannot be played, or the clip is too long.
        """
        await asyncio.gather(*(part.buffer() for part in self._parts))
        # Speech in the making has no known duration: it is cut at the limit instead.
        known_ms = sum(part.duration_ms or 0 for part in self._parts)
        if known_ms > self._longest_ms:
            name = self._parts[-1].media.name
            minutes = self._longest_ms / 60_000
            raise MediaTooLongError(
                f"{name} is longer than the {minutes:g}-minute limit for announcements"
            )

    def close(self) -> None:
        """Close all parts."""
        for part in self._parts:
            part.close()

    def read_at(self, frame: int, frames: int) -> bytes:
        """Return up to `frames` frames from a position on; pacing thread only."""
        start, stop = frame * BYTES_PER_FRAME, (frame + frames) * BYTES_PER_FRAME
        self._collect(stop)
        return bytes(self._pcm[start:stop])

    def is_over_at(self, frame: int) -> bool:
        """Whether the clip has no frame at or after this one; pacing thread only."""
        return not self.read_at(frame, 1) and not self._left

    def _collect(self, size: int) -> None:
        while self._left and len(self._pcm) < size:
            source = self._left[0].source
            wanted = (size - len(self._pcm)) // BYTES_PER_FRAME
            room = self._longest - len(self._pcm) // BYTES_PER_FRAME
            sound = source.read(min(wanted, room))
            self._pcm += sound
            if room <= 0:
                self._left = []
            elif source.is_exhausted:
                del self._left[0]
            elif not sound:
                return


def _ignore(_event: Event) -> None:
    """Drop the event: the parts of announcements are not media of the stream."""
