"""Files as sources: exact to the frame, gapless, with their tags; failures with reasons."""

from contextlib import closing
import os
from pathlib import Path

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import (
    Buffered,
    Cover,
    Ended,
    Failed,
    Opened,
    Retitled,
)
from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaNotAudioError,
    MediaNotFoundError,
)
from custom_components.airplay.raop.messages import Tags

from .conftest import Keep, Play
from .media import RATE, encode, jpeg, movie, noise, samples_of, segments, wav
from .recorder import DecoderThread, Played

FRAMES = 3 * RATE + 777
SONG = noise(FRAMES)
TAGS = {
    "title": "SOS",
    "artist": "Abba",
    "album": "Greatest Hits",
    "album_artist": "ABBA",
    "track": "3/12",
}
READ_TAGS = Tags(
    title="SOS", artist="Abba", album="Greatest Hits", album_artist="ABBA", track=3
)


def test_a_wav_is_bit_exact(keep: Keep, play: Play) -> None:
    played = play(keep("song.wav", wav(SONG)))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert played.heard.events[0] == Opened(
        duration_ms=3018, is_live=False, can_seek=True, tags=Tags()
    )


@pytest.mark.parametrize(
    ("container", "codec"),
    [("flac", "flac"), ("ipod", "alac"), ("aiff", "pcm_s16be"), ("matroska", "flac")],
)
def test_lossless_files_come_out_bit_by_bit(
    keep: Keep, play: Play, container: str, codec: str
) -> None:
    sample_format = "s16p" if codec == "alac" else "s16"
    file = encode(container, codec, SONG, sample_format=sample_format)

    assert np.array_equal(samples_of(play(keep("song", file)).all()), SONG)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp3", "libmp3lame"), ("ipod", "aac"), ("mp4", "aac")],
)
def test_padding_of_encoders_is_trimmed_to_the_frame(
    keep: Keep, play: Play, container: str, codec: str
) -> None:
    played = play(keep("song", encode(container, codec, SONG)))

    assert len(samples_of(played.all())) == FRAMES


@pytest.mark.parametrize(
    ("container", "codec", "sample_format"),
    [
        ("opus", "libopus", "flt"),
        ("webm", "libopus", "flt"),
        ("ogg", "flac", "s16"),
        ("wav", "pcm_s24le", "s32"),
        ("mp3", "libmp3lame", None),
    ],
)
def test_48_khz_files_keep_their_length(
    keep: Keep, play: Play, container: str, codec: str, sample_format: str | None
) -> None:
    samples = noise(48000 * 2)
    file = encode(container, codec, samples, rate=48000, sample_format=sample_format)

    assert abs(len(samples_of(play(keep("song", file)).all())) - 2 * RATE) <= 1


@pytest.mark.parametrize(
    ("container", "codec"), [("adts", "aac"), ("asf", "wmav2"), ("mpegts", "aac")]
)
def test_other_formats_play(keep: Keep, play: Play, container: str, codec: str) -> None:
    played = play(keep("song", encode(container, codec, SONG)))

    assert abs(len(samples_of(played.all())) - FRAMES) < 3000
    assert not played.heard.of(Failed)


def test_the_sound_of_a_video_plays(keep: Keep, play: Play) -> None:
    played = play(keep("clip.mkv", movie(audio=SONG)))

    assert np.array_equal(samples_of(played.all()), SONG)


