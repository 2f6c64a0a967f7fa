"""Local files that content names are in the allowed folders, after their links."""

import os
from pathlib import Path

import pytest

from custom_components.airplay.raop.decoder.guard.local_file import LocalFile, allowed
from custom_components.airplay.raop.errors import (
    MediaError,
    MediaNotFoundError,
    MediaOutOfBoundsError,
)
from custom_components.airplay.raop.messages import MediaBounds
from tests.raop.audio.conftest import Play
from tests.raop.audio.media import RATE, noise, wav

WAV = wav(noise(RATE))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an allowed folder, beside one that is not."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "song.wav").write_bytes(WAV)
    home = tmp_path / "home"
    home.mkdir()
    (home / "song.wav").write_bytes(WAV)
    return home


def open_list(play: Play, home: Path, *entries: str) -> MediaError | int:
    """Play a playlist that looks like a song; return the length or the error."""
    (home / "song.mp3").write_text("#EXTM3U\n" + "\n".join(entries))
    played = play(str(home / "song.mp3"), bounds=MediaBounds(folders=(str(home),)))
    pcm = played.all()
    return len(pcm) // 4 or played.failure().error


@pytest.mark.parametrize(
    "entry", ["song.wav", "{home}/song.wav", "file://{home}/song.wav"]
)
def test_an_entry_in_the_folder_plays(play: Play, home: Path, entry: str) -> None:
    assert open_list(play, home, entry.format(home=home)) == RATE


@pytest.mark.parametrize(
    "entry",
    [
        "../secret/song.wav",
        "{home}/../secret/song.wav",
        "file://{home}/../secret/song.wav",
        "file://{home}/%2e%2e/secret/song.wav",
        "link.wav",
        "folder/song.wav",
    ],
)
def test_an_entry_elsewhere_is_out_of_bounds(
    play: Play, home: Path, entry: str
) -> None:
    (home / "link.wav").symlink_to(home.parent / "secret" / "song.wav")
    (home / "folder").symlink_to(home.parent / "secret")

    error = open_list(play, home, entry.format(home=home))

    assert type(error) is MediaOutOfBoundsError


def test_a_nested_playlist_is_bound_too(play: Play, home: Path) -> None:
    (home / "inner.m3u").write_text("#EXTM3U\n../secret/song.wav\n")

    assert type(open_list(play, home, "inner.m3u")) is MediaOutOfBoundsError


def test_a_link_into_another_allowed_folder_plays(play: Play, home: Path) -> None:
    (home / "link.m3u").write_text(f"#EXTM3U\n{home.parent}/secret/song.wav\n")
    folders = (str(home), str(home.parent / "secret"))

    played = play(str(home / "link.m3u"), bounds=MediaBounds(folders=folders))

    assert len(played.all()) == RATE * 4


def test_the_file_that_a_user_named_may_be_anywhere(play: Play, home: Path) -> None:
    song = str(home.parent / "secret" / "song.wav")

    played = play(song, bounds=MediaBounds(folders=(str(home),)))

    assert len(played.all()) == RATE * 4


def test_a_script_for_libav_opens_no_other_file(play: Play, home: Path) -> None:
    (home / "song.mp3").write_text("ffconcat version 1.0\nfile song.wav\n")

    played = play(str(home / "song.mp3"), bounds=MediaBounds(folders=(str(home),)))

    assert isinstance(played.failure().error, MediaError)


def test_a_loop_of_links_is_not_found(play: Play, home: Path) -> None:
    (home / "loop.wav").symlink_to(home / "loop.wav")

    assert type(open_list(play, home, "loop.wav")) is MediaNotFoundError


def test_a_path_with_a_nul_is_not_found() -> None:
    with pytest.raises(Exception, match="there is no such file"):
        allowed(Path("/a\0b"), ("/",))
    with pytest.raises(Exception, match="there is no such file"):
        LocalFile(Path("/a\0b"))


def test_a_pipe_is_not_waited_for(play: Play, home: Path) -> None:
    os.mkfifo(home / "pipe.wav")

    assert type(open_list(play, home, "pipe.wav")) is MediaNotFoundError
