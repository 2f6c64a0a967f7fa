"""The decoder with strange containers, built from packets of the tests."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from custom_components.airplay.raop.decoder.decoder import Decoder
from custom_components.airplay.raop.decoder.media_errors import (
    DeadlineError,
    UnplayableError,
)
from custom_components.airplay.raop.errors import MediaEmptyError, MediaNotAudioError

from ..audio.media import RATE, noise, samples_of

SONG = noise(4 * RATE)


class Packet:
    """A packet that decodes to frames, or to an error."""

    stream = SimpleNamespace(index=0)
    duration: int | None = None
    time_base = av.rational.AVRational(1, 1)

    def __init__(self, *frames: av.AudioFrame, error: Exception | None = None) -> None:
        self._frames = list(frames)
        self._error = error

    def has_sidedata(self, kind: str) -> bool:
        return False

    def decode(self) -> list[av.AudioFrame]:
        if self._error:
            raise self._error
        return self._frames


class Container:
    """Yields packets, or its own errors between them."""

    def __init__(self, *packets: Packet | Exception) -> None:
        self.streams = SimpleNamespace(video=[])
        self.sought: int | None = None
        self._packets = list(packets)

    def demux(self, *streams: object) -> Iterator[Packet]:
        while self._packets:
            packet = self._packets.pop(0)
            if isinstance(packet, Exception):
                raise packet
            yield packet

    def seek(self, offset: int, *, stream: object) -> None:
        self.sought = offset


def stream(rate: int | None = RATE, ticks: int = RATE) -> Any:
    """Return a stream that counts time in ticks a second."""
    return SimpleNamespace(
        index=0,
        start_time=None,
        time_base=av.rational.AVRational(1, ticks),
        codec_context=SimpleNamespace(sample_rate=rate, thread_count=0),
    )


def frame(first: int, count: int = 1000, pts: int | None = -1) -> av.AudioFrame:
    """Return a piece of the song; its time stamp is its beginning."""
    piece = np.ascontiguousarray(SONG[first : first + count].reshape(1, -1))
    made = av.AudioFrame.from_ndarray(piece, "s16", "stereo")
    made.sample_rate = RATE
    made.time_base = av.rational.AVRational(1, RATE)
    made.pts = first if pts == -1 else pts
    return made


def decoder(container: Container, start: int = 0, **of_stream: Any) -> Decoder:
    """Return a decoder of it."""
    fake: Any = container
    return Decoder(fake, stream(**of_stream), lambda: None, start)


def decoded(made: Decoder) -> Any:
    """Decode everything."""
    return samples_of(b"".join(made.blocks()))


def bad(count: int = 1) -> list[Packet]:
    """Return packets that cannot be decoded."""
    return [Packet(error=av.error.InvalidDataError(1, "")) for _ in range(count)]


def good(count: int) -> list[Packet]:
    """Return packets that can."""
    return [Packet(frame(number)) for number in range(count)]


def test_a_seek_that_lands_early_is_cut_to_the_frame() -> None:
    container = Container(Packet(frame(60000)), Packet(frame(61000, 5000)))
    made = decoder(container, 61234)

    made.seek()

    assert np.array_equal(decoded(made), SONG[61234:66000])
    assert container.sought == 61234 - RATE // 2


def test_a_seek_that_lands_late_continues_from_there() -> None:
    made = decoder(Container(Packet(frame(62000))), 61234)

    made.seek()

    assert np.array_equal(decoded(made), SONG[62000:63000])


def test_a_frame_without_a_time_counts_as_the_sought_one() -> None:
    made = decoder(Container(Packet(frame(61234, pts=None))), 61234)

    made.seek()

    assert np.array_equal(decoded(made), SONG[61234:62234])


def test_near_the_beginning_nothing_is_sought() -> None:
    container = Container(Packet(frame(0, 2000)))
    made = decoder(container, 500)

    made.seek()

    assert container.sought is None
    assert np.array_equal(decoded(made), SONG[500:2000])


def test_coarse_times_are_counted_up_to_ten_minutes() -> None:
    near, far = Container(), Container()

    decoder(near, 599 * RATE, ticks=1000).seek()
    decoder(far, 601 * RATE, ticks=1000, rate=None).seek()

    assert near.sought is None
    assert far.sought == 600_500


def test_bad_packets_between_good_ones_are_skipped() -> None:
    container = Container(
        *good(2),
        *bad(2),
        av.error.InvalidDataError(1, ""),
        *good(4),
        Packet(error=av.error.EOFError(1, "")),
    )

    assert len(decoded(decoder(container))) == 6000


@pytest.mark.parametrize(
    ("packets", "kind"),
    [
        ([], MediaEmptyError),
        (bad(3), MediaNotAudioError),
        ([*good(2), *bad(3)], MediaNotAudioError),
        ([*good(500), *bad(600), *good(500)], MediaNotAudioError),
        ([each for _ in range(60) for each in (*bad(2), *good(1))], MediaNotAudioError),
    ],
    ids=["nothing", "only bad", "mostly bad", "bad in a row", "bad again and again"],
)
def test_unusable_packets_fail(packets: list[Packet], kind: type[Exception]) -> None:
    with pytest.raises(UnplayableError) as caught:
        decoded(decoder(Container(*packets)))

    assert caught.value.kind is kind


def test_two_seconds_of_short_packets_that_are_bad_are_skipped() -> None:
    container = Container(*good(200), *bad(400), *good(200))

    assert len(decoded(decoder(container))) == 400_000


def test_bad_packets_count_as_long_as_they_are() -> None:
    packets = bad(9)
    for each in packets:
        each.duration = 2
    container = Container(*good(100), *packets, *good(100))

    with pytest.raises(UnplayableError, match="damaged"):
        decoded(decoder(container))


def test_the_check_ends_the_decoding() -> None:
    def check() -> None:
        raise DeadlineError

    fake: Any = Container(*good(1))
    with pytest.raises(DeadlineError):
        list(Decoder(fake, stream(), check).blocks())
