"""Files on the web: invented lengths, pieces, and other versions."""

from collections.abc import Callable
import time

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Ended, Failed
from custom_components.airplay.raop.errors import MediaUnreachableError

from ...audio.conftest import Play
from ...audio.media import RATE, encode, noise, samples_of, wav
from ...audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    in_turn,
    ranged,
    status,
    whole,
)
from .behaviours import announcing, stated, unstated

SECONDS = 9
SONG = noise(SECONDS * RATE)
WAV = wav(SONG)
LENGTH = f"Content-Length: {len(WAV)}"
ICY = ("icy-name: Music Assistant", "Content-Type: audio/flac")
PIECE = 200_000


@pytest.fixture(scope="module")
def flac() -> bytes:
    """Return the song as FLAC that states no length, as an encoder writes it to a pipe."""
    return unstated(SONG)


@pytest.mark.parametrize("extra", [500, 5_000, 900_000])
@pytest.mark.parametrize(
    "headers", [(), ICY, ("Accept-Ranges: none",), ("Accept-Ranges: bytes",)]
)
def test_an_announced_length_that_is_too_long_costs_nothing(
    web: WebServer, play: Play, flac: bytes, extra: int, headers: tuple[str, ...]
) -> None:
    url = web.serve("/song", announcing(flac, len(flac) + extra, *headers))
    begun = time.monotonic()

    played = play(url)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert len(played.heard.of(Ended)) == 1
    assert time.monotonic() - begun < 4


def test_an_mp3_of_an_estimated_length_is_whole(web: WebServer, play: Play) -> None:
    mp3 = encode("mp3", "libmp3lame", SONG, options={"id3v2_version": "0"})

    played = play(web.serve("/song", announcing(mp3, len(mp3) + 500)))

    assert len(samples_of(played.all())) == len(SONG)
    assert not played.heard.of(Failed)


@pytest.mark.parametrize("missing", [1000, 300_000])
def test_an_announced_length_that_is_too_short_cuts_nothing(
    web: WebServer, play: Play, flac: bytes, missing: int
) -> None:
    played = play(web.serve("/song", announcing(flac, len(flac) - missing)))

    assert np.array_equal(samples_of(played.all()), SONG)


@pytest.mark.parametrize("serve", [ranged, whole])
def test_a_stated_end_counts_more_than_the_announced_one(
    web: WebServer, play: Play, serve: Callable[[bytes], Behaviour]
) -> None:
    flac = stated(SONG)
    short = announcing(flac[:-200_000], len(flac) - 200_000 + 100)
    url = web.serve("/song.flac", in_turn(short, serve(flac)))

    played = play(url)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_what_never_comes_whole_is_an_error(web: WebServer, play: Play) -> None:
    flac = stated(SONG)
    part = announcing(flac[:-200_000], len(flac) - 200_000 + 100)

    played = play(web.serve("/song.flac", part))
    pcm = samples_of(played.all())

    assert np.array_equal(pcm, SONG[: len(pcm)])
    assert "delivers only a part of it" in str(played.failure().error)
    assert type(played.failure().error) is MediaUnreachableError


def test_a_transfer_that_is_complete_ends_while_its_connection_is_held(
    web: WebServer, play: Play, flac: bytes
) -> None:
    def held(exchange: Exchange) -> None:
        announcing(flac, len(flac))(exchange)
        exchange.hold()

    begun = time.monotonic()

    pcm = play(web.serve("/song", held)).all()

    assert np.array_equal(samples_of(pcm), SONG)
    assert time.monotonic() - begun < 2


def test_a_stated_end_ends_a_transfer_that_is_announced_too_long(
    web: WebServer, play: Play
) -> None:
    def held(exchange: Exchange) -> None:
        announcing(WAV, len(WAV) + 50_000)(exchange)
        exchange.hold()

    begun = time.monotonic()

    pcm = play(web.serve("/song", held)).all()

    assert np.array_equal(samples_of(pcm), SONG)
    assert time.monotonic() - begun < 3.5


