"""The first byte of other media, whatever the pieces in which the bytes come."""

from itertools import pairwise

import numpy as np
import pytest

from custom_components.airplay.raop.decoder.container.joints import JointFinder
from custom_components.airplay.raop.decoder.container.units import Framing
from tests.raop.audio.media import encode, jpeg, noise, wav

from .joined import media


def found(octets: bytes, size: int, finder: JointFinder | None = None) -> int | None:
    """Feed bytes in pieces of a size; what is cleared never goes beyond the joint."""
    finder = finder or JointFinder()
    cleared = [
        finder.feed(octets[at : at + size]) for at in range(0, len(octets), size)
    ]
    assert all(before <= after for before, after in pairwise(cleared))
    if finder.joint is not None:
        assert cleared[-1] == finder.joint
    else:
        # What is held back is what may begin other media.
        assert len(octets) - 30000 < cleared[-1] <= len(octets)
    return finder.joint


JOINED = [
    ("mp3", "aac"),
    ("aac", "mp3"),
    ("mp3", "ogg flac"),
    ("mp3", "flac"),
    ("aac", "opus"),
    ("ogg flac", "mp3"),
    ("ogg flac", "aac"),
    ("vorbis", "opus"),
    ("opus", "opus"),
    ("ogg flac", "ogg flac 24"),
    ("ogg flac", "flac"),
    ("flac", "flac 24"),
]


@pytest.mark.parametrize("size", [13, 1000, 1 << 20])
@pytest.mark.parametrize(("first", "second"), JOINED)
def test_a_joint_is_found_to_the_byte(first: str, second: str, size: int) -> None:
    before, after = media(first), media(second, seed=2)

    assert found(before + after + media("mp3", seed=3), size) == len(before)


@pytest.mark.parametrize("size", [13, 1000, 1 << 20])
@pytest.mark.parametrize(
    "kind", ["mp3", "mp3 mono", "aac", "vorbis", "opus", "flac", "flac 24"]
)
def test_one_medium_has_no_joint(kind: str, size: int) -> None:
    assert found(media(kind, 3), size) is None


def test_frames_of_another_rate_are_no_other_media() -> None:
    assert found(media("mp3") + media("mp3 mono") + media("mp3"), 4096) is None


def test_a_tag_with_a_picture_is_passed() -> None:
    tagged = encode("mp3", "libmp3lame", noise(44100), cover=jpeg(400))
    assert tagged.startswith(b"ID3")

    for size in (5, 4096):
        assert found(tagged * 2 + media("aac"), size) == len(tagged) * 2
        assert found(tagged, size) is None


@pytest.mark.parametrize("kind", ["mp3", "aac", "vorbis"])
def test_a_stream_may_begin_anywhere(kind: str) -> None:
    octets = media(kind, 3)[5001:]
    after = media("flac" if kind != "flac" else "mp3")

    assert found(octets + after, 1400) == len(octets)


@pytest.mark.parametrize("first", ["mp3", "aac", "ogg flac"])
def test_damage_is_no_joint_and_hides_none(first: str) -> None:
    octets = bytearray(media(first, 3))
    octets[9000:20000] = np.random.default_rng(4).bytes(11000)
    octets[21000:21004] = b"OggS"

    assert found(bytes(octets), 1000) is None
    assert found(bytes(octets) + media("opus"), 1000) == len(octets)


def test_within_a_stream_the_next_joint_is_found() -> None:
    octets = media("mp3")[777:]
    finder = JointFinder(Framing.MPEG)

    assert found(octets + media("aac"), 999, finder) == len(octets)

    begun = JointFinder()
    begun.feed(media("ogg flac"))
    assert begun.framing is Framing.OGG
    octets = media("ogg flac")[50000:]
    within = JointFinder(Framing.OGG, begun.serials)
    assert found(octets + media("opus"), 999, within) == len(octets)
    assert not within.has_others


def test_pages_of_other_streams_are_noticed() -> None:
    begun = JointFinder()
    begun.feed(media("ogg flac"))
    elsewhere = JointFinder(Framing.OGG, begun.serials)

    elsewhere.feed(media("ogg flac", 1, 2)[50000:])

    assert elsewhere.has_others
    assert not begun.has_others


def test_nothing_is_followed_where_no_stream_begins() -> None:
    finder = JointFinder()

    assert found(wav(noise(40000)) + media("mp3") + media("aac"), 4096, finder) is None
    assert finder.framing is None
