"""Tags and covers of containers."""

import pytest

from custom_components.airplay.raop.audio.events import Cover
from custom_components.airplay.raop.decoder.tags import (
    MAX_COVER_BYTES,
    cover_from,
    tags_from,
    tags_from_title,
)
from custom_components.airplay.raop.messages import Tags


def test_tags_are_known_in_every_spelling() -> None:
    vorbis = {
        "TITLE": "SOS",
        "ALBUMARTIST": "ABBA",
        "TRACKNUMBER": "3",
        "Artist": "Abba",
    }
    mp4 = {"title": "SOS", "album_artist": "ABBA", "track": "3/12", "artist": "Abba"}

    assert tags_from(vorbis) == tags_from(mp4)
    assert tags_from(vorbis) == Tags(
        title="SOS", artist="Abba", album_artist="ABBA", track=3
    )


def test_the_stream_counts_more_than_the_container() -> None:
    tags = tags_from({"title": "Stream"}, {"title": "Container", "album": "Album"})

    assert tags == Tags(title="Stream", album="Album")


@pytest.mark.parametrize(
    ("written", "track"),
    [("7", 7), ("07/12", 7), (" 3 of 9", 3), ("A1", None), ("", None)],
)
def test_a_track_is_the_number_at_its_beginning(
    written: str, track: int | None
) -> None:
    assert tags_from({"track": written}).track == track


def test_texts_are_cleaned_and_bounded() -> None:
    tags = tags_from(
        {"title": " A\n\tB\x07 ", "artist": "One\0Two", "album": "x" * 5000}
    )

    assert tags.title == "A B"
    assert tags.artist == "One; Two"
    assert tags.album == "x" * 1000


def test_empty_tags_are_unknown() -> None:
    assert tags_from({"title": "  ", "artist": ""}, {}) == Tags()


@pytest.mark.parametrize(
    ("title", "tags"),
    [
        ("Abba - SOS", Tags(artist="Abba", title="SOS")),
        ("A-ha - Take On Me - Live", Tags(artist="A-ha", title="Take On Me - Live")),
        ("The News", Tags(title="The News")),
        (" - ", Tags(title="-")),
        ("", Tags()),
    ],
)
def test_a_radios_title_is_artist_and_song(title: str, tags: Tags) -> None:
    assert tags_from_title(title) == tags


@pytest.mark.parametrize(
    ("beginning", "content_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
    ],
)
def test_a_cover_is_typed_by_its_bytes(beginning: bytes, content_type: str) -> None:
    assert cover_from(beginning + b"...") == Cover(beginning + b"...", content_type)


def test_empty_invalid_or_oversized_data_gives_no_cover() -> None:
    assert cover_from(b"BM" + bytes(100)) is None
    assert cover_from(b"") is None
    assert cover_from(b"junk") is None
    assert cover_from(b"\xff\xd8\xff" + bytes(MAX_COVER_BYTES)) is None
