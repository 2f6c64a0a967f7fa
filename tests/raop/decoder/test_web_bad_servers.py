"""Sources on servers that break the rules of HTTP."""

from dataclasses import replace
import time

import numpy as np
import pytest

from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaUnreachableError,
)

from ..audio.conftest import Play
from ..audio.media import RATE, jpeg, noise, wav
from ..audio.recorder import HASTY
from ..audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    chunked,
    endless_header_line,
    endless_headers,
    redirect,
    silent,
    status,
    whole,
)

SONG = noise(20 * RATE)
WAV = wav(SONG)


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("/loop", "its server redirects in a circle"),
        ("file:///etc/passwd", "redirects to something that is not the web"),
        ("http://[::1/x", "its address is not valid"),
        ("https://", "its address is not valid"),
    ],
)
def test_bad_redirects_fail(web: WebServer, play: Play, to: str, reason: str) -> None:
    failure = play(web.serve("/loop", redirect(to))).failure().error

    assert type(failure) is MediaUnreachableError
    assert reason in str(failure)
    assert len(web.requests) <= 6


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("404 Not Found", MediaNotFoundError),
        ("410 Gone", MediaNotFoundError),
        ("401 Unauthorized", MediaForbiddenError),
        ("403 Forbidden", MediaForbiddenError),
        ("400 Bad Request", MediaError),
        ("429 Too Many Requests", MediaUnreachableError),
        ("500 Internal Server Error", MediaUnreachableError),
        ("503 Service Unavailable", MediaUnreachableError),
        ("204 No Content", MediaUnreachableError),
    ],
)
def test_refusals_of_servers_are_distinguished(
    web: WebServer, play: Play, line: str, error: type[MediaError]
) -> None:
    url = web.serve("/secret?signature=abc", status(line))

    failure = play(url).failure().error

    assert type(failure) is error
    assert failure.status == int(line.partition(" ")[0])
    assert str(failure).startswith("Cannot play the song: ")
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("behaviour", "error", "reason"),
    [
        (whole(b""), MediaEmptyError, "it is empty"),
        (chunked(b""), MediaEmptyError, "it is empty"),
        (
            whole(b"<html>no</html>"),
            MediaNotAudioError,
            "its address leads to a web page",
        ),
        (
            whole(b"\n <!DOCTYPE html>", "text/html"),
            MediaNotAudioError,
            "its address leads to a web page",
        ),
        (
            chunked(b'{"error": "no"}', "application/json"),
            MediaNotAudioError,
            "its address leads to a web page",
        ),
        (whole(jpeg(), "image/jpeg"), MediaNotAudioError, "it is a picture"),
        (whole(wav(noise(0)), "audio/wav"), MediaEmptyError, "it has no sound"),
        (
            whole(np.random.default_rng(1).bytes(200_000)),
            MediaNotAudioError,
            "it is not audio, or it is damaged",
        ),
        (
            endless_headers,
            MediaUnreachableError,
            "its server does not speak HTTP as it should",
        ),
        (endless_header_line, MediaUnreachableError, "it did not start in time"),
        (silent, MediaUnreachableError, "its server does not answer in time"),
        (
            lambda exchange: exchange.send(b"220 ftp ready\r\n"),
            MediaUnreachableError,
            "its server does not speak HTTP as it should",
        ),
        (
            lambda exchange: None,
            MediaUnreachableError,
            "its server broke off the connection",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_bad_behavior_of_servers_is_reported(
    web: WebServer,
    play: Play,
    behaviour: Behaviour,
    error: type[MediaError],
    reason: str,
) -> None:
    limits = replace(HASTY, open_s=2.0, first_s=1.0, read_s=1.0)

    failure = play(web.serve("/song", behaviour), limits=limits).failure().error

    assert (type(failure), str(failure)) == (error, f"Cannot play the song: {reason}")


def drip(exchange: Exchange) -> None:
    """Send a proper MP3, far too slowly."""
    exchange.answer("200 OK", "Content-Length: 1000000")
    while not exchange.ending.wait(0.05):
        exchange.send(b"\xff\xfb\x90\x00")


def junk(exchange: Exchange) -> None:
    """Send nothing that is a format, for ever."""
    exchange.answer("200 OK", "Content-Type: audio/mpeg")
    random = np.random.default_rng(7)
    while not exchange.ending.wait(0.001):
        exchange.send(random.bytes(50_000).replace(b"\xff", b"\x01"))


@pytest.mark.parametrize("behaviour", [drip, junk, endless_header_line, silent])
def test_opening_ends_by_its_deadline_with_any_server(
    web: WebServer, play: Play, behaviour: Behaviour
) -> None:
    limits = replace(HASTY, open_s=0.8, first_s=10, read_s=10)
    begun = time.monotonic()

    failure = play(web.serve("/x", behaviour), limits=limits).failure().error

    assert time.monotonic() - begun < 3
    assert isinstance(failure, (MediaUnreachableError, MediaNotAudioError))


def test_a_free_address_is_unreachable(web: WebServer, play: Play) -> None:
    url = web.serve("/x", silent)
    web.close()

    failure = play(url).failure().error

    assert str(failure) == "Cannot play the song: its server refuses the connection"


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: " + "9" * 5000,
        "Content-Range: bytes 0-{0}/{0}\r\nContent-Length: 100".format("9" * 5000),
        "Retry-After: " + "9" * 2000 + "\r\nContent-Length: 100",
        "Transfer-Encoding: chunked\r\nX-Many: " + "9" * 5000,
    ],
    ids=["length", "range", "retry", "chunked"],
)
@pytest.mark.parametrize("line", ["200 OK", "206 Partial Content", "503 Busy"])
def test_numbers_without_end_are_an_error_of_the_media(
    web: WebServer, play: Play, header: str, line: str
) -> None:
    url = web.serve(
        "/x", lambda exchange: exchange.answer(line, header, body=bytes(200))
    )

    failure = play(url).failure().error

    assert isinstance(failure, MediaError)
    assert str(failure).startswith("Cannot play the song: ")
    assert "decoding failed" not in str(failure)
