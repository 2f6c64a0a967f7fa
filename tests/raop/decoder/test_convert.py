"""Frames of every kind to 44100/16/2: exact if possible, else very near."""

from pathlib import Path
import time

import av
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.airplay.raop.decoder.convert import (
    Converter,
    check_sound,
    entry_point,
)
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.errors import MediaNotAudioError

from ..audio.conftest import Keep, Play
from ..audio.media import (
    FRONT_CENTER,
    LOW_FREQUENCY,
    RATE,
    noise,
    samples_of,
    sine,
    wav,
    wav_of,
)


def frames_of(
    samples: NDArray[np.generic], sample_format: str, layout: str, rate: int
) -> list[av.AudioFrame]:
    """Cut samples, one row a frame, into libav's frames."""
    frames = []
    is_planar = sample_format.endswith("p")
    for at in range(0, len(samples), 1024):
        piece = samples[at : at + 1024]
        rows = piece.T if is_planar else piece.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(rows),
            sample_format,
            layout,
        )
        frame.sample_rate = rate
        frames.append(frame)
    return frames


def convert(
    samples: NDArray[np.generic], sample_format: str, layout: str, rate: int
) -> NDArray[np.int16]:
    """Convert all of it."""
    converter = Converter()
    frames = frames_of(samples, sample_format, layout, rate)
    pcm = b"".join(converter.convert(frame) for frame in frames)
    return samples_of(pcm + converter.flush())


@pytest.mark.parametrize("sample_format", ["s16", "s16p"])
def test_16_bit_stereo_at_44100_is_bit_exact(sample_format: str) -> None:
    samples = noise(5000)

    assert np.array_equal(convert(samples, sample_format, "stereo", RATE), samples)


@pytest.mark.parametrize("sample_format", ["s16", "s16p"])
def test_mono_is_doubled_without_getting_quieter(sample_format: str) -> None:
    samples = noise(5000, channels=1)

    converted = convert(samples, sample_format, "mono", RATE)

    assert np.array_equal(converted, np.repeat(samples, 2, axis=1))


def test_resampler_starts_no_threads() -> None:
    before = sorted(Path("/proc/self/task").iterdir())
    converter = Converter()

    converter.convert(frames_of(noise(1024), "s16", "stereo", 48000)[0])

    assert sorted(Path("/proc/self/task").iterdir()) == before


@pytest.mark.parametrize("sample_format", ["s32", "s32p"])
def test_24_bits_are_rounded_and_never_wrap(sample_format: str) -> None:
    exact = noise(3000).astype(np.int64) * 65536
    offsets = np.random.default_rng(2).integers(-32767, 32767, exact.shape)
    wide = exact + offsets
    wide[0] = 2**31 - 1
    wide[1] = -(2**31)

    converted = convert(wide.astype(np.int32), sample_format, "stereo", RATE)

    assert np.array_equal(converted[2:], noise(3000)[2:])
    assert converted[:2].tolist() == [[32767, 32767], [-32768, -32768]]


@pytest.mark.parametrize("sample_format", ["flt", "fltp", "dbl", "u8"])
def test_other_formats_at_44100_are_within_half_a_step(sample_format: str) -> None:
    steps = np.random.default_rng(3).integers(-100, 100, (3000, 2))
    dtype = {"dbl": np.float64, "u8": np.uint8}.get(sample_format, np.float32)
    source = steps + 128 if sample_format == "u8" else steps / 128

    converted = convert(source.astype(dtype), sample_format, "stereo", RATE)

    assert np.abs(converted - steps * 256).max() <= 1


