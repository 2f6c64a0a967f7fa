"""Stations whose transfers end: live continues, whatever their headers say."""

from dataclasses import replace

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Ended, Failed
from custom_components.airplay.raop.messages import MediaKind

from ..decoder.transfer.behaviours import announcing, closed, in_chunks, unstated
from .conftest import Play
from .media import RATE, noise, samples_of
from .recorder import HASTY
from .web_server import Exchange, WebServer, in_turn

SECONDS = 9
SONG = noise(SECONDS * RATE)
ICY = ("icy-name: Music Assistant", "Content-Type: audio/flac")


@pytest.fixture(scope="module")
def flac() -> bytes:
    """Return the song as FLAC that states no length, as an encoder writes it to a pipe."""
    return unstated(SONG)


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

    pcm = samples_of(played.take(4 * RATE))

    # FLAC holds back less than a second, which is lost at a break.
    assert np.array_equal(pcm[: 2 * RATE], sounds[0][: 2 * RATE])
    assert len(pcm) == 4 * RATE
    assert all(request.range_start is None for request in web.requests)
