"""Sources on the web: files that seek, break off and continue."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Failed, Opened
from custom_components.airplay.raop.errors import (
    MediaForbiddenError,
    MediaUnreachableError,
)

from ..audio.conftest import Play
from ..audio.media import RATE, encode, noise, samples_of, wav
from ..audio.recorder import HASTY
from ..audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    chunked,
    in_turn,
    ranged,
    redirect,
    status,
    whole,
)

FRAMES = 20 * RATE + 77
SONG = noise(FRAMES)
WAV = wav(SONG)


@pytest.fixture(scope="module")
def mp3() -> bytes:
    """Return the song as MP3 without tags at its beginning: libav looks at its end."""
    return encode("mp3", "libmp3lame", SONG, options={"id3v2_version": "0"})


@pytest.fixture(scope="module")
def m4a() -> bytes:
    """Return the song as AAC whose index is at the end of the file."""
    return encode("ipod", "aac", SONG)


@pytest.mark.parametrize("serve", [ranged, whole, chunked])
def test_a_file_is_bit_exact(
    web: WebServer, play: Play, serve: Callable[[bytes], Behaviour]
) -> None:
    played = play(web.serve("/song.wav", serve(WAV)))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


@pytest.mark.parametrize("serve", [ranged, whole])
def test_an_mp3_is_gapless_and_has_a_length(
    web: WebServer, play: Play, mp3: bytes, serve: Callable[[bytes], Behaviour]
) -> None:
    played = play(web.serve("/song.mp3", serve(mp3)))

    assert len(samples_of(played.all())) == FRAMES
    opened = played.heard.wait_for(Opened)
    assert (opened.duration_ms, opened.is_live, opened.can_seek) == (20002, False, True)
    # The first connection is kept while libav looks at the end of the file.
    assert len(web.requests) == (2 if serve is ranged else 1)


@pytest.mark.parametrize("serve", [ranged, whole])
def test_an_m4a_whose_index_is_at_the_end_plays(
    web: WebServer, play: Play, m4a: bytes, serve: Callable[[bytes], Behaviour]
) -> None:
    assert m4a.index(b"moov") > m4a.index(b"mdat")

    played = play(web.serve("/song.m4a", serve(m4a)))

    assert len(samples_of(played.all())) == FRAMES


@pytest.mark.parametrize("serve", [ranged, whole])
def test_it_starts_at_a_position(
    web: WebServer, play: Play, serve: Callable[[bytes], Behaviour]
) -> None:
    played = play(web.serve("/song.wav", serve(WAV)), position_ms=15500)

    pcm = samples_of(played.all())

    assert np.array_equal(pcm, SONG[15500 * RATE // 1000 :])
    if serve is ranged:
        assert web.requests[-1].range_start is not None
        assert web.requests[-1].range_start > len(WAV) // 2


@pytest.mark.parametrize("serves_ranges", [True, False])
def test_a_broken_connection_is_continued_at_its_byte(
    web: WebServer, play: Play, *, serves_ranges: bool
) -> None:
    breaks = iter([300_001, 333, 700_000])
    full = whole(WAV)

    def broken(exchange: Exchange) -> None:
        exchange.answer("200 OK", f"Content-Length: {len(WAV)}", body=WAV[:500_000])

    behaviour = (
        ranged(WAV, breaks=breaks) if serves_ranges else in_turn(broken, broken, full)
    )
    played = play(web.serve("/song.wav", behaviour))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert len(web.requests) >= 3


def test_a_server_that_stops_in_the_middle_is_asked_again(
    web: WebServer, play: Play
) -> None:
    def stuck(exchange: Exchange) -> None:
        headers = (f"Content-Length: {len(WAV)}", "Accept-Ranges: bytes")
        exchange.answer("200 OK", *headers, body=WAV[:400_000])
        exchange.hold()

    url = web.serve("/song.wav", in_turn(stuck, ranged(WAV)))
    played = play(url, limits=replace(HASTY, read_s=0.3))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert not played.heard.of(Failed)


def test_received_part_of_a_file_that_stays_broken_plays_out(
    web: WebServer, play: Play
) -> None:
    def broken(exchange: Exchange) -> None:
        body = WAV[: 44 + 8 * RATE] if exchange.range_start is None else b""
        exchange.answer(
            "200 OK", f"Content-Length: {len(WAV)}", "Accept-Ranges: bytes", body=body
        )

    played = play(web.serve("/song.wav", broken))
    pcm = samples_of(played.all())

    assert np.array_equal(pcm[:RATE], SONG[:RATE])
    assert 1.5 * RATE < len(pcm) <= 2 * RATE
    assert played.heard.names() == ["Opened", "Buffered", "Failed"]
    assert type(played.failure().error) is MediaUnreachableError


def test_a_file_that_changes_while_it_plays_fails(web: WebServer, play: Play) -> None:
    other = ranged(WAV + b"more")
    broken = ranged(WAV, breaks=iter([500_000]))

    played = play(web.serve("/song.wav", in_turn(broken, other)))
    played.all()

    assert "it changed on its server" in str(played.failure().error)


def test_a_range_that_is_refused_later_fails(web: WebServer, play: Play) -> None:
    broken = ranged(WAV, breaks=iter([500_000]))
    url = web.serve("/song.wav", in_turn(broken, status("403 Forbidden")))

    played = play(url)
    played.all()

    assert type(played.failure().error) is MediaForbiddenError


def test_a_server_that_only_claims_to_know_ranges_is_coped_with(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    def claiming(exchange: Exchange) -> None:
        headers = (f"Content-Length: {len(mp3)}", "Accept-Ranges: bytes")
        exchange.answer("200 OK", *headers, body=mp3)

    played = play(web.serve("/song.mp3", claiming))

    assert len(samples_of(played.all())) == FRAMES


def test_redirects_are_followed(web: WebServer, play: Play) -> None:
    web.serve("/2", redirect("/song.wav?token=1", "307 Temporary Redirect"))
    web.serve("/song.wav", ranged(WAV))

    played = play(web.serve("/1", redirect("/2")))

    assert len(samples_of(played.all())) == FRAMES
    assert web.paths()[:3] == ["/1", "/2", "/song.wav?token=1"]


def test_login_and_odd_characters_in_a_url_reach_the_server(
    web: WebServer, play: Play
) -> None:
    web.serve("/my%20s%C3%B6ng.wav", ranged(WAV))
    url = f"http://me:p%40ss@127.0.0.1:{web.port}/my söng.wav?a=%20b"

    played = play(url)

    assert len(samples_of(played.all())) == FRAMES
    assert web.paths()[0] == "/my%20s%C3%B6ng.wav?a=%20b"
    assert "Authorization: Basic bWU6cEBzcw==" in web.requests[0].head


def test_a_range_without_a_length_must_be_followed_by_the_whole(
    web: WebServer, play: Play
) -> None:
    def unmeasured(exchange: Exchange) -> None:
        start = exchange.range_start or 0
        total = f"Content-Range: bytes {start}-{len(WAV) - 1}/*"
        exchange.answer("206 Partial Content", total, body=WAV[start : start + 900_000])

    url = web.serve("/x", in_turn(ranged(WAV, breaks=iter([300_000])), unmeasured))

    assert np.array_equal(samples_of(play(url).all()), SONG)
