"""Sources on the web: files that seek and go on, servers with bad manners."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import time

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Buffered, Failed, Opened
from custom_components.airplay.raop.audio.link import Limits
from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaUnreachableError,
)

from .conftest import Play
from .media import RATE, encode, jpeg, noise, samples_of, segments, wav
from .recorder import HASTY
from .web_server import (
    Behaviour,
    Exchange,
    WebServer,
    chunked,
    endless_header_line,
    endless_headers,
    in_turn,
    ranged,
    redirect,
    silent,
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
def test_a_file_comes_out_bit_by_bit(
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


def test_what_was_heard_of_a_file_that_stays_broken_is_played_out(
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


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("/loop", "its server redirects too often"),
        ("file:///etc/passwd", "redirects to something that is not the web"),
        ("http://[::1/x", "its address is not valid"),
        ("https://", "its address is not valid"),
    ],
)
def test_redirects_that_lead_nowhere_fail(
    web: WebServer, play: Play, to: str, reason: str
) -> None:
    failure = play(web.serve("/loop", redirect(to))).failure().error

    assert type(failure) is MediaUnreachableError
    assert reason in str(failure)
    assert len(web.requests) <= 6


def test_login_and_odd_characters_in_a_url_reach_the_server(
    web: WebServer, play: Play
) -> None:
    web.serve("/my%20s%C3%B6ng.wav", ranged(WAV))
    url = f"http://me:p%40ss@127.0.0.1:{web.port}/my söng.wav?a=%20b"

    played = play(url)

    assert len(samples_of(played.all())) == FRAMES
    assert web.paths()[0] == "/my%20s%C3%B6ng.wav?a=%20b"
    assert "Authorization: Basic bWU6cEBzcw==" in web.requests[0].head


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
def test_refusals_of_servers_are_told_apart(
    web: WebServer, play: Play, line: str, error: type[MediaError]
) -> None:
    url = web.serve("/secret?signature=abc", status(line))

    failure = play(url).failure().error

    assert type(failure) is error
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
def test_bad_manners_of_servers_are_told(
    web: WebServer,
    play: Play,
    behaviour: Behaviour,
    error: type[MediaError],
    reason: str,
) -> None:
    limits = replace(HASTY, open_s=2.0, read_s=1.0)

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
def test_opening_ends_by_its_deadline_whatever_the_server_does(
    web: WebServer, play: Play, behaviour: Behaviour
) -> None:
    limits = replace(HASTY, open_s=0.8, read_s=10)
    begun = time.monotonic()

    failure = play(web.serve("/x", behaviour), limits=limits).failure().error

    assert time.monotonic() - begun < 3
    assert isinstance(failure, (MediaUnreachableError, MediaNotAudioError))


def test_nobody_at_the_address_is_unreachable(web: WebServer, play: Play) -> None:
    url = web.serve("/x", silent)
    web.close()

    failure = play(url).failure().error

    assert str(failure) == "Cannot play the song: its server refuses the connection"


@pytest.mark.parametrize("behaviour", [silent, ranged(WAV, breaks=iter([90_000]))])
def test_closing_frees_a_read_that_waits(
    web: WebServer, play: Play, behaviour: Behaviour
) -> None:
    patient = Limits(open_s=60, read_s=60, pauses_s=(60,))

    def hold(exchange: Exchange) -> None:
        behaviour(exchange)
        exchange.hold()

    played = play(web.serve("/song.wav", hold), limits=patient)
    web.wait_for_requests(1)

    begun = time.monotonic()
    played.close()

    assert time.monotonic() - begun < 5
    assert not played.heard.of(Failed)


def test_closing_frees_the_pause_before_the_next_try(
    web: WebServer, play: Play
) -> None:
    patient = Limits(pauses_s=(60,))
    url = web.serve("/song.wav", ranged(WAV, breaks=iter([400_000, 0])))
    played = play(url, limits=patient)
    played.heard.wait_for(Buffered)
    web.wait_for_requests(2)

    played.close()

    assert not played.heard.of(Failed)


def test_a_playlist_on_the_web_is_followed(web: WebServer, play: Play) -> None:
    web.serve("/folder/song.wav", ranged(WAV))
    playlist = (
        f"[playlist]\nFile1=http://127.0.0.1:{web.port}/missing\n"
        "File2=file:///etc/passwd\nFile3=song.wav\n"
    )
    url = web.serve("/folder/listen.pls", whole(playlist.encode(), "audio/x-scpls"))

    played = play(url)

    assert len(samples_of(played.all())) == FRAMES
    assert web.paths()[:3] == ["/folder/listen.pls", "/missing", "/folder/song.wav"]


def test_a_playlist_on_the_web_never_reaches_for_files_here(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    (tmp_path / "song.wav").write_bytes(WAV)
    playlist = f"#EXTM3U\n{(tmp_path / 'song.wav').as_uri()}\n"

    played = play(web.serve("/list.m3u", whole(playlist.encode())))

    assert type(played.failure().error) is MediaEmptyError


def test_a_web_playlist_tells_why_none_of_its_entries_opens(
    web: WebServer, play: Play
) -> None:
    web.serve("/junk", whole(np.random.default_rng(1).bytes(50_000)))

    played = play(web.serve("/list.m3u", whole(b"#EXTM3U\n/missing\n/junk\n")))

    assert type(played.failure().error) is MediaNotAudioError


def serve_folder(web: WebServer, folder: Path) -> None:
    """Serve all files of a folder."""
    for path in folder.iterdir():
        web.serve(f"/{path.name}", ranged(path.read_bytes(), "video/mp2t"))


def test_hls_plays_through_a_master_playlist(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    segments(tmp_path, SONG)
    serve_folder(web, tmp_path)
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=192000\nmedia.m3u8\n"

    played = play(web.serve("/master.m3u8", whole(master, "audio/mpegurl")))

    assert abs(len(samples_of(played.all())) - FRAMES) < 3000
    opened = played.heard.wait_for(Opened)
    assert (opened.is_live, opened.can_seek) == (False, True)


def test_hls_starts_at_a_position(web: WebServer, play: Play, tmp_path: Path) -> None:
    segments(tmp_path, SONG)
    serve_folder(web, tmp_path)
    url = f"http://127.0.0.1:{web.port}/media.m3u8"
    whole_song = len(play(url).all())

    rest = len(play(url, position_ms=7000).all())

    assert abs(whole_song - rest - 7 * RATE * 4) <= 8


def test_hls_whose_segments_are_missing_fails(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    playlist = segments(tmp_path, SONG).read_bytes()

    played = play(web.serve("/media.m3u8", whole(playlist)))

    assert isinstance(played.failure().error, MediaError)


def test_hls_that_never_answers_again_fails_in_time(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    playlist = segments(tmp_path, SONG).read_bytes()
    begun = time.monotonic()
    url = web.serve("/media.m3u8", in_turn(whole(playlist), silent))

    played = play(url, limits=replace(HASTY, open_s=2.0))

    assert type(played.failure().error) is MediaUnreachableError
    assert time.monotonic() - begun < 6


def test_of_several_variants_one_is_loaded(
    web: WebServer, play: Play, tmp_path: Path
) -> None:
    for name in ("low", "high"):
        (tmp_path / name).mkdir()
        segments(tmp_path / name, SONG)
        for path in (tmp_path / name).iterdir():
            web.serve(f"/{name}/{path.name}", ranged(path.read_bytes(), "video/mp2t"))
    master = (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow/media.m3u8\n"
        b"#EXT-X-STREAM-INF:BANDWIDTH=192000\nhigh/media.m3u8\n"
    )

    played = play(web.serve("/master.m3u8", whole(master, "audio/mpegurl")))

    assert abs(len(samples_of(played.all())) - FRAMES) < 3000
    loaded = [
        sum(path.startswith(f"/{name}/media") for path in web.paths())
        for name in ("low", "high")
    ]
    assert min(loaded) <= 3
    assert max(loaded) >= 20


def test_what_follows_a_range_without_a_length_must_be_all(
    web: WebServer, play: Play
) -> None:
    def unmeasured(exchange: Exchange) -> None:
        start = exchange.range_start or 0
        total = f"Content-Range: bytes {start}-{len(WAV) - 1}/*"
        exchange.answer("206 Partial Content", total, body=WAV[start : start + 900_000])

    url = web.serve("/x", in_turn(ranged(WAV, breaks=iter([300_000])), unmeasured))

    assert np.array_equal(samples_of(play(url).all()), SONG)