@pytest.mark.parametrize("position_ms", [40, 1000, 2345])
@pytest.mark.parametrize(
    ("container", "codec", "rate", "allowed"),
    [
        ("wav", "pcm_s16le", 44100, 0),
        ("flac", "flac", 44100, 0),
        ("flac", "flac", 48000, 0),
        ("matroska", "flac", 44100, 0),
        ("mp3", "libmp3lame", 44100, 0),
        ("mp3", "libmp3lame", 48000, 0),
        ("ipod", "aac", 44100, 0),
        ("opus", "libopus", 48000, 1500),
    ],
)
def test_playing_from_a_position_gives_the_frames_of_the_whole(
    keep: Keep,
    play: Play,
    container: str,
    codec: str,
    rate: int,
    allowed: int,
    position_ms: int,
) -> None:
    sample_format = "flt" if codec == "libopus" else None
    # Otherwise AAC replaces noise with random noise.
    options = {"aac_pns": "0"} if codec == "aac" else None
    file = encode(
        container,
        codec,
        noise(rate * 3),
        rate=rate,
        sample_format=sample_format,
        codec_options=options,
    )
    path = keep("song", file)
    whole = samples_of(play(path).all())

    part = samples_of(play(path, position_ms=position_ms).all())

    expected = whole[position_ms * RATE // 1000 :].astype(int)
    assert len(part) == len(expected)
    # Opus converges to the samples of the whole.
    assert np.abs(part - expected).max() <= allowed


def test_a_position_behind_the_end_is_the_end(keep: Keep, play: Play) -> None:
    played = play(keep("song.wav", wav(SONG)), position_ms=60000)

    assert played.all() == b""
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_buffered_comes_with_the_first_sound(keep: Keep, play: Play) -> None:
    played = play(keep("song.wav", wav(SONG)), ahead_frames=2 * RATE)

    played.heard.wait_for(Buffered)

    assert played.source.buffered_frames >= RATE // 4
    assert not played.heard.of(Ended)


def test_it_decodes_no_further_ahead_than_its_limit(keep: Keep, play: Play) -> None:
    path = keep("long.wav", wav(noise(20 * RATE)))
    played = play(path, ahead_frames=RATE // 2)
    played.heard.wait_for(Buffered)

    assert played.source.buffered_frames <= RATE // 2 + 8192
    assert len(played.all()) == 20 * RATE * 4


def test_a_file_url_is_a_path(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "my song #1 ü.wav"
    path.write_bytes(wav(SONG))

    assert len(play(path.as_uri()).all()) == FRAMES * 4


@pytest.mark.started
def test_a_path_is_never_a_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("concat:a.wav").write_bytes(wav(SONG))
    here = DecoderThread()

    with closing(here), closing(Played(here, "concat:a.wav")) as played:
        assert len(played.all()) == FRAMES * 4


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp3", "libmp3lame"), ("flac", "flac"), ("ipod", "aac"), ("ogg", "flac")],
)
def test_tags_are_read(keep: Keep, play: Play, container: str, codec: str) -> None:
    played = play(keep("song", encode(container, codec, SONG, metadata=TAGS)))

    assert played.heard.wait_for(Opened).tags == READ_TAGS


@pytest.mark.parametrize(
    ("container", "codec"), [("mp3", "libmp3lame"), ("mp4", "aac"), ("flac", "flac")]
)
@pytest.mark.parametrize("position_ms", [0, 2000])
def test_an_embedded_cover_is_found(
    keep: Keep, play: Play, container: str, codec: str, position_ms: int
) -> None:
    file = encode(container, codec, SONG, cover=jpeg())

    played = play(keep("song", file), position_ms=position_ms)

    assert played.heard.wait_for(Opened).cover == Cover(jpeg(), "image/jpeg")
    assert len(samples_of(played.all())) == FRAMES - position_ms * RATE // 1000


def test_chained_ogg_plays_on_and_reports_the_next_title(
    keep: Keep, play: Play
) -> None:
    first = encode("ogg", "flac", SONG, metadata={"title": "One"})
    second = encode("ogg", "flac", noise(RATE, seed=2), metadata={"title": "Two"})

    played = play(keep("chain.ogg", first + second))
    pcm = samples_of(played.all())

    assert played.heard.wait_for(Opened).tags.title == "One"
    assert [event.tags.title for event in played.heard.of(Retitled)] == ["Two"]
    assert np.array_equal(pcm[:FRAMES], SONG)
    assert np.array_equal(pcm[-RATE:], noise(RATE, seed=2))


def test_corrupt_packets_in_the_middle_are_skipped(keep: Keep, play: Play) -> None:
    file = bytearray(encode("mp3", "libmp3lame", noise(10 * RATE)))
    middle = len(file) // 2
    file[middle : middle + 4000] = np.random.default_rng(5).bytes(4000)

    played = play(keep("song.mp3", bytes(file)))
    frames = len(samples_of(played.all()))

    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert 9 * RATE < frames <= 10 * RATE


def test_a_file_that_turns_into_junk_fails_after_its_good_part(
    keep: Keep, play: Play
) -> None:
    file = bytearray(encode("matroska", "flac", noise(40 * RATE)))
    for at in range(len(file) // 2, len(file) - 2000, 1000):
        file[at : at + 400] = np.random.default_rng(at).bytes(400)

    played = play(keep("song.mka", bytes(file)))
    frames = len(samples_of(played.all()))

    assert frames > 15 * RATE
    if played.heard.of(Failed):
        assert isinstance(played.failure().error, MediaNotAudioError)


@pytest.mark.parametrize(
    ("name", "content", "error", "reason"),
    [
        ("empty.mp3", b"", MediaEmptyError, "it is empty"),
        (
            "page.mp3",
            b"<!DOCTYPE html><html></html>",
            MediaNotAudioError,
            "its address leads to a web page",
        ),
        ("cover.jpg", jpeg(), MediaNotAudioError, "it is a picture"),
        (
            "text.mp3",
            b"some words\n" * 500,
            MediaNotAudioError,
            "it is not audio, or it is damaged",
        ),
        (
            "junk.mp3",
            np.random.default_rng(1).bytes(300000),
            MediaNotAudioError,
            "it is not audio, or it is damaged",
        ),
        ("silent.mkv", movie(), MediaNotAudioError, "it has no sound"),
        ("no.wav", wav(noise(0)), MediaEmptyError, "it has no sound"),
        ("empty.m3u", b"#EXTM3U\n", MediaEmptyError, "its playlist is empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_media_without_audio_is_reported(
    keep: Keep,
    play: Play,
    name: str,
    content: bytes,
    error: type[MediaError],
    reason: str,
) -> None:
    failure = play(keep(name, content)).failure().error

    assert type(failure) is error
    assert str(failure) == f"Cannot play the song: {reason}"


def test_a_missing_file_a_folder_and_a_pipe_are_not_found(
    tmp_path: Path, play: Play
) -> None:
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / "missing.mp3", tmp_path, tmp_path / "pipe", "/bad\0name"]

    failures = [play(str(path)).failure().error for path in paths]

    assert {type(failure) for failure in failures} == {MediaNotFoundError}
    assert [str(failure) for failure in failures] == [
        "Cannot play the song: there is no such file",
        "Cannot play the song: it is a folder",
        "Cannot play the song: it is not a file",
        "Cannot play the song: there is no such file",
    ]


@pytest.mark.parametrize("url", ["rtsp://host/x", "concat://x", "mms://a/b"])
def test_other_kinds_of_addresses_are_refused(play: Play, url: str) -> None:
    failure = play(url).failure().error

    assert type(failure) is MediaError
    assert "addresses are not supported" in str(failure)


def test_an_invalid_address_is_not_found(play: Play) -> None:
    assert type(play("http://[::1/x").failure().error) is MediaNotFoundError


def test_a_playlist_plays_the_first_entry_that_opens(keep: Keep, play: Play) -> None:
    keep("song.wav", wav(SONG))
    path = keep("list.m3u", b"#EXTM3U\nmissing.mp3\nrtsp://x/y\nsong.wav\n")

    assert len(play(path).all()) == FRAMES * 4


def test_playlists_of_playlists_come_to_an_end(keep: Keep, play: Play) -> None:
    failure = play(keep("list.m3u", b"#EXTM3U\nlist.m3u\n")).failure().error

    assert type(failure) is MediaNotAudioError
    assert "nothing but playlists" in str(failure)


def test_a_playlist_of_segments_plays_and_seeks(tmp_path: Path, play: Play) -> None:
    path = str(segments(tmp_path, SONG))

    played = play(path)
    whole = samples_of(played.all())
    part = samples_of(play(path, position_ms=1500).all())

    opened = played.heard.wait_for(Opened)
    assert not opened.is_live
    assert opened.duration_ms is not None
    assert abs(opened.duration_ms - 3018) < 60
    assert abs(len(whole) - FRAMES) < 3000
    assert abs(len(whole) - len(part) - 1.5 * RATE) < 2


def test_nothing_follows_the_closing(keep: Keep, play: Play) -> None:
    played = play(keep("long.wav", wav(noise(20 * RATE))))
    played.heard.wait_for(Buffered)

    played.close()

    assert played.source.read(352) == b""
    assert played.source.is_exhausted
    assert played.heard.names() == ["Opened", "Buffered"]
