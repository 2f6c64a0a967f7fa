"""Opening ends when it takes too long or too much, whatever libav does meanwhile."""

from io import BytesIO
import time
from typing import Any

from mutagen.mp4 import MP4
import pytest

from custom_components.airplay.raop.audio.events import Opened
from custom_components.airplay.raop.decoder.guard import metered
from custom_components.airplay.raop.decoder.guard.metered import (
    MeteredFile,
    MeteredMedia,
)
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.errors import MediaNotAudioError
from tests.raop.audio.conftest import Keep, Play
from tests.raop.audio.media import RATE, encode, noise, wav

from .tagged import id3, many_texts, text


def test_thousands_of_atoms_end_the_opening(
    keep: Keep, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "_MAX_OPEN_CPU_S", 0.2)
    file = BytesIO(encode("ipod", "aac", noise(RATE)))
    tags: Any = MP4(file)  # type: ignore[no-untyped-call]
    for number in range(20_000):
        tags[f"----:com.apple.iTunes:K{number:06}"] = [b"v"]
    file.seek(0)
    tags.save(file)
    begun = time.process_time()

    error = play(keep("a.m4a", file.getvalue())).failure().error

    assert time.process_time() - begun < 2
    assert type(error) is MediaNotAudioError
    assert "its tags, or what else comes before the sound" in str(error)


def chunked(song: bytes, tag: bytes, *, is_behind: bool) -> bytes:
    """Return a WAV file with a tag in a chunk, before or behind its sound."""
    chunk = b"id3 " + len(tag).to_bytes(4, "little") + tag + bytes(len(tag) % 2)
    at = len(song) if is_behind else song.index(b"data")
    body = song[8:at] + chunk + song[at:]
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("is_behind", [False, True])
def test_thousands_of_texts_in_a_chunk_are_refused_at_once(
    keep: Keep, play: Play, *, is_behind: bool, version: int
) -> None:
    tag = id3(many_texts(20_000, version), version)
    song = chunked(wav(noise(RATE)), tag, is_behind=is_behind)
    begun = time.process_time()

    error = play(keep("a.wav", song)).failure().error

    assert time.process_time() - begun < 1
    assert "its tags, or what else comes before the sound" in str(error)


@pytest.mark.parametrize("is_behind", [False, True])
def test_a_few_hundred_texts_in_a_chunk_are_read(
    keep: Keep, play: Play, *, is_behind: bool
) -> None:
    tag = id3(text("TIT2", "SOS") + many_texts(400))
    played = play(keep("a.wav", chunked(wav(noise(RATE)), tag, is_behind=is_behind)))

    assert played.heard.wait_for(Opened).tags.title == "SOS"
    assert len(played.all()) == RATE * 4


@pytest.mark.parametrize("size", [1, 5, 7, 1000])
def test_frames_count_wherever_reads_end(size: int) -> None:
    def read(count: int) -> None:
        frames = b"".join(text("TXXX", "abc\0v") for _ in range(count))
        media = MeteredMedia(BytesIO(frames), counts_frames=True)
        while media.read(size):
            pass

    read(metered._MAX_FRAMES // 2)
    with pytest.raises(UnplayableError, match="too long"):
        read(metered._MAX_FRAMES + 1)


def test_headers_without_end_end_the_opening(
    keep: Keep, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "_MAX_HEADER_BYTES", 1 << 20)
    box = (3_000_000).to_bytes(4) + b"udta" + (2_999_992).to_bytes(4) + b"\xa9nam"
    file = (20).to_bytes(4) + b"ftypM4A \0\0\0\0M4A " + box + bytes(2_999_984)

    assert type(play(keep("a.m4a", file)).failure().error) is MediaNotAudioError


def test_media_that_is_open_is_read_to_its_end(
    keep: Keep, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "_MAX_HEADER_BYTES", 1 << 20)

    assert len(play(keep("a.wav", wav(noise(20 * RATE)))).all()) == 20 * RATE * 4


def test_a_used_up_budget_is_an_error_once() -> None:
    file = MeteredFile(BytesIO(bytes(100 << 20)), "a.mp3")
    while file.tell() < 32 << 20:
        assert file.read(1 << 20)

    with pytest.raises(UnplayableError, match="too long"):
        file.read(1 << 20)
    assert file.read(1) == b""
    assert file.seek(0) == 0
    assert file.name == "a.mp3"


def test_time_is_that_of_the_thread() -> None:
    media = MeteredMedia(BytesIO(bytes(10)))
    until = time.thread_time() + metered._MAX_OPEN_CPU_S + 0.1
    while time.thread_time() < until:
        pass

    with pytest.raises(UnplayableError, match="too long"):
        media.read(1)
