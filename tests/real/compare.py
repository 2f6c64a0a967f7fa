"""Compare the sound of a receiver with the source, frame by frame."""

from dataclasses import dataclass
from pathlib import Path
import wave

import numpy as np
from numpy.typing import NDArray

type Frames = NDArray[np.uint32]

_WINDOW = 32
_STEP = 16
# How far a receiver may jump within the source, in frames (10 s).
_REACH = 441_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much of a source a capture holds; silence at the ends does not count."""

    frames_compared: int
    frames_equal: int
    missing: int
    first_offset: int

    @property
    def is_exact(self) -> bool:
        """Return whether every frame was played, and nothing else."""
        return (
            self.missing == 0
            and self.first_offset == 0
            and self.frames_compared == self.frames_equal > 0
        )


def read_wav(path: Path) -> Frames:
    """Read a WAV file of 16 bit stereo as one number per frame."""
    with wave.open(str(path), "rb") as source:
        assert (source.getnchannels(), source.getsampwidth()) == (2, 2), path
        return frames(source.readframes(source.getnframes()))


def read_pcm(path: Path) -> Frames:
    """Read raw 16 bit stereo, as receivers record it, as one number per frame."""
    return frames(path.read_bytes())


def frames(pcm: bytes) -> Frames:
    """Read raw 16 bit stereo as one number per frame; half a frame is omitted."""
    return np.frombuffer(pcm, "<u4", count=len(pcm) // 4)


def compare(source: Frames, captured: Frames) -> Comparison:
    """Align a capture with its source and count the frames that are equal.

    `first_offset` is the first source frame that was played, `missing` counts the ones
    after it that were not, `frames_compared` the captured ones from there on.
    """
    score = _Score(_trim(source))
    captured = _trim(captured)
    place = score.meet(captured, 0, 0, len(score.source))
    if place is None:
        return Comparison(len(captured), 0, len(score.source), 0)
    heard, first = place
    compared, equal = len(captured) - heard, 0
    while place is not None:
        heard, position = place
        run = _equal_run(score.source[position:], captured[heard:])
        equal += run
        place = score.meet(captured, heard + run, position + run, _REACH)
    return Comparison(compared, equal, len(score.source) - first - equal, first)


def _trim(samples: Frames) -> Frames:
    """Leave out silence at both ends."""
    loud = np.flatnonzero(samples)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def _equal_run(source: Frames, captured: Frames) -> int:
    """Count the frames that are equal from the start on."""
    length = min(len(source), len(captured))
    different = np.flatnonzero(source[:length] != captured[:length])
    return int(different[0]) if len(different) else length


class _Score:
    """A source in which passages are found quickly."""

    def __init__(self, source: Frames) -> None:
        self.source = source
        self._order = np.argsort(source, kind="stable")
        self._sorted = source[self._order]

    def meet(
        self, captured: Frames, heard: int, position: int, reach: int
    ) -> tuple[int, int] | None:
        """Find the next place at which both agree, as offsets (captured, source)."""
        for start in range(heard, len(captured) - _WINDOW + 1, _STEP):
            window = captured[start : start + _WINDOW]
            if len(np.unique(window)) < _WINDOW // 2:
                continue
            found = self._find(window, position, position + reach)
            if found is not None:
                back = _equal_run(
                    self.source[position:found][::-1], captured[heard:start][::-1]
                )
                return start - back, found - back
        return None

    def _find(self, window: Frames, low: int, high: int) -> int | None:
        """Find the first place of a window in a part of the source."""
        left = np.searchsorted(self._sorted, window[0], "left")
        right = np.searchsorted(self._sorted, window[0], "right")
        candidates = self._order[left:right]
        high = min(high, len(self.source) - _WINDOW + 1)
        candidates = candidates[(candidates >= low) & (candidates < high)]
        for candidate in candidates:
            if np.array_equal(self.source[candidate : candidate + _WINDOW], window):
                return int(candidate)
        return None
