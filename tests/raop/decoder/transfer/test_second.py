"""What a second connection gives, compared with the first."""

import pytest

from custom_components.airplay.raop.decoder.transfer import second
from custom_components.airplay.raop.decoder.transfer.second import (
    Beginning,
    without_first,
)

from ...audio.media import RATE, noise

FIRST = noise(8 * RATE).tobytes()
BLOCK = 4000


def blocks(pcm: bytes) -> list[bytes]:
    """Return sound in blocks."""
    return [pcm[at : at + BLOCK] for at in range(0, len(pcm), BLOCK)]


def beginning(pcm: bytes) -> Beginning:
    """Return what is kept of sound."""
    kept = Beginning()
    for block in blocks(pcm):
        kept.add(block)
    return kept


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (FIRST, True),
        # It is shorter, or goes on otherwise after the first seconds.
        (FIRST[: 2 * RATE], True),
        (FIRST[: 24 * RATE] + bytes(RATE), True),
        (FIRST[: 8 * RATE] + bytes(RATE), False),
        (noise(RATE, seed=2).tobytes(), False),
        (b"", False),
    ],
)
def test_the_same_beginning_is_known_again(other: bytes, is_same: bool) -> None:
    same, sound = beginning(FIRST).is_of(iter(blocks(other)))

    assert same is is_same
    assert b"".join(sound) == other


def test_of_other_sound_no_more_is_read_than_the_first_block() -> None:
    read = iter(blocks(noise(8 * RATE, seed=2).tobytes()))

    beginning(FIRST).is_of(read)

    assert len(b"".join(read)) == len(FIRST) - BLOCK


@pytest.mark.parametrize("frames", [0, 1, 999, 1000, 1001, 8 * RATE])
def test_what_was_heard_is_dropped(frames: int) -> None:
    left = b"".join(without_first(iter(blocks(FIRST)), frames, None))

    assert left == FIRST[frames * 4 :]


def test_what_comes_late_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(f"{second.__name__}.time.monotonic", lambda: float(next(now)))

    left = b"".join(without_first(iter(blocks(FIRST)), 8 * RATE, 2.5))

    assert left == FIRST[2 * BLOCK :]