def in_pieces(total: int | None) -> Behaviour:
    """Answer each request, even for the whole, with a piece."""

    def serve(exchange: Exchange) -> None:
        start = exchange.range_start or 0
        piece = WAV[start : start + PIECE]
        if not piece:
            exchange.answer("416 Range Not Satisfiable", "Content-Length: 0")
            return
        length = "*" if total is None else total
        exchange.answer(
            "206 Partial Content",
            f"Content-Length: {len(piece)}",
            f"Content-Range: bytes {start}-{start + len(piece) - 1}/{length}",
            body=piece,
        )

    return serve


@pytest.mark.parametrize("total", [len(WAV), None])
@pytest.mark.parametrize("position_ms", [0, 4000])
def test_a_piece_of_a_file_is_followed_by_the_rest(
    web: WebServer, play: Play, total: int | None, position_ms: int
) -> None:
    url = web.serve("/song.wav", in_pieces(total))

    played = play(url, position_ms=position_ms)

    start = position_ms * RATE // 1000
    assert np.array_equal(samples_of(played.all()), SONG[start:])
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


@pytest.mark.parametrize("total", [len(WAV), "*"])
def test_a_piece_without_the_rest_is_an_error(
    web: WebServer, play: Play, total: object
) -> None:
    def one_piece(exchange: Exchange) -> None:
        exchange.answer(
            "206 Partial Content",
            f"Content-Range: bytes 0-{PIECE - 1}/{total}",
            body=WAV[:PIECE],
        )

    played = play(web.serve("/song.wav", one_piece))
    pcm = samples_of(played.all())

    assert np.array_equal(pcm, SONG[: len(pcm)])
    assert "delivers only a part of it" in str(played.failure().error)


def middle(exchange: Exchange) -> None:
    """Answer with a piece from the middle."""
    exchange.answer(
        "206 Partial Content",
        f"Content-Range: bytes 5000-{len(WAV) - 1}/{len(WAV)}",
        body=WAV[5000:],
    )


def test_a_piece_from_the_middle_is_an_error(web: WebServer, play: Play) -> None:
    failure = play(web.serve("/song.wav", middle)).failure().error

    assert "delivers only a part of it" in str(failure)


def test_a_piece_from_the_middle_is_followed_by_the_beginning(
    web: WebServer, play: Play
) -> None:
    url = web.serve("/song.wav", in_turn(middle, ranged(WAV)))

    assert np.array_equal(samples_of(play(url).all()), SONG)


@pytest.mark.parametrize("second", ['"a"', '"b"', 'W/"b"', ""])
def test_a_file_is_continued_only_if_it_is_the_same(
    web: WebServer, play: Play, second: str
) -> None:
    first = [LENGTH, "Accept-Ranges: bytes", 'ETag: "a"']

    def broken(exchange: Exchange) -> None:
        exchange.answer("200 OK", *first, body=WAV[:500_000])

    def other(exchange: Exchange) -> None:
        headers = [LENGTH, f"ETag: {second}"] if second else [LENGTH]
        exchange.answer("200 OK", *headers, body=WAV)

    played = play(web.serve("/song.wav", in_turn(broken, other)))
    pcm = samples_of(played.all())

    assert 'if-range: "a"' in web.requests[1].head.lower()
    if second == '"b"':
        assert "it changed on its server" in str(played.failure().error)
    else:
        assert np.array_equal(pcm, SONG)


def test_a_server_that_fails_at_ranges_is_asked_for_the_whole(
    web: WebServer, play: Play
) -> None:
    def serve(exchange: Exchange) -> None:
        if exchange.range_start is not None:
            status("500 Internal Server Error")(exchange)
        else:
            end = None if len(web.requests) > 1 else 500_000
            headers = (LENGTH, "Accept-Ranges: bytes")
            exchange.answer("200 OK", *headers, body=WAV[:end])

    played = play(web.serve("/song.wav", serve))

    assert np.array_equal(samples_of(played.all()), SONG)
