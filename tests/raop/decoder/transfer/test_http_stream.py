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
from ...audio.media import RATE, Samples, noise, samples_of, wav
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


@pytest.mark.parametrize("headers", [(), ICY])
def test_a_live_station_that_closes_properly_is_connected_again(
    web: WebServer, play: Play, headers: tuple[str, ...]
) -> None:
    sounds = [noise(2 * RATE, seed=seed) for seed in range(4)]
    ways = [closed(unstated(each), *headers) for each in sounds[:3]]

    def last(exchange: Exchange) -> None:
        closed(unstated(sounds[3]), *headers)(exchange)
        exchange.hold()

    played = play(web.serve("/live", in_turn(*ways, last)), ahead_frames=60 * RATE)

    pcm = samples_of(played.take(7 * RATE))

    assert np.array_equal(pcm, np.concatenate(sounds)[: 7 * RATE])
    assert len(web.requests) == 4
    assert not played.heard.of(Ended)


def test_a_station_that_the_caller_knows_never_ends(
    web: WebServer, play: Play, flac: bytes
) -> None:
    played = play(
        web.serve("/live", in_chunks(flac)),
        kind=MediaKind.RADIO,
        ahead_frames=60 * RATE,
    )

    pcm = samples_of(played.take(2 * SECONDS * RATE))

    assert np.array_equal(pcm, np.concatenate([SONG, SONG]))
    assert not played.heard.of(Ended)


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
    said = next(at for at in range(half, 0, -1) if np.array_equal(pcm[:at], first[:at]))
    assert said > half - RATE
    assert np.array_equal(pcm[said:], second[said:])


def test_a_voice_that_ends_is_asked_for_once(
    web: WebServer, play: Play, flac: bytes
) -> None:
    played = play(web.serve("/tts", closed(flac)), kind=MediaKind.SPEECH)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert len(web.requests) == 1


def test_a_jingle_that_a_station_begins_with_is_not_waited_for(
    web: WebServer, play: Play
) -> None:
    jingle, later = noise(6 * RATE, seed=8), noise(3 * RATE, seed=10)
    first = unstated(np.concatenate([jingle, noise(4 * RATE, seed=9)]))

    def paced(exchange: Exchange) -> None:
        body = unstated(np.concatenate([jingle, later]))
        exchange.answer("200 OK", *ICY)
        exchange.send(body[: len(body) * 2 // 3])
        exchange.hold(0.8)
        exchange.send(body[len(body) * 2 // 3 :])
        exchange.hold()

    url = web.serve("/live", in_turn(in_chunks(first, *ICY, ends=False), paced))
    played = play(
        url, limits=replace(HASTY, open_s=0.5, read_s=20.0), ahead_frames=60 * RATE
    )

    # Eleven seconds, with FLAC frames that each decoder holds back: later sound came.
    assert len(samples_of(played.take(11 * RATE))) == 11 * RATE
    assert len(web.requests) == 2
    assert not played.heard.of(Failed)


@pytest.mark.parametrize("length", [10_000_000, 100_000])
def test_titles_are_taken_out_whatever_length_is_announced(
    web: WebServer, play: Play, flac: bytes, length: int
) -> None:
    body = with_titles(flac, 8192, {0: b"One"})
    url = web.serve("/live", announcing(body, length, "icy-metaint: 8192"))

    played = play(url)

    assert np.array_equal(samples_of(played.all()), SONG)
    assert played.heard.wait_for(Opened).tags.title == "One"


@pytest.mark.parametrize("headers", [(), ICY])
def test_a_station_with_an_invented_length_is_not_asked_for_ranges(
    web: WebServer, play: Play, headers: tuple[str, ...]
) -> None:
    sounds = [noise(3 * RATE, seed=seed) for seed in range(3)]
    ways = [announcing(unstated(each), 1 << 31, *headers) for each in sounds]

    def last(exchange: Exchange) -> None:
        ways[2](exchange)
        exchange.hold()

    url = web.serve("/live", in_turn(*ways[:2], last))
    played = play(url, ahead_frames=60 * RATE)

    pcm = samples_of(played.take(8 * RATE))

    assert np.array_equal(pcm[: 3 * RATE], sounds[0])
    assert len(pcm) == 8 * RATE
    assert all(request.range_start is None for request in web.requests)


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


def test_a_station_is_not_waited_for_like_a_voice(
    web: WebServer, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits_table(), MediaKind.RADIO, replace(HASTY, read_s=0.3))
    sounds: list[Samples] = [noise(3 * RATE, seed=seed) for seed in (3, 4)]

    def stuck(exchange: Exchange) -> None:
        closed(unstated(sounds[0]), *ICY)(exchange)
        exchange.hold()

    def other(exchange: Exchange) -> None:
        closed(unstated(sounds[1]), *ICY)(exchange)
        exchange.hold()

    url = web.serve("/live", in_turn(stuck, other))
    played = play(url, limits=replace(HASTY, read_s=15.0), ahead_frames=60 * RATE)

    assert len(samples_of(played.take(4 * RATE))) == 4 * RATE
    assert len(web.requests) == 2


def limits_table() -> dict[MediaKind, object]:
    """Return the table of limits."""
    from custom_components.airplay.raop.audio import decoder_link

    return decoder_link._LIMITS  # type: ignore[return-value]
