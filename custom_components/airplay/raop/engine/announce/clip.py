"""What an announcement says: clips one after another, kept whole while it is heard.

Several streams read the same clip, each at its own place, all on the pacing thread.
"""

import asyncio
from collections.abc import Sequence

from ...errors import MediaError, MediaTooLongError
from ...messages import Event, Media
from ...session.timeline import frames_of_ms
from ...wire.rtp import BYTES_PER_FRAME
from ..stream.item import MediaItem

# Speech comes from a server that is at work on it: have some before it is heard.
_AHEAD_MS = 4000


class Clip:
    """Sound that was opened, and is decoded while it is heard."""

    def __init__(self, media: Sequence[Media], *, longest_ms: int) -> None:
        self._longest_ms = longest_ms
        self._longest = frames_of_ms(longest_ms)
        self._parts = [
            MediaItem("", each, delay_s=0, ahead_ms=_AHEAD_MS, emit=_ignore)
            for each in media
        ]
        self._left = [*self._parts]
        self._pcm = bytearray()

    @property
    def error(self) -> MediaError | None:
        """What kept it from being heard whole."""
        errors = (part.error for part in self._parts)
        return next((error for error in errors if error), None)

    async def open(self) -> None:
        """Open all parts; raise MediaError where one cannot be heard."""
        await asyncio.gather(*(part.buffer() for part in self._parts))
        # A voice that is at work does not know its end: what has none is cut instead.
        known_ms = sum(part.duration_ms or 0 for part in self._parts)
        if known_ms > self._longest_ms:
            name = self._parts[-1].media.name
            minutes = self._longest_ms / 60_000
            raise MediaTooLongError(
                f"{name} is longer than the {minutes:g} minutes of an announcement"
            )

    def close(self) -> None:
        """Leave all parts."""
        for part in self._parts:
            part.close()

    def read_at(self, frame: int, frames: int) -> bytes:
        """Return up to so many frames from one on; pacing thread only."""
        start, stop = frame * BYTES_PER_FRAME, (frame + frames) * BYTES_PER_FRAME
        self._collect(stop)
        return bytes(self._pcm[start:stop])

    def is_over_at(self, frame: int) -> bool:
        """Whether nothing comes from a frame on; pacing thread only."""
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
    """Tell nobody: what announcements are made of is not what plays."""
