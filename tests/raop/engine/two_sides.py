"""Music on the left, voices on the right: what was mixed can be told apart again."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.recording import PlayedPacket, runs

from .stage import write_pcm

type Gains = np.ndarray[tuple[int], np.dtype[np.float64]]
type Samples = np.ndarray[tuple[int], np.dtype[np.int64]]


def noise(frames: int, seed: int) -> Samples:
    """Return samples of which none is silent."""
    source = np.random.default_rng(seed)
    samples: Samples = source.integers(1, 20_000, frames) * source.choice(
        (-1, 1), frames
    )
    return samples


def music(path: Path, seconds: float, *, seed: int = 1) -> Samples:
    """Write a file whose right side is silent, and return its left side."""
    samples = noise(round(seconds * 44_100), seed)
    return _write(path, samples, 0)


def voice(path: Path, seconds: float, *, seed: int = 77) -> Samples:
    """Write a file whose left side is silent, and return its right side."""
    samples = noise(round(seconds * 44_100), seed)
    return _write(path, samples, 1)


def _write(path: Path, samples: Samples, side: int) -> Samples:
    frames = np.zeros((len(samples), 2), "<i2")
    frames[:, side] = samples
    write_pcm(path, frames.tobytes())
    return samples


def heard_sides(packets: Iterable[PlayedPacket]) -> tuple[Samples, Samples]:
    """Return what was heard on the left and on the right, along the timeline.

    Where nothing was heard, as in a pause or in front of a FLUSH, there is nothing.
    """
    played = [packet.sound for run in runs(packets) for packet in run]
    frames = np.frombuffer(b"".join(played), "<i2").reshape(-1, 2).astype(np.int64)
    return frames[:, 0], frames[:, 1]


def is_said_whole(receiver: VirtualReceiver, said: Samples) -> bool:
    """Whether each sample of a voice was heard once, in order and without a gap."""
    right = heard_sides(receiver.recording.packets)[1]
    places = np.flatnonzero(right)
    return (
        len(places) == len(said)
        and places[-1] - places[0] == len(said) - 1
        and bool((right[places] == said).all())
    )


def gains(receiver: VirtualReceiver, song: Samples) -> Gains:
    """Return by how much each sample of a song was lowered, in order.

    Fails where one was left out, heard twice, or is not that of the song.
    """
    left = heard_sides(receiver.recording.packets)[0]
    first = int(np.flatnonzero(left)[0])
    heard = left[first : first + len(song)]
    return _gains(heard, song[: len(heard)])


def gains_in_parts(receiver: VirtualReceiver, song: Samples) -> list[Gains]:
    """Return the same of a song that waited once: up to there, and from there on."""
    before, after = _parts(heard_sides(receiver.recording.packets)[0])
    # Of a fade the samples next to silence may be silent themselves; the packet in
    # which a pause comes, and those that overtake its FLUSH, are heard again.
    assert len(song) - 20 <= len(before) + len(after) <= len(song) + 2205
    tail = song[len(song) - len(after) :]
    return [_gains(before, song[: len(before)]), _gains(after, tail)]


def _gains(heard: Samples, song: Samples) -> Gains:
    factors: Gains = heard / song
    assert (factors > -0.001).all()
    assert (factors < 1.001).all()
    return factors


def _parts(left: Samples) -> list[Samples]:
    """Split where it is silent for longer than noise that fades can be."""
    places = np.flatnonzero(left)
    breaks = np.flatnonzero(np.diff(places) > 2205)
    begins = [places[0], *places[breaks + 1]]
    ends = [*places[breaks], places[-1]]
    return [left[a : b + 1] for a, b in zip(begins, ends, strict=True)]
