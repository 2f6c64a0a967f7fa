"""The sound of one timeline: silence, then one source after the other."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
import sys
from typing import Protocol

from ...wire.rtp import BYTES_PER_FRAME, SAMPLE_RATE

# After an underrun, a source must buffer this much before it plays again, so that a
# slow radio station stops once and not ten times a second.
_REFILL_FRAMES = SAMPLE_RATE // 2
_KEPT_SEGMENTS = 256
_NEVER = 1 << 62


class Pcm(Protocol):
    """A source of sound: 44.1 kHz, 16 bit, stereo; no call blocks."""

    def read(self, frames: int) -> bytes:
        """Return up to `frames` frames, as many as are buffered."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no frame is left to read, now or later."""

    @property
    def is_decoded(self) -> bool:
        """Whether all remaining frames are buffered."""

    @property
    def buffered_frames(self) -> int:
        """The number of frames that are buffered now."""


@dataclass(slots=True)
class _Fade:
    """A source that fades out under the next one."""

    leaving: Pcm
    total: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """The content of the timeline from a frame on, up to the next segment.

    In silence, `position` is the next media frame.
    """

    frame: int
    position: int
    source: Pcm | None
    sounds: bool

    def position_at(self, frame: int) -> int:
        """Return the media frame that a timeline frame of this segment holds."""
        return self.position + max(0, frame - self.frame) * self.sounds


