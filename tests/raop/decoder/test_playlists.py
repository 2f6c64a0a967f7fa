"""Sources on the web that are lists: of addresses, and of pieces of one stream."""

from dataclasses import replace
import gzip
from pathlib import Path
import time

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Opened
from custom_components.airplay.raop.decoder.playlists import entries_of
from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaNotAudioError,
    MediaUnreachableError,
    MediaUnsupportedError,
)

from ..audio.conftest import Keep, Play
from ..audio.media import RATE, noise, samples_of, segments, wav
from ..audio.recorder import HASTY
from ..audio.web_server import WebServer, in_turn, ranged, silent, whole

FRAMES = 20 * RATE + 77
SONG = noise(FRAMES)
WAV = wav(SONG)


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


def test_a_web_playlist_reports_why_none_of_its_entries_opens(
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


@pytest.mark.parametrize(
    "content",
    [
        b"[playlist]" + b"\n" * 65_500,
        b"[playlist]\nfile1=a" + b" " * 65_000 + b"b",
        b"[playlist]\n" + b"file1=a" * 9000,
        b"[playlist]\nFile" + b"1" * 5000 + b"=http://127.0.0.1/song.wav\n",
        b"#EXTM3U\n" + b'#EXTINF:1,"' * 6000,
        b"#EXTM3U\n" + b" \r" * 32_000,
    ],
)
def test_an_odd_playlist_is_read_at_once_and_named(
    web: WebServer, play: Play, keep: Keep, content: bytes
) -> None:
    begun = time.process_time()

    errors = [
        play(web.serve("/list", whole(content))).failure().error,
        play(keep("list.pls", content)).failure().error,
    ]

    assert time.process_time() - begun < 2
    assert all(isinstance(error, MediaError) for error in errors)
    assert all("the song" in str(error) for error in errors)


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        (
            "list.asx",
            "video/x-ms-asf",
            b'<asx><entry><REF HREF="song.wav"></entry></asx>',
        ),
        (
            "list.xspf",
            "application/xspf+xml",
            (
                b"<?xml version='1.0'?><playlist><trackList><track><location>song.wav"
                b"</location></track></trackList></playlist>"
            ),
        ),
        ("list", "text/plain", b"[Reference]\nRef1=mms://x/\nRef2=song.wav\n"),
        ("list", "text/plain", b"File1=song.wav\n"),
        ("list", "audio/x-mpegurl; charset=utf-8", b"# mine\n\nsong.wav\n"),
        ("list.m3u", "application/octet-stream", b"song.wav"),
        ("list", "text/plain", "#EXTM3U\r\nsong.wav\r\n".encode("utf-16")),
        ("list", "", gzip.compress(b"\xef\xbb\xbf\r\n#EXTM3U\n.\\song.wav\n")),
    ],
)
def test_all_formats_are_followed_on_the_web_and_in_files(
    web: WebServer, play: Play, keep: Keep, name: str, kind: str, content: bytes
) -> None:
    web.serve("/song.wav", ranged(WAV))
    keep("song.wav", WAV)

    for address in (web.serve(f"/{name}", whole(content, kind)), keep(name, content)):
        if name == "list" and b"mine" in content and address.startswith("/"):
            # Nothing but its type says what it is, and a file has none.
            continue
        assert len(samples_of(play(address).all())) == FRAMES


def test_dash_is_said_to_be_unsupported(web: WebServer, play: Play, keep: Keep) -> None:
    dash = b"<?xml version='1.0'?>\n<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>"

    for address in (
        web.serve("/m.mpd", whole(dash, "application/dash+xml")),
        keep("m.mpd", dash),
    ):
        error = play(address).failure().error
        assert type(error) is MediaUnsupportedError
        assert "it is a DASH stream, which is not supported" in str(error)


def test_entries_of_a_pls_playlist_are_sorted_by_their_numbers() -> None:
    playlist = b"\xef\xbb\xbf\n[Playlist]\r\nFILE10=ten\r\nfile2 = two \r\nTitle2=2\r\n"

    assert entries_of(playlist) == ["two", "ten"]


def test_entries_of_an_m3u_playlist_are_in_order_and_listed_once() -> None:
    assert entries_of(b"#EXTM3U\r\n#EXTINF:1,A\r\n a \r\n\r\nb\r\na\r\n") == ["a", "b"]
