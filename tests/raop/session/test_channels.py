"""One side of the music, or both as one."""

import numpy as np
import pytest

from custom_components.airplay.raop.commands import Channel
from custom_components.airplay.raop.session.channels import pick

FRAMES = np.array(
    [[1, 5], [-3, 4], [32767, 32767], [-32768, -32768], [-32768, 32767]], "<i2"
)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (Channel.LEFT, [1, -3, 32767, -32768, -32768]),
        (Channel.RIGHT, [5, 4, 32767, -32768, 32767]),
        (Channel.MONO, [3, 0, 32767, -32768, -1]),
    ],
)
def test_both_sides_sound_the_same(channel: Channel, expected: list[int]) -> None:
    picked = np.frombuffer(pick(FRAMES.tobytes(), channel), "<i2").reshape(-1, 2)

    assert picked[:, 0].tolist() == picked[:, 1].tolist() == expected


def test_stereo_is_left_as_it_is() -> None:
    assert pick(FRAMES.tobytes(), Channel.STEREO) == FRAMES.tobytes()


@pytest.mark.parametrize("channel", Channel)
def test_empty_input_gives_empty_output(channel: Channel) -> None:
    assert pick(b"", channel) == b""
