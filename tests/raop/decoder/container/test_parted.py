"""Parts as files of their own: their bytes, their positions, and where they end."""

import io

import pytest

from custom_components.airplay.raop.decoder.container.parted import (
    FileParts,
    LiveParts,
    PartedMedia,
    may_have_parts,
)
from custom_components.airplay.raop.decoder.guard.tag_cut import without_long_tags
from tests.raop.audio.media import movie, noise, wav

from .joined import media

KINDS = ("mp3", "aac", "ogg flac", "opus", "flac", "flac 24")
WHOLE = b"".join(media(kind) for kind in KINDS)


class Pieces:
    """Media that comes in short pieces."""

    def __init__(self, octets: bytes, size: int) -> None:
        self._octets = io.BytesIO(octets)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._octets.read(min(size, self._size))


def cut(kind: str) -> bytes:
    """Return media as it is without the padding behind its tags."""
    file = without_long_tags(io.BytesIO(media(kind)))
    return b"".join(iter(lambda: file.read(1 << 16), b""))


def read_all(part: PartedMedia, size: int = 4096) -> bytes:
    """Read to the end of a part, which stays its end."""
    octets = b"".join(iter(lambda: part.read(size), b""))
    assert part.read(size) == b""
    return octets


def take(part: PartedMedia, size: int) -> bytes:
    """Read so many bytes, fewer only at the end."""
    octets = b""
    while len(octets) < size and (piece := part.read(size - len(octets))):
        octets += piece
    return octets


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_live_media_is_read_part_by_part(size: int) -> None:
    parts = LiveParts(Pieces(WHOLE, size))

    for kind in KINDS:
        part = parts.next()
        assert part is not None
        assert read_all(part) == cut(kind)
    assert parts.next() is None


def test_a_file_is_read_part_by_part() -> None:
    parts = FileParts(io.BytesIO(WHOLE))

    for kind in KINDS:
        part = parts.next()
        assert part is not None
        assert read_all(part) == cut(kind)
        # From anywhere within, it ends where it ends.
        part.seek(20000)
        assert part.tell() == 20000
        assert read_all(part) == cut(kind)[20000:]
        assert part.seek(0) == 0
        assert read_all(part, 1 << 16) == cut(kind)
    assert parts.next() is None


def test_a_part_that_is_not_read_is_passed() -> None:
    for parts in (LiveParts(Pieces(WHOLE, 9999)), FileParts(io.BytesIO(WHOLE))):
        found = [parts.next() for _ in KINDS]

        assert None not in found
        assert parts.next() is None


def test_positions_count_from_the_beginning_of_the_part() -> None:
    parts = FileParts(io.BytesIO(media("mp3") + media("aac")))
    parts.next()
    part = parts.next()
    assert part is not None

    assert take(part, 100) == media("aac")[:100]
    assert part.seek(0, io.SEEK_CUR) == 100
    assert part.seek(50, io.SEEK_CUR) == 150
    assert take(part, 10) == media("aac")[150:160]
    assert part.seek(-1, io.SEEK_END) == len(media("aac")) - 1
    assert take(part, 10) == media("aac")[-1:]
    assert part.seek(-1000) == 0
    assert read_all(part) == media("aac")


def test_asking_for_the_length_moves_nothing() -> None:
    part = FileParts(io.BytesIO(media("mp3"))).next()
    assert part is not None
    part.read(1000)

    part.seek(0, io.SEEK_END)
    part.seek(1000)

    assert part.read(50) == media("mp3")[1000:1050]


def test_a_file_of_several_is_known_by_its_end() -> None:
    chained = FileParts(io.BytesIO(media("ogg flac") + media("ogg flac", 1, 2)))
    single = FileParts(io.BytesIO(media("ogg flac")))

    for parts, is_divided in ((chained, True), (single, False)):
        assert not parts.is_divided
        part = parts.next()
        assert part is not None
        part.read(40000)
        assert not parts.is_divided
        # As much as libav looks at for the duration.
        part.seek(-(1 << 16), io.SEEK_END)
        part.read(1 << 16)
        assert parts.is_divided == is_divided
        part.seek(0)
        part.read(10)
        assert parts.is_divided == is_divided


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_units_may_have_parts(kind: str) -> None:
    assert may_have_parts(media(kind)[:64])
    assert may_have_parts(media(kind)[:64], is_live=True)
    assert may_have_parts(media(kind)[100:164], is_live=True)


@pytest.mark.parametrize(
    "head", [wav(noise(9)), movie(), bytes(4) + b"ftypM4A "], ids=["wav", "mkv", "mp4"]
)
def test_containers_have_none(head: bytes) -> None:
    assert not may_have_parts(head)
    assert not may_have_parts(head, is_live=True)
