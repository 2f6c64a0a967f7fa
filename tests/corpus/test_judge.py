"""The judge finds what is missing, repeated, on the wrong side, or too early."""

import numpy as np
import pytest

from .judge import Loose, Pcm, difference, without_padding
from .sound import sound

RATE = 44100
FRAMES = 2 * RATE
LIKE = Loose("a test", 2400, 0.97)


def song(seed: int = 1) -> Pcm:
    return np.round(sound(FRAMES, 2, RATE, seed) * 32767).astype("<i2")


def without_a_frame(samples: Pcm) -> Pcm:
    return np.delete(samples, RATE, axis=0)


def with_a_frame_twice(samples: Pcm) -> Pcm:
    return np.insert(samples, RATE, samples[RATE], axis=0)


def with_one_replaced_by_another(samples: Pcm) -> Pcm:
    return with_a_frame_twice(without_a_frame(samples)[: FRAMES - 1])


def with_sides_changed(samples: Pcm) -> Pcm:
    return samples[:, ::-1]


def on_one_side(samples: Pcm) -> Pcm:
    return np.repeat(samples[:, :1], 2, axis=1)


def a_little_louder(samples: Pcm) -> Pcm:
    return np.round(samples * 1.001).astype("<i2")


def two_units_off(samples: Pcm) -> Pcm:
    changed = samples.copy()
    changed[RATE, 1] += 2
    return changed


@pytest.mark.parametrize(
    "fault",
    [
        without_a_frame,
        with_a_frame_twice,
        with_one_replaced_by_another,
        with_sides_changed,
        on_one_side,
        a_little_louder,
        two_units_off,
    ],
)
def test_it_finds(fault: object) -> None:
    assert callable(fault)

    assert difference(fault(song()), [song()], None)


def test_it_allows_one_unit_of_the_last_bit() -> None:
    changed = song()
    changed[::7, 0] += 1

    assert not difference(changed, [song()], None)


def test_loosely_it_allows_a_shift_and_a_little_noise() -> None:
    noise = np.random.default_rng(1).integers(-200, 200, (FRAMES, 2))
    shifted = np.concatenate([np.zeros((1100, 2), "<i2"), song() + noise])

    assert not difference(shifted.astype("<i2"), [song()], LIKE)


@pytest.mark.parametrize(
    "heard",
    [
        song()[: FRAMES // 2],
        np.concatenate([song()[:RATE], song()[:RATE]]),
        np.concatenate([song()[RATE:], song()[:RATE]]),
        song(seed=2),
        with_sides_changed(song()),
    ],
    ids=["half", "begins-again", "halves-changed", "another", "sides-changed"],
)
def test_loosely_it_finds(heard: Pcm) -> None:
    assert difference(heard, [song()], LIKE)


def test_padding_may_be_gone_but_no_sound() -> None:
    padded = np.concatenate([song(), np.zeros((900, 2), "<i2")])

    assert not difference(*without_padding(song()[:-40], [padded], FRAMES), None)
    assert difference(*without_padding(song()[:-400], [padded], FRAMES), None)
    assert difference(*without_padding(padded, [padded[:-900]], FRAMES), None)
