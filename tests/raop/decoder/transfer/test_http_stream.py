"""The end of transfers: heard once and whole, live continues, whatever headers say."""

from collections.abc import Callable
from dataclasses import replace
import time

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Ended, Failed, Opened
from custom_components.airplay.raop.errors import MediaUnreachableError
from custom_components.airplay.raop.messages import MediaKind

from ...audio.conftest import Play
from ...audio.media import RATE, noise, samples_of, wav
from ...audio.recorder import HASTY
from ...audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    chunked,
    in_turn,
    status,
    with_titles,
)
from .behaviours import announcing, closed, in_chunks, stated, unstated

SECONDS = 9
SONG = noise(SECONDS * RATE)
WAV = wav(SONG)
ICY = ("icy-name: Music Assistant", "Content-Type: audio/flac")


@pytest.fixture(scope="module")
def flac() -> bytes:
    """Return the song as FLAC that states no length, as an encoder writes it to a pipe."""
    return unstated(SONG)


@pytest.mark.parametrize(
    "serve",
    [
        lambda body: in_chunks(body, *ICY),
        lambda body: closed(body, *ICY),
        closed,
        in_chunks,
        lambda body: announcing(body, len(body), *ICY),
        lambda body: in_turn(in_chunks(body, *ICY), status("404 Not Found")),
        lambda body: in_turn(closed(body), status("410 Gone")),
        # It breaks off, and later it does not.
        lambda body: in_turn(
            in_chunks(body[:300_000], *ICY, ends=False), in_chunks(body, *ICY)
        ),
        lambda body: in_turn(in_chunks(body[:300_000], ends=False), closed(body)),
        # It is complete, but for its last chunk.
        lambda body: in_chunks(body, ends=False),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("kind", [MediaKind.ANY, MediaKind.SPEECH])
def test_a_finite_sound_is_heard_once_and_whole(
    web: WebServer,
    play: Play,
    flac: bytes,
    serve: Callable[[bytes], Behaviour],
    kind: MediaKind,
) -> None:
    played = play(web.serve("/song", serve(flac)), kind=kind)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert not played.heard.of(Failed)
    assert len(played.heard.of(Ended)) == 1


def test_a_broken_voice_that_is_made_anew_is_not_begun_again(
    web: WebServer, play: Play
) -> None:
    half = SECONDS * RATE // 2
    first, second = noise(half, seed=5), noise(2 * half, seed=6)
    url = web.serve(
        "/tts",
        in_turn(in_chunks(unstated(first), ends=False), in_chunks(unstated(second))),
    )

    pcm = samples_of(play(url, kind=MediaKind.SPEECH).all())

    # The decoder may keep the last frames of what breaks off.
    said = int((pcm[:half] == first).all(axis=1).sum())
    assert half - RATE < said < half
    assert np.array_equal(pcm[:said], first[:said])
    assert np.array_equal(pcm[said:], second[said:])


def test_a_voice_that_ends_is_asked_for_once(
    web: WebServer, play: Play, flac: bytes
) -> None:
    played = play(web.serve("/tts", closed(flac)), kind=MediaKind.SPEECH)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert len(web.requests) == 1


@pytest.mark.parametrize("length", [10_000_000, 100_000])
def test_titles_are_taken_out_whatever_length_is_announced(
    web: WebServer, play: Play, flac: bytes, length: int
) -> None:
    body = with_titles(flac, 8192, {0: b"One"})
    url = web.serve("/live", announcing(body, length, "icy-metaint: 8192"))

    played = play(url)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.wait_for(Opened).tags.title == "One"


def test_sound_that_states_its_end_needs_none_of_its_transfer(
    web: WebServer, play: Play
) -> None:
    def held(exchange: Exchange) -> None:
        in_chunks(WAV, ends=False)(exchange)
        exchange.hold()

    begun = time.monotonic()

    played = play(web.serve("/song", held))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert time.monotonic() - begun < 3.5
    opened = played.heard.wait_for(Opened)
    assert (opened.is_live, opened.duration_ms) == (False, SECONDS * 1000)
    assert len(web.requests) == 1


def test_flac_that_states_its_end_needs_none_of_its_transfer(
    web: WebServer, play: Play
) -> None:
    def held(exchange: Exchange) -> None:
        in_chunks(stated(SONG), ends=False)(exchange)
        exchange.hold()

    begun = time.monotonic()

    played = play(web.serve("/song", held))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert time.monotonic() - begun < 3.5
    assert len(web.requests) == 1


def test_a_piped_wav_states_nothing(web: WebServer, play: Play) -> None:
    piped = WAV[:40] + b"\0\xf0\xff\x7f" + WAV[44:]

    played = play(web.serve("/live", closed(piped)))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.wait_for(Opened).is_live


def test_a_chunked_wav_that_is_cut_is_continued(web: WebServer, play: Play) -> None:
    url = web.serve("/song", in_turn(closed(WAV[:500_000]), closed(WAV)))

    played = play(url)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_a_wav_that_never_comes_whole_is_an_error(web: WebServer, play: Play) -> None:
    played = play(web.serve("/song", closed(WAV[:500_000])))

    pcm = samples_of(played.all())

    assert np.array_equal(pcm, SONG[: len(pcm)])
    assert len(pcm) == (500_000 - 44) // 4
    assert "delivers only a part of it" in str(played.failure().error)
    assert type(played.failure().error) is MediaUnreachableError


def test_chunks_end_speech_at_once(web: WebServer, play: Play, flac: bytes) -> None:
    def held(exchange: Exchange) -> None:
        chunked(flac)(exchange)
        exchange.hold()

    begun = time.monotonic()

    pcm = play(web.serve("/tts", held), kind=MediaKind.SPEECH).all()

    assert np.array_equal(samples_of(pcm), SONG)
    assert time.monotonic() - begun < 2


def test_a_voice_may_take_its_time(web: WebServer, play: Play, flac: bytes) -> None:
    half = len(flac) // 2

    def slow(exchange: Exchange) -> None:
        exchange.hold(0.6)
        exchange.answer("200 OK", "Transfer-Encoding: chunked")
        exchange.hold(0.6)
        for piece in (flac[:half], flac[half:]):
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            exchange.hold(0.3)
        exchange.send(b"0\r\n\r\n")

    limits = replace(HASTY, first_s=1.0, read_s=0.5)
    played = play(web.serve("/tts", slow), limits=limits, kind=MediaKind.SPEECH)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert len(web.requests) == 1


def test_a_voice_that_is_silent_for_too_long_is_continued_at_its_place(
    web: WebServer, play: Play, flac: bytes
) -> None:
    def stuck(exchange: Exchange) -> None:
        exchange.answer("200 OK", "Transfer-Encoding: chunked")
        piece = flac[: len(flac) // 2]
        exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        exchange.hold()

    url = web.serve("/tts", in_turn(stuck, in_chunks(flac)))
    played = play(url, limits=replace(HASTY, read_s=0.5), kind=MediaKind.SPEECH)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert len(web.requests) == 2
