"""Redirects, servers that are busy, and addresses as people write them."""

from dataclasses import replace
import time

import numpy as np
import pytest

from custom_components.airplay.raop.errors import MediaUnreachableError

from ..audio.conftest import Play
from ..audio.media import RATE, noise, samples_of, wav
from ..audio.recorder import HASTY
from ..audio.web_server import Exchange, WebServer, in_turn, ranged, redirect, status

SONG = noise(2 * RATE)
WAV = wav(SONG)


def hops(web: WebServer, count: int) -> str:
    """Return an address from which so many redirects lead to the song."""
    url = web.serve("/song.wav", ranged(WAV))
    for number in range(count):
        url = web.serve(f"/{number}", redirect(url))
    return url


def test_twenty_redirects_are_followed(web: WebServer, play: Play) -> None:
    assert np.array_equal(samples_of(play(hops(web, 20)).all()), SONG)


def test_more_redirects_are_an_error(web: WebServer, play: Play) -> None:
    failure = play(hops(web, 21)).failure().error

    assert "its server redirects too often" in str(failure)
    assert len(web.requests) == 21


def test_a_circle_of_redirects_is_found(web: WebServer, play: Play) -> None:
    web.serve("/b", redirect("/c"))
    web.serve("/c", redirect("/b#again"))

    failure = play(web.serve("/a", redirect("/b"))).failure().error

    assert "its server redirects in a circle" in str(failure)
    assert web.paths() == ["/a", "/b", "/c"]


def test_a_redirect_to_raw_text_is_followed(web: WebServer, play: Play) -> None:
    web.serve("/Gr%C3%B6%C3%9Fe%20%C4%85.wav", ranged(WAV))

    def serve(exchange: Exchange) -> None:
        head = "HTTP/1.1 302 Found\r\nLocation: /Größe ą.wav\r\nConnection: close\r\n"
        exchange.send(head.encode() + b"\r\n")

    played = play(web.serve("/song", serve))

    assert np.array_equal(samples_of(played.all()), SONG)


def test_a_redirect_without_a_target_is_an_error(web: WebServer, play: Play) -> None:
    failure = play(web.serve("/song", status("302 Found"))).failure().error

    assert type(failure) is MediaUnreachableError
    assert failure.status == 302


@pytest.mark.parametrize(
    ("before", "after"), [(" ", " "), ("\n", "\r\n"), ("\t \u0000", "\u0001")]
)
def test_blanks_around_an_address_do_not_count(
    web: WebServer, play: Play, before: str, after: str
) -> None:
    url = web.serve("/song.wav", ranged(WAV))

    assert np.array_equal(samples_of(play(f"{before}{url}{after}").all()), SONG)
    assert web.paths()[0] == "/song.wav"


def test_a_backslash_is_a_slash(web: WebServer, play: Play) -> None:
    web.serve("/a/song.wav", ranged(WAV))

    url = f"http:\\\\127.0.0.1:{web.port}\\a\\song.wav#t=1"

    assert np.array_equal(samples_of(play(url).all()), SONG)


def test_an_address_with_a_blank_in_its_host_is_not_valid(play: Play) -> None:
    failure = play("http://my host/song.wav").failure().error

    assert "its address is not valid" in str(failure)


@pytest.mark.parametrize("line", ["503 Service Unavailable", "429 Too Many Requests"])
def test_a_server_that_is_busy_is_asked_again_when_it_says(
    web: WebServer, play: Play, line: str
) -> None:
    busy = status(line, "Retry-After: 1")
    begun = time.monotonic()

    played = play(web.serve("/song.wav", in_turn(busy, ranged(WAV))))

    assert np.array_equal(samples_of(played.all()), SONG)
    assert time.monotonic() - begun >= 1
    assert len(web.requests) == 2


@pytest.mark.parametrize(
    ("told", "requests"), [("0", 4), ("6", 1), ("9" * 2000, 1), ("-1", 1), ("soon", 1)]
)
def test_a_server_that_stays_busy_is_an_error(
    web: WebServer, play: Play, told: str, requests: int
) -> None:
    busy = status("503 Service Unavailable", f"Retry-After: {told}")

    failure = play(web.serve("/song.wav", busy)).failure().error

    assert failure.status == 503
    assert len(web.requests) == requests


def test_waiting_for_a_busy_server_ends_by_the_deadline(
    web: WebServer, play: Play
) -> None:
    busy = status("503 Service Unavailable", "Retry-After: 5")
    begun = time.monotonic()

    failure = play(web.serve("/x", busy), limits=replace(HASTY, open_s=0.5)).failure()

    assert "it did not start in time" in str(failure.error)
    assert time.monotonic() - begun < 3