@pytest.mark.parametrize(
    "rate", [8000, 11025, 22050, 32000, 48000, 88200, 96000, 192000]
)
def test_every_rate_gives_as_much_time_as_it_had(rate: int) -> None:
    samples = noise(rate // 2)

    converted = convert(samples, "s16", "stereo", rate)

    assert abs(len(converted) - RATE // 2) <= 2


@pytest.mark.parametrize(
    ("rate", "hertz", "limit_db"),
    [(48000, 997, -90), (96000, 997, -90), (48000, 19000, -88), (192000, 15000, -88)],
)
def test_resampling_adds_no_more_than_16_bit_noise(
    rate: int, hertz: int, limit_db: float
) -> None:
    tone = sine(rate * 2, hertz, rate)
    stereo = np.stack([tone, tone], 1).astype(np.float32)

    left = convert(stereo, "flt", "stereo", rate)[RATE // 4 : -RATE // 4, 0] / 32768

    times = np.arange(len(left)) / RATE
    base = np.stack([f(2 * np.pi * hertz * times) for f in (np.sin, np.cos)], 1)
    weights, *_ = np.linalg.lstsq(base, left, rcond=None)
    rest = left - base @ weights
    assert 10 * np.log10((rest**2).mean() / ((base @ weights) ** 2).mean()) < limit_db
    assert abs(20 * np.log10(np.hypot(*weights) / 0.5)) < 0.01


def test_mono_is_resampled_at_its_own_level() -> None:
    mono = (sine(48000, 440, 48000) * 32767).astype(np.int16).reshape(-1, 1)

    converted = convert(mono, "s16", "mono", 48000)

    assert np.array_equal(converted[:, 0], converted[:, 1])
    assert abs(int(np.abs(converted).max()) - 16383) < 20


def test_surround_is_mixed_to_two_channels_that_do_not_clip() -> None:
    surround = np.full((5000, 6), 0.9, np.float32)

    converted = convert(surround, "flt", "5.1", RATE)

    assert converted.shape == (5000, 2)
    assert 20000 < int(converted.max()) < 32767


def test_channels_of_unknown_order_count_as_left_and_right() -> None:
    samples = noise(2000)
    as_float = samples.astype(np.float32) / 32768

    assert np.array_equal(convert(samples, "s16", "2 channels", RATE), samples)
    assert np.array_equal(convert(as_float, "flt", "2 channels", RATE), samples)


def test_a_change_within_the_stream_loses_nothing() -> None:
    converter = Converter()
    first = frames_of(noise(4800, seed=1), "s16", "stereo", 48000)
    second = frames_of(noise(4410, seed=2), "s16", "stereo", RATE)
    third = frames_of(noise(2205, channels=1, seed=3), "s16", "mono", 22050)

    pcm = b"".join(converter.convert(each) for each in (*first, *second, *third))
    converted = samples_of(pcm + converter.flush())

    assert len(converted) == 4410 * 3
    assert np.array_equal(converted[4410:8820], noise(4410, seed=2))


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000, 44056])
def test_entering_in_the_middle_gives_the_same_frames(rate: int) -> None:
    samples = noise(rate * 3)
    whole = convert(samples, "s16", "stereo", rate)

    entry, dropped = entry_point(RATE * 2 + 1234, rate)

    part = convert(samples[entry:], "s16", "stereo", rate)[dropped:]
    assert 0 < entry < rate * 2 + 2000
    assert np.array_equal(part, whole[RATE * 2 + 1234 :])


def test_entering_at_44100_needs_no_warming_up() -> None:
    assert entry_point(88200, RATE) == (88200, 0)
    assert entry_point(0, 48000) == (0, 0)


@pytest.mark.parametrize("rate", [60_000_011, 20_000_003, 768_001, 999, 1])
def test_rates_that_no_sound_has_are_refused_before_a_filter_is_built(
    keep: Keep, play: Play, rate: int
) -> None:
    begun = time.process_time()

    error = play(keep("a.wav", wav(noise(1000), rate))).failure().error

    assert type(error) is MediaNotAudioError
    assert f"its sample rate of {rate} Hz is not supported" in str(error)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("rate", [1_000, 7_999, 384_000, 767_999, 768_000])
def test_rates_from_1_to_768_khz_play(keep: Keep, play: Play, rate: int) -> None:
    begun = time.process_time()

    pcm = play(keep("a.wav", wav(noise(rate), rate))).all()

    assert abs(len(pcm) // 4 - RATE) < 50
    assert time.process_time() - begun < 4


def test_more_channels_than_sound_has_are_refused(keep: Keep, play: Play) -> None:
    error = play(keep("a.wav", wav(noise(1000, channels=33)))).failure().error

    assert type(error) is MediaNotAudioError
    assert "its 33 channels are not supported" in str(error)


def test_a_rate_that_changes_to_an_impossible_one_is_refused() -> None:
    first, second = frames_of(noise(2048), "s16", "stereo", RATE)
    converter = Converter()
    converter.convert(first)
    second.sample_rate = 60_000_011

    with pytest.raises(UnplayableError, match="60000011 Hz"):
        converter.convert(second)


def test_blocks_of_a_million_frames_are_refused() -> None:
    with pytest.raises(UnplayableError, match="blocks are too long"):
        check_sound(RATE, 2, (1 << 20) + 1)


CENTER = 2**-0.5
# How much of each channel libav mixes into left and right (libswresample's defaults).
LAYOUTS = {
    # One channel is mono, wherever its place is.
    "FL": ((1, 1),),
    "FC": ((1, 1),),
    "LFE": ((1, 1),),
    "FC+LFE": ((CENTER, CENTER), (0, 0)),
    "2.1": ((1, 0), (0, 1), (0, 0)),
    "quad": ((1, 0), (0, 1), (CENTER, 0), (0, CENTER)),
    "5.1": ((1, 0), (0, 1), (CENTER, CENTER), (0, 0), (CENTER, 0), (0, CENTER)),
}


@pytest.mark.parametrize("sample_format", ["s16", "s16p", "s32", "flt"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_mixed_as_libav_mixes_it(
    layout: str, sample_format: str
) -> None:
    weights = np.array(LAYOUTS[layout])
    samples = noise(3000, channels=len(weights)).astype(np.int64)
    scale = {"s32": 65536, "flt": 1 / 32768}.get(sample_format, 1)
    dtype = {"s32": np.int32, "flt": np.float32}.get(sample_format, np.int16)
    # Where the sum could clip, all of it gets quieter.
    loudest = max(1.0, weights.sum(axis=0).max())

    mixed = convert((samples * scale).astype(dtype), sample_format, layout, RATE)

    assert np.abs(mixed - samples @ weights / loudest).max() <= 1


@pytest.mark.parametrize("layout", ["FL", "FC+LFE", "5.1", "7.1", "5 channels"])
@pytest.mark.parametrize("rate", [48000, 22050])
def test_every_layout_is_resampled(layout: str, rate: int) -> None:
    channels = av.AudioLayout(layout).nb_channels
    samples = noise(rate // 2, channels=channels)

    assert abs(len(convert(samples, "s16", layout, rate)) - RATE // 2) <= 2


def test_channels_without_places_are_refused_by_name() -> None:
    with pytest.raises(UnplayableError, match="its 9 channels have no known places"):
        convert(noise(2000, channels=9), "s16", "9 channels", RATE)


@pytest.mark.parametrize("rate", [RATE, 48000])
def test_other_layouts_play_from_a_position(keep: Keep, play: Play, rate: int) -> None:
    file = wav_of(noise(3 * rate, channels=2), FRONT_CENTER | LOW_FREQUENCY, rate)
    path = keep("a.wav", file)

    whole = samples_of(play(path).all())

    part = samples_of(play(path, position_ms=1234).all())
    assert np.array_equal(part, whole[1234 * RATE // 1000 :])
