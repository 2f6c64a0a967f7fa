"""The lengths of pages and frames, as libav writes and reads them."""

import io

import av
import pytest

from custom_components.airplay.raop.decoder.container.units import (
    MORE,
    NONE,
    Framing,
    are_alike,
    unit_bytes,
)
from tests.raop.audio.media import encode, noise

from .joined import media


def lengths(framing: Framing, octets: bytes) -> list[int]:
    """Return the lengths of all units, which fill the media."""
    found, at = [], 0
    while at < len(octets):
        size = unit_bytes(framing, octets, at)
        assert size > 0, (at, octets[at : at + 8])
        found.append(size)
        at += size
    assert at == len(octets)
    return found


def packet_bytes(octets: bytes) -> list[int]:
    """Return the lengths of the packets that libav finds."""
    with av.open(io.BytesIO(octets), mode="r") as container:
        return [each.size for each in container.demux() if each.size]


@pytest.mark.parametrize("kind", ["mp3", "mp3 mono", "aac"])
def test_frames_are_as_long_as_libav_finds_them(kind: str) -> None:
    framing = Framing.ADTS if kind == "aac" else Framing.MPEG

    assert lengths(framing, media(kind)) == packet_bytes(media(kind))


@pytest.mark.parametrize(
    ("codec", "container", "rate"),
    [
        ("mp2", "mp2", 44100),
        ("mp2", "mp2", 48000),
        ("libmp3lame", "mp3", 22050),
        ("libmp3lame", "mp3", 8000),
        ("libmp3lame", "mp3", 32000),
    ],
)
def test_frames_of_all_versions_are_known(
    codec: str, container: str, rate: int
) -> None:
    options = {"write_xing": "0", "id3v2_version": "0"} if container == "mp3" else None
    octets = encode(container, codec, noise(rate), rate=rate, options=options)

    assert lengths(Framing.MPEG, octets) == packet_bytes(octets)


@pytest.mark.parametrize("kind", ["vorbis", "opus", "ogg flac"])
def test_pages_fill_the_media(kind: str) -> None:
    assert len(lengths(Framing.OGG, media(kind, 5))) > 2


@pytest.mark.parametrize(
    ("header", "size"),
    [
        # Layer I: MPEG-1, 384 kbit/s at 44100 Hz; padded; MPEG-2, 32 kbit/s at 24 kHz.
        ("ffffc000", 416),
        ("ffffc200", 420),
        ("fff71400", 64),
        # A reserved version, layer, or rate, the free and the bad bit rate, no frame.
        ("ffeb9000", NONE),
        ("fff99000", NONE),
        ("fffb9c00", NONE),
        ("fffb0000", NONE),
        ("fffbf000", NONE),
        ("ffdb9000", NONE),
        ("00fb9000", NONE),
        ("fffb90", MORE),
    ],
)
def test_headers_of_mpeg(header: str, size: int) -> None:
    assert unit_bytes(Framing.MPEG, bytes.fromhex(header), 0) == size


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("fff150800d9ffc", 108),
        ("fff150800dfffc"[:12], MORE),
        ("fff150800000fc", NONE),
        ("fff3508017fffc", NONE),
        ("fff174800d9ffc", NONE),
        ("00f150800d9ffc", NONE),
    ],
)
def test_headers_of_adts(header: str, size: int) -> None:
    assert unit_bytes(Framing.ADTS, bytes.fromhex(header), 0) == size


def test_pages_that_are_not_whole_need_more() -> None:
    page = b"OggS\0\2" + bytes(20) + b"\2\xff\x01"

    assert unit_bytes(Framing.OGG, page, 0) == 29 + 256
    assert {unit_bytes(Framing.OGG, page[:n], 0) for n in range(1, 29)} == {MORE}
    assert unit_bytes(Framing.OGG, b"Oggs", 0) == NONE
    assert unit_bytes(Framing.FLAC, b"fLaC", 0) == NONE


def test_frames_of_one_stream_have_one_rate() -> None:
    assert are_alike(Framing.MPEG, bytes.fromhex("fffb9000fffbb200"), 0, 4)
    assert not are_alike(Framing.MPEG, bytes.fromhex("fffb9000fffb9400"), 0, 4)
    assert not are_alike(Framing.MPEG, bytes.fromhex("fffb9000fff39000"), 0, 4)
    assert are_alike(Framing.ADTS, bytes.fromhex("fff15080fff15040"), 0, 4)
    assert not are_alike(Framing.ADTS, bytes.fromhex("fff15080fff14c80"), 0, 4)
    assert are_alike(Framing.OGG, b"OggSOggS", 0, 4)
