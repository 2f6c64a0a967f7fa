"""Segments: encrypted, in ranges, redirected, missing, and where they must not be."""

from dataclasses import replace
from pathlib import Path
import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
import pytest

from custom_components.airplay.raop.audio.events import Opened
from custom_components.airplay.raop.decoder.guard.reach import ANYWHERE
from custom_components.airplay.raop.decoder.guard.segments import SegmentOpener
from custom_components.airplay.raop.decoder.job_scope import JobScope
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.errors import (
    MediaError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaOutOfBoundsError,
    MediaUnreachableError,
)
from custom_components.airplay.raop.messages import MediaBounds
from tests.raop.audio.conftest import Play
from tests.raop.audio.media import RATE, noise, segments
from tests.raop.audio.recorder import HASTY
from tests.raop.audio.web_server import (
    Exchange,
    WebServer,
    in_turn,
    ranged,
    redirect,
    status,
    whole,
)

SECONDS = 12
SONG = noise(SECONDS * RATE)
KEY, START = bytes(range(16)), bytes(range(100, 116))
HEX_START = START.hex()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a playlist and its segments."""
    folder = tmp_path / "stream"
    folder.mkdir()
    segments(folder, SONG)
    return folder


@pytest.fixture
def plain(folder: Path, play: Play) -> bytes:
    """Return the PCM of the plain segments."""
    return play(str(folder / "media.m3u8")).all()


def serve(web: WebServer, folder: Path, under: str = "") -> str:
    """Serve a folder, and return the URL of its playlist."""
    for path in folder.iterdir():
        web.serve(f"{under}/{path.name}", ranged(path.read_bytes(), "video/mp2t"))
    return f"http://127.0.0.1:{web.port}{under}/media.m3u8"


def encrypt(folder: Path, key: str) -> None:
    """Encrypt all segments with AES-128, and name the key in the playlist."""
    for path in folder.glob("*.ts"):
        padder = PKCS7(128).padder()
        padded = padder.update(path.read_bytes()) + padder.finalize()
        cipher = Cipher(AES(KEY), CBC(START)).encryptor()
        path.write_bytes(cipher.update(padded) + cipher.finalize())
    (folder / "stream.key").write_bytes(KEY)
    playlist = folder / "media.m3u8"
    line = f'#EXT-X-KEY:METHOD=AES-128,URI="{key}",IV=0x{HEX_START}\n'
    playlist.write_text(playlist.read_text().replace("#EXTINF", f"{line}#EXTINF", 1))


@pytest.mark.parametrize(
    "key", ["stream.key", "data:text/plain;base64,AAECAwQFBgcICQoLDA0ODw=="]
)
def test_encrypted_segments_play(
    web: WebServer, play: Play, folder: Path, plain: bytes, key: str
) -> None:
    encrypt(folder, key)

    assert play(serve(web, folder)).all() == plain
    assert play(str(folder / "media.m3u8")).all() == plain


@pytest.mark.parametrize("front", ["\ufeff", "\ufeff\r\n", "\n \n"])
def test_what_precedes_the_head_of_a_playlist_does_not_matter(
    web: WebServer, play: Play, folder: Path, plain: bytes, front: str
) -> None:
    playlist = folder / "media.m3u8"
    playlist.write_bytes(front.encode() + playlist.read_bytes())

    assert play(str(playlist)).all() == plain
    assert play(serve(web, folder)).all() == plain


@pytest.mark.parametrize("key", ["data:,short", "data:;base64,A", "file:/etc/passwd"])
def test_an_invalid_key_is_reported(
    web: WebServer, play: Play, folder: Path, key: str
) -> None:
    encrypt(folder, key)

    assert isinstance(play(serve(web, folder)).failure().error, MediaError)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_segments_in_one_file_play(
    web: WebServer, play: Play, folder: Path, plain: bytes, knows_ranges: bool
) -> None:
    joined, lines = b"", []
    for line in (folder / "media.m3u8").read_text().splitlines():
        if line.endswith(".ts"):
            piece = (folder / line).read_bytes()
            lines += [f"#EXT-X-BYTERANGE:{len(piece)}@{len(joined)}", "all.ts"]
            joined += piece
        else:
            lines.append(line)
    text = "\n".join(lines).replace("#EXT-X-VERSION:3", "#EXT-X-VERSION:4") + "\n"
    (folder / "media.m3u8").write_text(text)
    (folder / "all.ts").write_bytes(joined)
    url = serve(web, folder)
    if not knows_ranges:
        web.serve("/all.ts", whole(joined, "video/mp2t"))

    assert play(str(folder / "media.m3u8")).all() == plain
    assert play(url).all() == plain
    asked = [each.head for each in web.requests if each.path == "/all.ts"]
    assert any(re.search(r"(?i)range: bytes=[1-9]\d*-\d+", head) for head in asked)


def test_segments_are_found_beside_the_target_of_a_redirect(
    web: WebServer, play: Play, folder: Path, plain: bytes
) -> None:
    encrypt(folder, "stream.key")
    to = serve(web, folder, "/session/17")
    web.serve("/low.m3u8", redirect(to))
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=192000\nlow.m3u8\n"

    assert play(web.serve("/master.m3u8", whole(master))).all() == plain


def test_a_missing_segment_is_skipped(
    web: WebServer, play: Play, folder: Path, plain: bytes
) -> None:
    url = serve(web, folder)
    web.serve("/media5.ts", status("404 Not Found"))

    pcm = play(url).all()

    assert 0.7 * len(plain) < len(pcm) < 0.95 * len(plain)


def test_a_segment_that_breaks_off_is_left(
    web: WebServer, play: Play, folder: Path, plain: bytes
) -> None:
    url = serve(web, folder)
    part = (folder / "media5.ts").read_bytes()
    web.serve("/media5.ts", ranged(part, breaks=iter([len(part) // 2] * 9)))

    pcm = play(url).all()

    assert 0.8 * len(plain) < len(pcm) < len(plain)


def test_a_stream_whose_segments_are_gone_fails_with_the_reason(
    web: WebServer, play: Play, folder: Path
) -> None:
    url = serve(web, folder)
    for number in range(4, SECONDS + 1):
        web.serve(f"/media{number}.ts", status("404 Not Found"))

    played = play(url)
    pcm = played.all()

    assert type(played.failure().error) is MediaNotFoundError
    assert len(pcm) > 2 * RATE * 4


def test_a_live_playlist_that_is_gone_is_opened_again(
    web: WebServer, play: Play, folder: Path
) -> None:
    url = serve(web, folder)
    text = (folder / "media.m3u8").read_bytes().replace(b"#EXT-X-ENDLIST", b"")
    live = whole(text.replace(b"#EXT-X-PLAYLIST-TYPE:VOD\n", b""))
    gone = status("503 Service Unavailable")
    web.serve("/media.m3u8", in_turn(live, live, gone))

    played = play(url, limits=replace(HASTY, reconnect_s=0.3))
    played.all()

    assert type(played.failure().error) is MediaUnreachableError


def test_a_playlist_without_end_is_not_read_to_it(
    web: WebServer, play: Play, folder: Path
) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n#EXT-X-VERSION:3\n")
        while not exchange.ending.is_set():
            exchange.send(b"#" * 65536)

    error = play(web.serve("/media.m3u8", endless)).failure().error

    assert type(error) is MediaNotAudioError
    assert "its playlist is too long" in str(error)


@pytest.mark.parametrize("address", ["file:{}", "file://{}", "crypto:file:{}"])
def test_a_playlist_on_the_web_names_no_file(
    web: WebServer, play: Play, folder: Path, address: str
) -> None:
    named = address.format(folder / "media0.ts")
    text = (folder / "media.m3u8").read_text().replace("media0.ts", named)
    url = web.serve("/media.m3u8", whole(text.encode()))

    assert isinstance(play(url).failure().error, MediaError)


def test_a_segment_in_a_file_is_said_to_be_out_of_bounds(
    web: WebServer, play: Play, folder: Path
) -> None:
    text = (folder / "media.m3u8").read_text()
    named = text.replace("media0.ts", f"file:{folder / 'media0.ts'}")

    error = play(web.serve("/media.m3u8", whole(named.encode()))).failure().error

    assert type(error) is MediaOutOfBoundsError


def test_segments_of_a_local_playlist_are_in_the_allowed_folders(
    play: Play, folder: Path, tmp_path: Path, plain: bytes
) -> None:
    playlist = str(folder / "media.m3u8")
    (tmp_path / "secret").mkdir()
    bounds = MediaBounds(folders=(str(folder),))
    assert play(playlist, bounds=bounds).all() == plain

    (folder / "media0.ts").rename(tmp_path / "secret" / "media0.ts")
    (folder / "media0.ts").symlink_to(tmp_path / "secret" / "media0.ts")

    assert type(play(playlist, bounds=bounds).failure().error) is MediaOutOfBoundsError
    assert play(playlist).all() == plain


def test_other_kinds_of_addresses_are_not_opened(play: Play, folder: Path) -> None:
    playlist = folder / "media.m3u8"
    playlist.write_text(playlist.read_text().replace("media", "concat:media"))

    assert isinstance(play(str(playlist)).failure().error, MediaError)


def test_an_address_of_another_kind_is_skipped_at_first() -> None:
    opener = SegmentOpener("file:/a.m3u8", JobScope(HASTY), ANYWHERE)

    assert opener("concat:/etc/passwd|/etc/passwd", 1, {}).read(10) == b""
    assert (
        opener("crypto:file:/etc/passwd", 1, {"key": "00", "iv": "x"}).read(10) == b""
    )

    assert opener.problem is not None
    assert opener.problem.kind is MediaNotAudioError


def test_what_was_refused_ends_the_stream() -> None:
    opener = SegmentOpener("http://a.example/a.m3u8", JobScope(HASTY), ANYWHERE)
    with pytest.raises(UnplayableError, match="outside the allowed folders"):
        opener("file:/etc/passwd", 1, {})

    assert opener("http://127.0.0.1/x", 1, {}).read(10) == b""


def test_an_invalid_address_behind_a_redirect_is_reported(
    web: WebServer, play: Play
) -> None:
    listed = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nhttp://[\n#EXT-X-ENDLIST\n"
    web.serve("/to.m3u8", whole(listed))
    web.serve("/low.m3u8", redirect("/to.m3u8"))
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=192000\nlow.m3u8\n"

    error = play(web.serve("/master.m3u8", whole(master))).failure().error

    assert "an address in its playlist is not valid" in str(error)


@pytest.mark.parametrize("is_local", [True, False])
def test_a_recording_behind_a_dead_variant_plays_once(
    web: WebServer, play: Play, folder: Path, plain: bytes, is_local: bool
) -> None:
    master = (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nmissing.m3u8\n"
        b"#EXT-X-STREAM-INF:BANDWIDTH=128000\nmedia.m3u8\n"
    )
    (folder / "master.m3u8").write_bytes(master)
    serve(web, folder)
    path = str(folder / "master.m3u8")
    url = path if is_local else web.serve("/master.m3u8", whole(master))

    played = play(url)

    assert played.all() == plain
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]
    assert not played.heard.wait_for(Opened).is_live
    assert web.paths().count("/media0.ts") == (0 if is_local else 1)
    assert len(play(url, position_ms=2000).all()) == len(plain) - 2 * RATE * 4


def test_names_of_segments_do_not_matter(
    web: WebServer, play: Play, folder: Path, plain: bytes
) -> None:
    playlist = folder / "media.m3u8"
    for ending in ("", ".php"):
        text = playlist.read_text().replace(".ts", ending)
        for path in folder.glob("*.ts"):
            path.with_suffix(ending).write_bytes(path.read_bytes())
        other = folder / f"other{ending}.m3u8"
        other.write_text(text)
        serve(web, folder)

        assert play(str(other)).all() == plain
        assert play(f"http://127.0.0.1:{web.port}/{other.name}").all() == plain
