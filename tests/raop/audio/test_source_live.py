"""Live sources: radios with titles, stalls, broken connections, live playlists."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import (
    Buffered,
    Ended,
    Failed,
    Opened,
    Retitled,
)
from custom_components.airplay.raop.errors import (
    MediaNotAudioError,
    MediaUnreachableError,
)
from custom_components.airplay.raop.messages import Tags

from .conftest import Play
from .media import RATE, encode, noise, samples_of, segments
from .recorder import HASTY
from .web_server import (
    Exchange,
    WebServer,
    chunked,
    in_turn,
    radio,
    ranged,
    status,
    whole,
    with_titles,
)

# Long enough that stalls of a test cannot look like broken connections.
PATIENT = replace(HASTY, read_s=20.0)
SECOND = 24000


@pytest.fixture(scope="module")
def mp3() -> bytes:
    """Return 20 s of MP3 at 192 kbit/s."""
    return encode("mp3", "libmp3lame", noise(20 * RATE))


@pytest.fixture(scope="module")
def later(mp3: bytes) -> bytes:
    """Return what a radio sends later: a new connection gives other sound."""
    return mp3[5 * SECOND :] + mp3[: 5 * SECOND]


@pytest.mark.parametrize("status_line", ["HTTP/1.0 200 OK", "ICY 200 OK"])
def test_a_radio_reports_its_station_and_titles(
    web: WebServer, play: Play, mp3: bytes, status_line: str
) -> None:
    titles = {1: b"Abba - SOS", 8: "M\xfcller - \xc4rger".encode("latin-1"), 9: b""}
    behaviour = radio(
        with_titles(mp3, 8192, titles),
        60,
        interval=8192,
        name="R\xe4dio",
        status_line=status_line,
    )
    played = play(web.serve("/live", behaviour), limits=PATIENT, ahead_frames=60 * RATE)

    opened = played.heard.wait_for(Opened)
    retitled = played.heard.wait_for(Retitled)
    assert (opened.is_live, opened.can_seek, opened.duration_ms) == (True, False, None)
    assert opened.station == "Rädio"
    assert opened.tags == Tags(artist="Abba", title="SOS")
    assert retitled.tags == Tags(artist="Müller", title="Ärger")
    assert 2 * RATE < retitled.at_frame < 4 * RATE
    assert "Icy-MetaData: 1" in web.requests[0].head
    played.heard.wait_for(Buffered)
    played.close()


def test_a_radio_has_no_positions(web: WebServer, play: Play, mp3: bytes) -> None:
    url = web.serve("/live", radio(mp3[: 3 * SECOND], 60))

    played = play(url, position_ms=3_600_000, limits=PATIENT)

    played.heard.wait_for(Buffered)
    played.close()


def test_a_radio_starts_with_half_a_second(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    url = web.serve("/live", radio(mp3[: SECOND * 5 // 4], 60))

    played = play(url, limits=PATIENT)

    played.heard.wait_for(Buffered)
    played.close()


def test_a_radio_that_breaks_off_is_connected_again(
    web: WebServer, play: Play, mp3: bytes, later: bytes
) -> None:
    url = web.serve("/live", in_turn(radio(mp3[: 4 * SECOND]), radio(later, 60)))
    played = play(url, limits=PATIENT)

    assert len(samples_of(played.take(10 * RATE))) == 10 * RATE

    assert played.heard.names() == ["Opened", "Buffered"]
    assert len(web.requests) == 2
    played.close()


def test_a_radio_that_is_silent_for_too_long_is_connected_again(
    web: WebServer, play: Play, mp3: bytes, later: bytes
) -> None:
    url = web.serve("/live", in_turn(radio(mp3[: 4 * SECOND], 60), radio(later, 60)))
    limits = replace(HASTY, read_s=0.4)

    played = play(url, limits=limits)

    assert len(samples_of(played.take(10 * RATE))) == 10 * RATE
    assert played.heard.names() == ["Opened", "Buffered"]
    assert len(web.requests) >= 2
    played.close()


def test_titles_after_a_new_connection_count(
    web: WebServer, play: Play, mp3: bytes, later: bytes
) -> None:
    first = with_titles(mp3[: 4 * SECOND], 8192, {0: b"One"})
    second = with_titles(later, 8192, {0: b"Two"})
    url = web.serve(
        "/live", in_turn(radio(first, interval=8192), radio(second, 60, interval=8192))
    )
    played = play(url, limits=PATIENT, ahead_frames=60 * RATE)

    assert played.heard.wait_for(Opened).tags.title == "One"
    assert played.heard.wait_for(Retitled).tags.title == "Two"
    played.close()


def test_a_radio_that_does_not_return_fails_after_its_last_sound(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    gone = status("503 Service Unavailable")
    url = web.serve("/live", in_turn(radio(mp3[: 4 * SECOND]), gone))

    played = play(url, limits=replace(HASTY, reconnect_s=0.2))
    frames = len(samples_of(played.all()))

    assert played.heard.names() == ["Opened", "Buffered", "Failed"]
    assert type(played.failure().error) is MediaUnreachableError
    assert "did not come back" in str(played.failure().error)
    assert 3.8 * RATE < frames < 4.1 * RATE
    assert len(web.requests) > 4


def test_a_radio_that_breaks_off_at_once_again_and_again_fails(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    sound = iter(range(40))

    def behaviour(exchange: Exchange) -> None:
        at = next(sound) * SECOND // 4
        radio(mp3[at : at + 3 * SECOND])(exchange)

    url = web.serve("/live", behaviour)

    played = play(url, limits=replace(HASTY, reconnect_s=0.3))
    played.all()

    assert "did not come back" in str(played.failure().error)
    assert len(web.requests) < 30


def test_every_good_connection_resets_the_retries(
    web: WebServer, play: Play, mp3: bytes, later: bytes
) -> None:
    url = web.serve("/live", in_turn(radio(mp3), radio(later)))
    limits = replace(HASTY, reconnect_s=0.0, pauses_s=(0.0,))

    played = play(url, limits=limits)

    assert len(samples_of(played.take(65 * RATE))) == 65 * RATE
    assert len(web.requests) >= 4
    assert not played.heard.of(Failed)
    played.close()


def test_closing_ends_the_wait_for_a_radio(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    url = web.serve("/live", in_turn(radio(mp3[: 4 * SECOND]), status("500 No")))
    played = play(url, limits=replace(HASTY, pauses_s=(60,)))
    web.wait_for_requests(2)

    played.close()

    assert not played.heard.of(Failed)


def test_a_radio_of_pages_is_no_audio(web: WebServer, play: Play) -> None:
    played = play(web.serve("/live", radio(b"<html>" * 1000)))

    assert type(played.failure().error) is MediaNotAudioError


def test_a_stream_without_a_length_ends_with_its_last_chunk(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    played = play(web.serve("/tts.mp3", chunked(mp3)))

    frames = len(samples_of(played.all()))

    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert played.heard.wait_for(Opened).is_live
    assert abs(frames - 20 * RATE) < 3000


def test_a_stream_whose_last_chunk_is_missing_is_heard_once(
    web: WebServer, play: Play, mp3: bytes
) -> None:
    url = web.serve("/live", in_turn(chunked(mp3, ends=False), chunked(mp3)))

    played = play(url)
    frames = len(samples_of(played.all()))

    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert abs(frames - 20 * RATE) < 3000


@pytest.mark.parametrize(
    "interval", ["0", "-1", "many", "99999999999", "1" * 5000, "\u0661" * 3]
)
def test_an_interval_of_titles_that_cannot_be_is_ignored(
    web: WebServer, play: Play, mp3: bytes, interval: str
) -> None:
    def serve(exchange: Exchange) -> None:
        headers = (
            "icy-name: x",
            f"icy-metaint: {interval}",
            "Retry-After: " + "9" * 2000,
        )
        exchange.answer("200 OK", *headers, body=mp3)
        exchange.hold()

    played = play(web.serve("/live", serve), limits=PATIENT)

    played.heard.wait_for(Buffered)
    played.close()


def test_a_live_ogg_stream_continues_after_a_new_connection(
    web: WebServer, play: Play
) -> None:
    song, other = noise(5 * RATE), noise(5 * RATE, seed=2)
    first = encode("ogg", "flac", song, metadata={"title": "One"})
    second = encode("ogg", "flac", other, metadata={"title": "Two"})
    kind = "application/ogg"
    url = web.serve(
        "/live",
        in_turn(radio(first, content_type=kind), radio(second, 60, content_type=kind)),
    )
    played = play(url, limits=PATIENT, ahead_frames=60 * RATE)

    assert played.heard.wait_for(Retitled).tags.title == "Two"
    assert np.array_equal(samples_of(played.take(3 * RATE)), song[: 3 * RATE])
    played.close()


def live_playlist(folder: Path, web: WebServer) -> str:
    """Serve a playlist that begins as a live one and never grows."""
    playlist = segments(folder, noise(6 * RATE)).read_bytes()
    for path in folder.glob("*.ts"):
        web.serve(f"/{path.name}", ranged(path.read_bytes(), "video/mp2t"))
    live = playlist.replace(b"#EXT-X-ENDLIST\n", b"").replace(
        b"#EXT-X-PLAYLIST-TYPE:VOD\n", b""
    )
    return web.serve("/live.m3u8", whole(live, "application/vnd.apple.mpegurl"))


def test_a_live_playlist_that_stops_growing_stalls_and_is_opened_again(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    url = live_playlist(tmp_path, web)
    limits = replace(HASTY, segment_s=0.5)

    played = play(url, limits=limits)
    # The six seconds of the playlist, less those before its end, come again.
    assert len(samples_of(played.take(8 * RATE))) == 8 * RATE

    opened = played.heard.wait_for(Opened)
    assert (opened.is_live, opened.can_seek) == (True, False)
    assert not played.heard.of(Ended)
    played.close()


def test_a_broadcast_that_is_over_is_not_played_again(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    url = live_playlist(tmp_path, web)
    over = (tmp_path / "media.m3u8").read_bytes()
    played = play(url, limits=replace(HASTY, segment_s=0.5), ahead_frames=60 * RATE)
    played.heard.wait_for(Buffered)
    web.serve("/live.m3u8", whole(over, "application/vnd.apple.mpegurl"))

    played.heard.wait_for(Ended)

    # Players begin three segments before the end of a live playlist.
    assert len(samples_of(played.all())) < 4.2 * RATE