class PcmFeed:
    """Fills every frame of a timeline and records which media frame it holds."""

    def __init__(self, on_switch: Callable[[Pcm], None]) -> None:
        self._on_switch = on_switch
        self.source: Pcm | None = None
        self.end_frame: int | None = None
        self.silence_frames = 0
        self._start = 0
        self._position = 0
        self._is_dry = False
        self._next: tuple[Pcm, int] | None = None
        self._is_next_coming = False
        self._fade_frames = 0
        self._fade: _Fade | None = None
        self._again = b""
        self._pivot = 0
        # The segments without the hold.
        self._held: tuple[Segment, ...] | None = None
        self._segments: tuple[Segment, ...] = (Segment(0, 0, None, sounds=False),)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The content of the timeline so far; a new tuple on each change."""
        return self._segments

    @property
    def is_held(self) -> bool:
        """Whether the music is held."""
        return self._held is not None

    def cue(
        self,
        source: Pcm,
        start_frame: int,
        position_frames: int,
        *,
        is_seamless: bool = False,
    ) -> None:
        """Play a source from a frame on; its first frame is at a media position.

        The earlier content is flushed, unless the change is seamless.
        """
        earlier = self._segments if is_seamless else ()
        # A queued source belonged to the previous one.
        self.clear()
        self.source = source
        self._start = start_frame
        self._position = position_frames
        self._is_dry = False
        # Until then no flushed source is audible.
        self._segments = earlier or (Segment(0, position_frames, None, sounds=False),)
        self._mark(start_frame, sounds=True)

    def clear(self) -> None:
        """Remove all sources."""
        self.source = None
        self.end_frame = None
        self._next = None
        self._is_next_coming = False
        self._fade = None
        self._again = b""
        self._held = None
        self._start = 0

    def follow(
        self, source: Pcm | None, position_frames: int = 0, fade_frames: int = 0
    ) -> None:
        """Play a source directly after the last frame of the present one.

        With a fade it begins `fade_frames` earlier, while the present one fades out.
        """
        self._next = (source, position_frames) if source else None
        self._is_next_coming = False
        self._fade_frames = fade_frames
        if source:
            self._reopen()

    def expect(self) -> None:
        """Insert silence at the end, while another source is being opened."""
        self._next = None
        self._is_next_coming = True
        self._reopen()

    def _reopen(self) -> None:
        """Continue after an end that was made, but has not played yet."""
        if self.end_frame is not None:
            self.end_frame = None
            self._is_dry = True

    def rewind(self, frame: int, pcm: bytes) -> None:
        """Return made frames from one on, to read them again."""
        unheard = max(0, self._start - frame)
        self._again = pcm[unheard * BYTES_PER_FRAME :] + self._again

    def hold(self, frame: int) -> None:
        """Insert silence from a frame on; the rest of the music waits."""
        if self._held is not None:
            return
        self._pivot = max(frame, self._start)
        self._held = self._segments
        waiting = self.segment_at(self._pivot)
        position = waiting.position_at(self._pivot)
        kept = [each for each in self._segments if each.frame < frame]
        silence = Segment(frame, position, waiting.source, sounds=False)
        self._segments = (*kept, silence)
        self._start = _NEVER

    def resume(self, start_frame: int) -> None:
        """Continue the held music from a frame on."""
        if self._held is None:
            return
        held, self._held = self._held, None
        by = start_frame - self._pivot
        first = _at(held, self._pivot)
        position = first.position_at(self._pivot)
        moved = [replace(first, frame=start_frame, position=position)]
        moved += [
            replace(each, frame=each.frame + by)
            for each in held
            if each.frame > self._pivot
        ]
        kept = [each for each in self._segments if each.frame < start_frame]
        self._segments = (*kept[-_KEPT_SEGMENTS:], *moved)
        self._start = start_frame
        if self.end_frame is not None:
            self.end_frame += by

    def read(self, first_frame: int, frames: int) -> bytes:
        """Return exactly the requested frames; the requests come in order."""
        lead = min(max(0, self._start - first_frame), frames)
        wanted = (frames - lead) * BYTES_PER_FRAME
        again, self._again = self._again[:wanted], self._again[wanted:]
        done = lead + len(again) // BYTES_PER_FRAME
        sound = self._read(first_frame + done, frames - done)
        parts = (bytes(lead * BYTES_PER_FRAME), again, sound)
        return b"".join(parts).ljust(frames * BYTES_PER_FRAME, b"\0")

    def segment_at(self, frame: int) -> Segment:
        """Return the segment of the timeline at a frame."""
        return _at(self._segments, frame)

    def segment_of(self, source: Pcm) -> Segment:
        """Return the first known segment of a source, or the last segment."""
        segments = self._segments
        found = (each for each in segments if each.source is source)
        return next(found, segments[-1])

    @property
    def paused_position(self) -> int:
        """The media frame at which playback was paused."""
        return self.segment_at(self._pivot).position_at(self._pivot)

    def _read(self, frame: int, frames: int) -> bytes:
        parts = []
        while frames and self.source and self.end_frame is None:
            if not self._is_flowing(self.source, frame):
                self.silence_frames += frames
                break
            until_fade = self._until_fade(self.source)
            if until_fade == 0:
                self._fade = _Fade(self.source, self.source.buffered_frames)
                self._switch(frame)
                continue
            wanted = min(frames, until_fade)
            sound = self._faded(self.source.read(wanted), wanted)
            got = len(sound) // BYTES_PER_FRAME
            parts.append(sound)
            self._position += got
            frame, frames = frame + got, frames - got
            if got < wanted:
                self._ran_out(self.source, frame)
        return b"".join(parts)

    def _until_fade(self, source: Pcm) -> int:
        """Return how many frames of a source play before the crossfade."""
        fades = self._next and self._fade_frames and not self._fade
        left = source.buffered_frames
        if not fades or not left or not source.is_decoded:
            return sys.maxsize
        return max(0, left - self._fade_frames)

    def _faded(self, sound: bytes, frames: int) -> bytes:
        fade = self._fade
        if fade is None:
            return sound
        from ...audio.mixer import crossfade

        leaving = fade.leaving.read(frames)
        mixed = crossfade(leaving, sound, fade.done, fade.total)
        fade.done += len(mixed) // BYTES_PER_FRAME
        if fade.done >= fade.total:
            self._fade = None
        return mixed

    def _switch(self, frame: int) -> None:
        assert self._next is not None
        (self.source, self._position), self._next = self._next, None
        self._mark(frame, sounds=True)
        self._on_switch(self.source)

    def _is_flowing(self, source: Pcm, frame: int) -> bool:
        if not self._is_dry:
            return True
        if source.is_exhausted:
            is_enough = not self._is_next_coming
        else:
            # The last frames of a source may be few.
            is_enough = source.is_decoded or source.buffered_frames >= _REFILL_FRAMES
        if not is_enough:
            return False
        self._is_dry = False
        self._mark(frame, sounds=True)
        return True

    def _ran_out(self, source: Pcm, frame: int) -> None:
        """Continue with the next source, or wait for more, or end here."""
        if source.is_exhausted and self._next:
            self._switch(frame)
            return
        self._mark(frame, sounds=False)
        if source.is_exhausted and not self._is_next_coming:
            self.end_frame = frame
        else:
            self._is_dry = True

    def _mark(self, frame: int, *, sounds: bool) -> None:
        # A new tuple each time: other threads read it without a lock.
        kept = tuple(each for each in self._segments if each.frame < frame)
        entry = Segment(frame, self._position, self.source, sounds)
        self._segments = (*kept[-_KEPT_SEGMENTS:], entry)


def _at(segments: tuple[Segment, ...], frame: int) -> Segment:
    index = bisect_right(segments, frame, key=lambda each: each.frame) - 1
    return segments[max(0, index)]
