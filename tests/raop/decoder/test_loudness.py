"""Loudness tags: what they amount to, and the PCM that follows."""

from collections.abc import Mapping

import numpy as np
import pytest

from custom_components.airplay.raop.decoder.loudness import scaled
from custom_components.airplay.raop.decoder.tags import factor_from
from custom_components.airplay.raop.media import Loudness

from ..audio.conftest import Keep, Play
from ..audio.media import RATE, Samples, encode, noise, samples_of

BOTH = {
    "REPLAYGAIN_TRACK_GAIN": "-6.00 dB",
    "REPLAYGAIN_TRACK_PEAK": "0.5",
    "REPLAYGAIN_ALBUM_GAIN": "-12 dB",
    "REPLAYGAIN_ALBUM_PEAK": "0.9",
}


@pytest.mark.parametrize(
    ("loudness", "tags", "gain_db"),
    [
        (Loudness.OFF, BOTH, 0),
        (Loudness.TRACK, BOTH, -6),
        (Loudness.ALBUM, BOTH, -12),
        (Loudness.ALBUM, {"replaygain_track_gain": "-6"}, -6),
        (Loudness.TRACK, {"replaygain_album_gain": "-6.0 db"}, -6),
        (Loudness.TRACK, {"R128_TRACK_GAIN": "-2560"}, -5),
        (Loudness.ALBUM, {"R128_ALBUM_GAIN": "-1280", "R128_TRACK_GAIN": "-9"}, 0),
        # Nothing gets louder than its peak allows, or at all without a known peak.
        (Loudness.TRACK, {"replaygain_track_gain": "+6 dB"}, 0),
        (Loudness.TRACK, {"R128_TRACK_GAIN": "2560"}, 0),
        (
            Loudness.TRACK,
            {"replaygain_track_gain": "+12", "replaygain_track_peak": "0.5"},
            20 * np.log10(2),
        ),
        (
            Loudness.TRACK,
            {"replaygain_track_gain": "+3", "replaygain_track_peak": "0.1"},
            3,
        ),
        (
            Loudness.TRACK,
            {"replaygain_track_gain": "-1", "replaygain_track_peak": "2.0"},
            -20 * np.log10(2),
        ),
        (
            Loudness.TRACK,
            {"replaygain_track_gain": "+1", "replaygain_track_peak": "0.0"},
            0,
        ),
        (Loudness.TRACK, {"replaygain_track_gain": "loud"}, 0),
        (Loudness.TRACK, {"replaygain_track_gain": "1e9"}, 0),
        (Loudness.TRACK, {"replaygain_track_gain": "-123"}, 0),
        (Loudness.TRACK, {"replaygain_track_gain": "9" * 5000}, 0),
        (Loudness.TRACK, {}, 0),
    ],
)
def test_tags_amount_to_a_factor(
    loudness: Loudness, tags: Mapping[str, str], gain_db: float
) -> None:
    assert 20 * np.log10(factor_from(loudness, tags, {})) == pytest.approx(gain_db)


def test_tags_of_the_stream_win() -> None:
    stream, container = ({"replaygain_track_gain": gain} for gain in ("-3 dB", "-9 dB"))

    factor = factor_from(Loudness.TRACK, stream, container)

    assert 20 * np.log10(factor) == pytest.approx(-3)


def test_sound_is_limited_if_a_tag_is_wrong() -> None:
    loud = np.array([32767, -32768, 100, -101], "<i2").tobytes()

    [pcm] = scaled(iter([loud]), 1.5)

    assert np.frombuffer(pcm, "<i2").tolist() == [32767, -32768, 150, -152]


def expected(samples: Samples, gain_db: float) -> Samples:
    leveled: Samples = np.rint(samples * np.float32(10 ** (gain_db / 20))).astype(
        np.int16
    )
    return leveled


@pytest.mark.parametrize("name", ["song.flac", "song.mka"])
def test_files_play_at_the_loudness_of_their_tags(
    play: Play, keep: Keep, name: str
) -> None:
    song = noise(3 * RATE)
    container = "flac" if name.endswith("flac") else "matroska"
    path = keep(name, encode(container, "flac", song, metadata=BOTH))

    for loudness, gain_db in ((Loudness.TRACK, -6), (Loudness.ALBUM, -12)):
        heard = samples_of(play(path, loudness=loudness).all())
        assert np.array_equal(heard, expected(song, gain_db))
        later = samples_of(play(path, loudness=loudness, position_ms=1000).all())
        assert np.array_equal(later, expected(song[RATE:], gain_db))
    assert np.array_equal(samples_of(play(path).all()), song)


def test_opus_plays_at_the_loudness_of_its_tags(play: Play, keep: Keep) -> None:
    tags = {"R128_TRACK_GAIN": str(-11 * 256)}
    path = keep(
        "song.opus",
        encode("opus", "libopus", noise(2 * RATE), rate=48000, metadata=tags),
    )

    plain = samples_of(play(path).all()).astype(float)
    leveled = samples_of(play(path, loudness=Loudness.TRACK).all()).astype(float)

    ratio = np.sqrt((leveled**2).mean() / (plain**2).mean())
    assert 20 * np.log10(ratio) == pytest.approx(-6, abs=0.01)
