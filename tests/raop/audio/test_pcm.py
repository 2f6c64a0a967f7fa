"""The queue between the decoder's thread and the pacing thread."""

import threading

from custom_components.airplay.raop.audio.pcm import FRAME_BYTES, PcmQueue


def frames(first: int, count: int) -> bytes:
    return b"".join(
        number.to_bytes(4, "little") for number in range(first, first + count)
    )


def test_frames_come_out_in_order_and_in_any_portion() -> None:
    queue = PcmQueue(1000)
    queue.write(frames(0, 10))
    queue.write(frames(10, 5))

    portions = [queue.read(4), queue.read(8), queue.read(8), queue.read(8)]

    assert [len(portion) // FRAME_BYTES for portion in portions] == [4, 8, 3, 0]
    assert b"".join(portions) == frames(0, 15)
    assert queue.buffered_frames == 0
    assert queue.written_frames == 15


def test_reading_an_empty_queue_returns_nothing_at_once() -> None:
    queue = PcmQueue(1000)

    assert queue.read(352) == b""
    assert not queue.is_exhausted


def test_it_is_exhausted_when_it_is_finished_and_read() -> None:
    queue = PcmQueue(1000)
    queue.write(frames(0, 2))
    queue.finish()

    assert queue.is_finished
    assert not queue.is_exhausted
    queue.read(2)
    assert queue.is_exhausted


def test_an_empty_block_changes_nothing() -> None:
    queue = PcmQueue(1000)

    assert queue.write(b"")
    assert queue.read(1) == b""


def test_a_writer_waits_while_it_is_full_and_continues_after_a_read() -> None:
    queue = PcmQueue(20000)
    queue.write(frames(0, 20000))
    written = threading.Event()

    def write() -> None:
        queue.write(frames(20000, 10))
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    queue.read(100)
    assert not written.wait(0.05), "it was woken for a few frames"
    queue.read(19900)
    assert written.wait(10)
    writer.join()

    assert queue.read(100) == frames(20000, 10)


def test_closing_frees_a_writer_and_drops_everything() -> None:
    queue = PcmQueue(10)
    queue.write(frames(0, 10))
    results: list[bool] = []
    writer = threading.Thread(target=lambda: results.append(queue.write(frames(10, 1))))
    writer.start()

    queue.close()
    writer.join(10)

    assert results == [False]
    assert queue.read(10) == b""
    assert queue.is_exhausted
