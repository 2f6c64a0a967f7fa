"""When real receivers play the clicks of a track, from the notes of their recorders.

A receiver outputs each block of a packet when it is due by its own clock, less the
length of its output's buffer; the recorder notes the arrival. A block can be late, as
all processes here wait for a processor, but never early: of the blocks around a click
the earliest one shows the receiver's instant for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self
import wave

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
BUFFER_S = 0.2
"""How long before its play time a block leaves a receiver of the lab."""

_BURST = 220
_QUIET = 60
_LOUD = 2000
_BLOCK_BYTES = 352 * 4
_AROUND = RATE // 2

type Numbers = NDArray[np.float64]
type Bursts = NDArray[np.uint32]


class Recorded(Protocol):
    """The sound that a receiver played, with its times, as lab/pcm_recorder.py writes it."""

    @property
    def pcm_path(self) -> Path:
        """Raw 16 bit stereo."""

    @property
    def index_path(self) -> Path:
        """When each piece of it came."""


@dataclass(frozen=True, slots=True)
class Track:
    """A sound with a burst of noise at every whole second, no two of them alike."""

    path: Path
    seconds: int
    bursts: Bursts

    @classmethod
    def write(cls, path: Path, seconds: int, *, seed: int = 11) -> Self:
        """Write a track; its first click is at second 1."""
        random = np.random.default_rng(seed)
        bursts = np.empty((seconds, _BURST), np.uint32)
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, RATE, 0, "NONE", ""))
            for second in range(seconds):
                sound = random.integers(-_QUIET, _QUIET + 1, (RATE, 2), np.int16)
                click = random.integers(_LOUD, 20_000, (_BURST, 2), np.int16)
                click *= random.choice(np.array([-1, 1], np.int16), click.shape)
                if second:
                    sound[:_BURST] = click
                bursts[second] = click.view(np.uint32)[:, 0]
                file.writeframes(sound.tobytes())
        return cls(path, seconds, bursts)


@dataclass(frozen=True, slots=True)
class Click:
    """When one click was played, as CLOCK_MONOTONIC in seconds.

    `at_s` is the earliest by the blocks around it, `block_at_s` the instant by its own
    block, `halves_s` the instants by every other of the blocks.
    """

    at_s: float
    block_at_s: float
    halves_s: tuple[float, float]


def heard_clicks(
    receiver: Recorded, track: Track, *, since: int = 0
) -> dict[int, Click]:
    """Return the clicks that a receiver has played since a frame, by second."""
    index, frames = _index(receiver), _frames(receiver)
    seconds = {burst.tobytes(): second for second, burst in enumerate(track.bursts)}
    clicks = {}
    for start in _bursts(frames[:, 0], since):
        burst = np.ascontiguousarray(frames[start : start + _BURST])
        second = seconds.get(burst.tobytes())
        if second is not None and (click := _click(index, start)):
            clicks[second] = click
    return clicks


def sounds_from_s(receiver: Recorded, after_s: float) -> float | None:
    """Return when a receiver plays again after a time of CLOCK_MONOTONIC.

    That is by the first block that left it then and is not silent.
    """
    index, frames = _index(receiver), _frames(receiver)
    for at_ns, place, size in index[index[:, 0] / 1e9 > after_s - BUFFER_S]:
        block = frames[place // 4 : (place + size) // 4]
        loud = np.flatnonzero(block.any(axis=1))
        if len(loud):
            return float(at_ns / 1e9 + BUFFER_S + loud[0] / RATE)
    return None


def _index(receiver: Recorded) -> NDArray[np.int64]:
    """Return when blocks left a receiver: nanoseconds, first byte, number of bytes."""
    lines = receiver.index_path.read_text().splitlines()
    rows = [line.split() for line in lines if line.count(" ") == 2]
    return np.array(rows, np.int64).reshape(-1, 3)


def _frames(receiver: Recorded) -> NDArray[np.int16]:
    """Return the sound that a receiver played, by frame and side."""
    pcm = np.memmap(receiver.pcm_path, np.dtype("<i2"), "r")
    return pcm[: len(pcm) // 2 * 2].reshape(-1, 2)


def _bursts(left: NDArray[np.int16], since: int) -> list[int]:
    """Return the first frame of each click."""
    loud = since + np.flatnonzero(np.abs(left[since:]) >= _LOUD)
    begins = np.diff(loud, prepend=-RATE) > RATE // 2
    return [int(place) for place in loud[begins]]


def _click(index: NDArray[np.int64], frame: int) -> Click | None:
    """Work out when a frame was played; None if its block was not noted alone."""
    frames = index[:, 1] // 4
    first, last = np.searchsorted(frames, (frame - _AROUND, frame + _AROUND))
    around = index[first:last]
    around = around[around[:, 2] <= _BLOCK_BYTES]
    if len(around) < 4:
        return None
    places = (around[:, 1] // 4 - frame) / RATE
    said: Numbers = around[:, 0] / 1e9 - places
    own = said[np.searchsorted(places, 0, "right") - 1]
    halves = (float(said[::2].min()), float(said[1::2].min()))
    return Click(float(said.min()), float(own), halves)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The median, the 99th percentile and the largest of some times in ms."""

    p50_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """Sum up absolute values."""
        values = np.abs(np.fromiter(seconds, np.float64)) * 1e3
        if not len(values):
            return cls(float("nan"), float("nan"), float("nan"))
        p50, p99, largest = np.percentile(values, (50, 99, 100))
        return cls(float(p50), float(p99), float(largest))


@dataclass(frozen=True, slots=True)
class Sync:
    """How well a group was in sync.

    `spread` is how far apart the first and the last receiver played a click, `line` how
    far each was from the sender's line, `resolution` how far apart two halves of one
    receiver's own blocks put it, `blocks` how late single blocks are.
    """

    clicks: int
    spread: Quantiles
    line: Quantiles
    resolution: Quantiles
    blocks: Quantiles


def measure(
    heard: Sequence[Mapping[int, Click]], line_s: float, *, settle_s: int = 0
) -> Sync:
    """Compare the sound of receivers; the track's first frame was due at `line_s`.

    Clicks before `settle_s` are omitted, and those that one of them did not play.
    """
    common = set.intersection(*(set(each) for each in heard))
    seconds = sorted(second for second in common if second >= settle_s)
    clicks = [[each[second] for second in seconds] for each in heard]
    at = np.array([[click.at_s for click in row] for row in clicks])
    due = line_s - BUFFER_S + np.array(seconds)
    every = [click for row in clicks for click in row]
    return Sync(
        clicks=len(seconds),
        spread=Quantiles.of(at.max(0) - at.min(0)),
        line=Quantiles.of((at - due).ravel()),
        resolution=Quantiles.of(one - two for one, two in (c.halves_s for c in every)),
        blocks=Quantiles.of(click.block_at_s - click.at_s for click in every),
    )
