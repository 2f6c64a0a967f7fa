"""What is right: the sound as ffmpeg decodes it, or one error.

ffmpeg resamples here with the filter of the product, in double precision, so that both
may differ by the rounding of one sample. It makes a single channel 3 dB quieter on two
sides, and the product does not: a single channel is compared on each side at its level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from custom_components.airplay.raop.errors import MediaError

from .workshop import run_ffmpeg

RATE = 44100
_FILTER = (
    f"aresample={RATE}:filter_size=64:phase_shift=12:cutoff=0.97"
    ":internal_sample_fmt=dblp"
)
_WINDOW = RATE // 4
_QUIET = 100.0
_LAST_MS_FRAMES = 48
# The filter of the resampler reaches over the end.
_FADING_FRAMES = 200

type Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Loose:
    """Why sound is only like ffmpeg's: places may differ, and samples a little."""

    why: str
    frames: int = 0
    likeness: float = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Plays:
    """It plays as ffmpeg decodes it, to one unit of the last bit, and then ends.

    `of` are the files that ffmpeg decodes one after the other, if it is not the one that
    plays, and `mono_of` those of them with one channel; `options` go to ffmpeg before
    each. `tags` are what it is called. `most_frames` is the length of the source of an
    MP4: ffmpeg 5 plays the padding at its end, too, which newer versions cut off where
    the file says, in milliseconds.
    """

    is_mono: bool = False
    of: tuple[str, ...] = ()
    mono_of: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    start_ms: int = 0
    most_frames: int | None = None
    tags: dict[str, str | int | None] = field(default_factory=dict)
    loose: Loose | None = None


@dataclass(frozen=True, slots=True)
class Fails:
    """It gives this error, whose text ends with the reason."""

    error: type[MediaError]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesOn:
    """It is live: what `of` decodes to plays, and it has not ended then.

    `titles` are those that the station reports.
    """

    of: tuple[str, ...]
    titles: tuple[str, ...] = ()
    loose: Loose | None = None


type Right = Plays | Fails | GoesOn


def decoded(paths: Sequence[Path], right: Plays | GoesOn) -> list[Pcm]:
    """Return the sound of files as ffmpeg decodes it, each a part of what plays."""
    if isinstance(right, GoesOn):
        return [_decoded(path, (), is_mono=False) for path in paths]
    parts = [
        _decoded(
            path, right.options, is_mono=right.is_mono or path.name in right.mono_of
        )
        for path in paths
    ]
    start = right.start_ms * RATE // 1000
    return [parts[0][start:], *parts[1:]] if start else parts


def without_padding(
    heard: Pcm, wanted: Sequence[Pcm], most_frames: int
) -> tuple[Pcm, Sequence[Pcm]]:
    """Return both without their ends, if the end of what plays is in its place."""
    if not most_frames - _LAST_MS_FRAMES <= len(heard) <= most_frames + 1:
        return heard, wanted
    end = len(heard) - _FADING_FRAMES
    return heard[:end], [np.concatenate(wanted)[:end]]


def difference(heard: Pcm, parts: Sequence[Pcm], loose: Loose | None) -> str:
    """Say how sound differs from what it should be, nothing if it does not."""
    wanted = np.concatenate(parts)
    slack = loose.frames if loose else 0
    if abs(len(heard) - len(wanted)) > slack:
        return f"{len(heard)} frames instead of {len(wanted)}{_where(heard, wanted)}"
    if loose:
        return _unlike(heard, parts, loose)
    apart = np.abs(heard.astype(int) - wanted).max(axis=1, initial=0)
    if not apart.any() or apart.max() <= 1:
        return ""
    many = int((apart > 1).sum())
    first = int(np.argmax(apart > 1))
    return f"{many} frames differ, by up to {apart.max()}, from frame {first} on"


def _decoded(path: Path, options: Sequence[str], *, is_mono: bool) -> Pcm:
    pcm = run_ffmpeg(
        *options,
        *("-i", f"file:{path}", "-vn", "-af", _FILTER, "-ar", str(RATE)),
        *("-ac", "1" if is_mono else "2", "-f", "s16le", "pipe:1"),
    )
    samples = np.frombuffer(pcm, "<i2").reshape(-1, 1 if is_mono else 2)
    return np.repeat(samples, 2, axis=1) if is_mono else samples


def _where(heard: Pcm, wanted: Pcm) -> str:
    """Say up to which frame sound is right, if it has not the right length."""
    shorter = min(len(heard), len(wanted))
    apart = np.abs(heard[:shorter].astype(int) - wanted[:shorter]).max(
        axis=1, initial=0
    )
    right = int(np.argmax(apart > 1)) if (apart > 1).any() else shorter
    return f", right for {right}"


def _unlike(heard: Pcm, parts: Sequence[Pcm], loose: Loose) -> str:
    """Say where no part of the sound is like the wanted one, in its place or near it."""
    start = 0
    for part in parts:
        for at in range(0, len(part) - _WINDOW + 1, _WINDOW):
            window = _one_side(part[at : at + _WINDOW])
            before = max(0, start + at - loose.frames)
            near = _one_side(heard[before : start + at + _WINDOW + loose.frames])
            if window.std() < _QUIET or len(near) < len(window):
                continue
            if (likeness := _likeness(near, window)) < loose.likeness:
                return f"frames from {start + at} on are like it by {likeness:.3f} only"
        start += len(part)
    return ""


def _one_side(samples: Pcm) -> NDArray[np.float64]:
    return np.asarray(samples[:, 0] + 0.7 * samples[:, 1], float)


def _likeness(near: NDArray[np.float64], part: NDArray[np.float64]) -> float:
    """Return the highest correlation of a part with all that is near."""
    size = 1 << (len(near) + len(part)).bit_length()
    spectrum = np.fft.rfft(near, size) * np.conj(np.fft.rfft(part, size))
    products = np.fft.irfft(spectrum, size)[: len(near) - len(part) + 1]
    squares = np.cumsum(np.concatenate(([0.0], near * near)))
    energy = squares[len(part) :] - squares[: -len(part)]
    scale = np.sqrt(np.maximum(energy, 1.0) * float(part @ part))
    return float((products / scale).max())
