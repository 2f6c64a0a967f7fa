"""The sound of one timeline: silence, then a source, then silence again."""

from bisect import bisect_right
from typing import Protocol

from ..wire.rtp import BYTES_PER_FRAME, SAMPLE_RATE

# After a source ran dry, this much must be there before it is heard again, so that
# a slow radio stops once and not ten times a second.
_REFILL_FRAMES = SAMPLE_RATE // 2
_KEPT_SEGMENTS = 256


class Pcm(Protocol):
    """Where sound comes from: 44.1 kHz, 16 bit, stereo; no call waits."""

    def read(self, frames: int) -> bytes:
        """Return up to so many frames, as many as are there."""

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing will ever come again."""

    @property
    def buffered_frames(self) -> int:
        """How many frames are there now."""


class Supply:
    """Fills every frame of a timeline and remembers which media frame it holds."""

    def __init__(self) -> None:
        self.source: Pcm | None = None
        self._start = 0
        self._position = 0
        self._is_dry = False
        self._segments: tuple[tuple[int, int, bool], ...] = ((0, 0, False),)
        self.end_frame: int | None = None
        self.silence_frames = 0

    def cue(self, source: Pcm, start_frame: int, position_frames: int) -> None:
        """Let a source be heard from a frame on; its first frame is at a position."""
        self.source = source
        self._start = start_frame
        self._position = position_frames
        self._is_dry = False
        self.end_frame = None
        self._mark(start_frame, sounds=True)

    def take(self, first_frame: int, frames: int) -> bytes:
        """Return exactly the frames asked for; they are asked for in order."""
        lead = min(max(0, self._start - first_frame), frames)
        sound = self._read(first_frame + lead, frames - lead)
        after = frames - lead - len(sound) // BYTES_PER_FRAME
        return bytes(lead * BYTES_PER_FRAME) + sound + bytes(after * BYTES_PER_FRAME)

    def position_at(self, frame: int) -> tuple[int, bool]:
        """Return the media frame that a timeline frame holds, and whether it sounds.

        In silence it is the media frame that comes next.
        """
        segments = self._segments
        index = max(0, bisect_right(segments, frame, key=lambda each: each[0]) - 1)
        start, position, sounds = segments[index]
        return position + max(0, frame - start) if sounds else position, sounds

    def _read(self, frame: int, frames: int) -> bytes:
        source = self.source
        if source is None or not frames or self.end_frame is not None:
            return b""
        if self._is_dry and not self._refilled(source):
            self.silence_frames += frames
            return b""
        if self._is_dry:
            self._is_dry = False
            self._mark(frame, sounds=True)
        sound = source.read(frames)
        got = len(sound) // BYTES_PER_FRAME
        self._position += got
        if got < frames:
            self._ran_out(source, frame + got, frames - got)
        return sound

    def _ran_out(self, source: Pcm, frame: int, missing: int) -> None:
        self._mark(frame, sounds=False)
        if source.is_exhausted:
            self.end_frame = frame
        else:
            self._is_dry = True
            self.silence_frames += missing

    def _refilled(self, source: Pcm) -> bool:
        return source.is_exhausted or source.buffered_frames >= _REFILL_FRAMES

    def _mark(self, frame: int, *, sounds: bool) -> None:
        # A new tuple each time: other threads read it without a lock.
        kept = tuple(each for each in self._segments if each[0] < frame)
        entry = (frame, self._position, sounds)
        self._segments = (*kept[-_KEPT_SEGMENTS:], entry)
