"""Joined media: each part is heard as if it played alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import (
    Buffered,
    Ended,
    Opened,
    Retitled,
)
from custom_components.airplay.raop.errors import (
    MediaNotAudioError,
    MediaUnreachableError,
)
from custom_components.airplay.raop.media import Loudness, MediaKind

from ..audio.conftest import Keep, Play, decoders
from ..audio.media import RATE, Samples, encode, noise, samples_of
from ..audio.recorder import HASTY
from ..audio.web_server import WebServer, chunked, in_turn, radio, ranged
from .container.joined import media

# In processes: radios that break off when their server ends would be tried in threads.
__all__ = ["decoders"]

type Alone = Callable[[bytes], Samples]

CHAINS = [
    ("mp3", "aac"),
    ("aac", "mp3", "aac"),
    ("ogg flac", "ogg flac 24", "ogg flac"),
    ("ogg flac", "ogg flac mono", "vorbis"),
    ("vorbis", "opus", "ogg flac"),
    ("flac", "flac 24", "flac"),
    ("ogg flac", "mp3", "flac"),
]


@pytest.fixture
def alone(keep: Keep, play: Play) -> Alone:
    """Return a function that plays media alone."""
    return lambda octets: samples_of(play(keep("alone", octets)).all())


@pytest.mark.parametrize("kinds", CHAINS, ids=" then ".join)
def test_every_part_of_joined_media_is_heard(
    web: WebServer, keep: Keep, play: Play, alone: Alone, kinds: tuple[str, ...]
) -> None:
    octets = b"".join(media(kind, 2, seed) for seed, kind in enumerate(kinds))
    expected = np.concatenate(
        [alone(media(kind, 2, seed)) for seed, kind in enumerate(kinds)]
    )

    for address in (
        keep("joined", octets),
        web.serve("/file", ranged(octets)),
        web.serve("/live", chunked(octets)),
    ):
        played = play(address)
        assert np.array_equal(samples_of(played.all()), expected)
        assert played.heard.names()[-1] == "Ended"


@pytest.mark.parametrize("position_ms", [500, 2000, 2500, 4100])
@pytest.mark.parametrize("kind", ["ogg flac", "flac"])
def test_joined_media_plays_from_a_position(
    keep: Keep, play: Play, kind: str, position_ms: int
) -> None:
    octets = b"".join(media(kind, 2, seed) for seed in range(3))
    path = keep("joined", octets)
    whole = samples_of(play(path).all())

    part = samples_of(play(path, position_ms=position_ms).all())

    assert len(whole) == 6 * RATE
    assert np.array_equal(part, whole[position_ms * RATE // 1000 :])


def test_a_chain_that_is_known_has_no_duration(keep: Keep, play: Play) -> None:
    octets = media("ogg flac", 2, 1) + media("ogg flac", 2, 2)

    assert play(keep("a", octets)).heard.wait_for(Opened).duration_ms is None
    single = play(keep("b", media("ogg flac", 2)))
    assert single.heard.wait_for(Opened).duration_ms == 2000


def test_a_radio_that_changes_its_rate_and_codec_stays_connected(
    web: WebServer, play: Play, alone: Alone
) -> None:
    songs = [
        encode("ogg", "flac", noise(2 * RATE), metadata={"title": "One"}),
        encode(
            "opus",
            "libopus",
            noise(2 * 48000),
            rate=48000,
            sample_format="flt",
            metadata={"title": "Two"},
        ),
        media("mp3", 2),
    ]
    url = web.serve("/live", radio(b"".join(songs), 60, content_type="audio/ogg"))
    expected = np.concatenate([alone(song) for song in songs])

    played = play(url, limits=replace(HASTY, read_s=20.0), ahead_frames=60 * RATE)
    heard = samples_of(played.take(5 * RATE))

    assert np.array_equal(heard, expected[: 5 * RATE])
    assert played.heard.wait_for(Opened).tags.title == "One"
    assert played.heard.wait_for(Retitled).tags.title == "Two"
    assert len(web.requests) == 1
    played.close()


def test_a_part_that_cannot_be_played_is_left_out(
    keep: Keep, play: Play, alone: Alone
) -> None:
    strange = b"OggS\0\2" + bytes(8) + b"\1\2\3\4" + bytes(8) + b"\1\x09" + b"Unknown.."
    song = media("ogg flac", 2)

    played = play(keep("a", song + strange + song))

    assert np.array_equal(samples_of(played.all()), np.tile(alone(song), (2, 1)))


def test_an_empty_part_at_the_end_is_no_failure(keep: Keep, play: Play) -> None:
    song = media("ogg flac", 2)
    played = play(keep("a", song + media("flac")[:42]))

    assert len(samples_of(played.all())) == 2 * RATE
    assert played.heard.of(Ended)


def test_parts_without_sound_come_to_an_end(keep: Keep, play: Play) -> None:
    page = b"OggS\0%c" + bytes(8) + b"\1\2\3\4" + bytes(8) + b"\1\1x"
    empty = page % 2 + page % 0

    played = play(keep("a", media("ogg flac") + empty * 10_000))

    assert type(played.failure().error) is MediaNotAudioError
    assert len(samples_of(played.all())) == RATE


def test_each_part_has_its_own_loudness(keep: Keep, play: Play) -> None:
    parts = [
        encode(
            "ogg", "flac", noise(RATE), metadata={"REPLAYGAIN_TRACK_GAIN": f"{gain} dB"}
        )
        for gain in (-6, -12)
    ]
    path = keep("a", b"".join(parts))

    heard = samples_of(play(path, loudness=Loudness.TRACK).all()).astype(float)

    quiet = [np.rint(noise(RATE) * np.float32(10 ** (gain / 20))) for gain in (-6, -12)]
    assert np.array_equal(heard, np.concatenate(quiet))


def broken_aac(seconds: int) -> bytes:
    """Return frames of AAC whose contents are damaged."""
    octets, at = bytearray(media("aac", seconds)), 0
    random = np.random.default_rng(7)
    while at < len(octets):
        size = (octets[at + 3] & 3) << 11 | octets[at + 4] << 3 | octets[at + 5] >> 5
        octets[at + 7 : at + size] = b"\xff" * 4 + random.bytes(size - 11)
        at += size
    return bytes(octets)


def test_two_seconds_of_broken_frames_are_skipped(
    keep: Keep, play: Play, alone: Alone
) -> None:
    before, after = media("aac", 3), media("aac", 3, 2)

    played = play(keep("a", before + broken_aac(2) + after))
    heard = samples_of(played.all())

    assert np.array_equal(heard[: 2 * RATE], alone(before)[: 2 * RATE])
    assert np.array_equal(heard[-2 * RATE :], alone(after)[-2 * RATE :])
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_a_radio_that_sends_nothing_but_damage_is_connected_again(
    web: WebServer, play: Play
) -> None:
    good = media("aac", 12)
    url = web.serve("/live", in_turn(radio(good + broken_aac(40), 60), radio(good, 60)))

    played = play(
        url,
        limits=replace(HASTY, read_s=20.0),
        ahead_frames=60 * RATE,
        kind=MediaKind.RADIO,
    )
    played.heard.wait_for(Buffered)
    web.wait_for_requests(2)

    assert len(samples_of(played.take(22 * RATE))) == 22 * RATE
    played.close()


def test_a_radio_that_sends_damage_again_and_again_fails(
    web: WebServer, play: Play
) -> None:
    url = web.serve("/live", radio(media("aac", 1) + broken_aac(40), 60))

    played = play(
        url,
        limits=replace(HASTY, reconnect_s=0.5),
        ahead_frames=60 * RATE,
        kind=MediaKind.RADIO,
    )

    assert type(played.failure().error) in {MediaUnreachableError, MediaNotAudioError}
