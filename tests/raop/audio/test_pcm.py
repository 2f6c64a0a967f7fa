"""The queue of decoded frames."""

from math import inf

import pytest

from custom_components.airplay.raop.audio.pcm import FRAME_BYTES, RATE, PcmQueue, enough


def frames(first: int, count: int) -> bytes:
    return b"".join(
        number.to_bytes(4, "little") for number in range(first, first + count)
    )


def test_frames_come_out_in_order_and_in_any_portion() -> None:
    queue = PcmQueue()
    queue.write(frames(0, 10))
    queue.write(b"")
    queue.write(frames(10, 5))

    portions = [queue.read(4), queue.read(8), queue.read(8), queue.read(8)]

    assert [len(portion) // FRAME_BYTES for portion in portions] == [4, 8, 3, 0]
    assert b"".join(portions) == frames(0, 15)
    assert queue.buffered_frames == 0
    assert queue.written_frames == 15


def test_clearing_drops_what_was_not_read() -> None:
    queue = PcmQueue()
    queue.write(frames(0, 10))

    queue.clear()

    assert queue.read(10) == b""
    assert (queue.buffered_frames, queue.written_frames) == (0, 10)


@pytest.mark.parametrize(
    ("most", "elapsed_s", "least"),
    [
        (RATE, 0.0, RATE // 4),
        (RATE, 0.012, RATE // 4),
        (RATE, 0.02, round(0.4 * RATE)),
        (RATE, 0.1, RATE),
        (RATE, inf, RATE),
        (RATE // 2, inf, RATE // 2),
        (1000, 0.0, 1000),
    ],
)
def test_less_is_enough_of_what_comes_fast(
    most: int, elapsed_s: float, least: int
) -> None:
    assert enough(most, elapsed_s) == least
