"""Music on the left, voices on the right: both can be separated after mixing."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.playback.recording import PlayedPacket, runs

from .harness import write_pcm

_PROBE = 128

type Gains = np.ndarray[tuple[int], np.dtype[np.float64]]
type Samples = np.ndarray[tuple[int], np.dtype[np.int64]]


def noise(frames: int, seed: int) -> Samples:
    """Return samples of which none is silent, nor when it is lowered by much."""
    source = np.random.default_rng(seed)
    samples: Samples = source.integers(2000, 20_000, frames) * source.choice(
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
    """Return the sound that played on the left and on the right, along the timeline.

    Both omit times without sound, as in a pause or in front of a FLUSH.
    """
    played = [packet.sound for run in runs(packets) for packet in run]
    frames = np.frombuffer(b"".join(played), "<i2").reshape(-1, 2).astype(np.int64)
    return frames[:, 0], frames[:, 1]


def is_said_whole(receiver: VirtualReceiver, said: Samples) -> bool:
    """Return whether each sample of a voice played once, in order and without a gap."""
    right = heard_sides(receiver.recording.packets)[1]
    places = np.flatnonzero(right)
    return (
        len(places) == len(said)
        and places[-1] - places[0] == len(said) - 1
        and bool((right[places] == said).all())
    )


def gains(receiver: VirtualReceiver, song: Samples) -> Gains:
    """Return by how much each sample of a song was lowered, in order.

    Fails if one was omitted, played twice, or is not that of the song.
    """
    left = heard_sides(receiver.recording.packets)[0]
    first = int(np.flatnonzero(left)[0])
    heard = left[first : first + len(song)]
    return _gains(heard, song[: len(heard)])


@dataclass(frozen=True, slots=True)
class Piece:
    """Music that played without a silence: its place, the part of the song, and the gains."""

    place: int
    start: int
    gains: Gains

    @property
    def stop(self) -> int:
        """The sample of the song behind its last one."""
        return self.start + len(self.gains)


def pieces(receiver: VirtualReceiver, song: Samples) -> list[Piece]:
    """Return the played parts of a song between silences.

    Fails if a part is not of the song, was played before, or if more is omitted than
    there was silence for.
    """
    left = heard_sides(receiver.recording.packets)[0]
    found = [_piece(left, begin, end, song) for begin, end in _parts(left)]
    for before, after in pairwise(found):
        # The sound before a FLUSH arrives, which needs a while here, plays
        # again; of a fade the samples next to silence may be silent.
        again = before.stop - after.start
        assert again < 22_050, f"{again} samples heard again"
        silence = after.place - before.place - len(before.gains)
        assert after.start - before.stop <= silence, "left out"
    return found


def gains_in_parts(receiver: VirtualReceiver, song: Samples) -> list[Gains]:
    """Return by how much a song was lowered that waited once: before, and behind it."""
    found = pieces(receiver, song)
    assert [found[0].start, found[-1].stop] == [0, len(song)]
    assert len(found) == 2
    assert found[1].start - found[0].stop < 20
    return [each.gains for each in found]


def _gains(heard: Samples, song: Samples) -> Gains:
    factors: Gains = heard / song
    assert (factors > -0.001).all()
    assert (factors < 1.001).all()
    return factors


def _piece(left: Samples, begin: int, end: int, song: Samples) -> Piece:
    middle = (begin + end) // 2
    probe = slice(max(begin, middle - _PROBE), min(end, middle + _PROBE))
    signs = np.sign(left[probe])
    alike = np.correlate(np.sign(song), signs, "valid")
    start = int(alike.argmax()) - (probe.start - begin)
    assert alike.max() == len(signs), "not of the song"
    return Piece(
        begin, start, _gains(left[begin:end], song[start : start + end - begin])
    )


def _parts(left: Samples) -> list[tuple[int, int]]:
    """Return the indices with sound, including short silences within a fade."""
    places = np.flatnonzero(left)
    breaks = np.flatnonzero(np.diff(places) > 2205)
    begins = [places[0], *places[breaks + 1]]
    ends = [*places[breaks] + 1, places[-1] + 1]
    return [(int(a), int(b)) for a, b in zip(begins, ends, strict=True)]
