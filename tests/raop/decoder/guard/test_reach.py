"""What comes from outside leads to no address inside, whatever way it takes."""

from pathlib import Path
import socket

import pytest

from custom_components.airplay.raop.decoder.guard.reach import (
    ANYWHERE,
    PUBLIC,
    reach_from,
)
from custom_components.airplay.raop.errors import (
    MediaOutOfBoundsError,
    MediaUnreachableError,
)
from custom_components.airplay.raop.messages import MediaBounds
from tests.raop.audio.conftest import Keep, Play
from tests.raop.audio.media import RATE, noise, segments, wav
from tests.raop.audio.web_server import WebServer, ranged, redirect, whole

WAV = wav(noise(RATE))

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.30.32.2",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.251",
    "::1",
    "::",
    "::ffff:192.168.1.1",
    "64:ff9b::c0a8:101",
    "2002:7f00:1::",
    "fe80::1%eth0",
    "fd00::1",
    "fec0::1",
    "ff02::fb",
    "not an address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_public_server_leads_to_no_private_address(address: str) -> None:
    assert not reach_from("8.8.8.8").allows(address)
    assert not reach_from("2a00:1450::8").allows(address)
    assert not PUBLIC.allows(address)


@pytest.mark.parametrize("server", ["8.8.8.8", "192.168.1.5", "127.0.0.1", "fd00::5"])
def test_any_server_leads_to_public_addresses(server: str) -> None:
    assert reach_from(server).allows("9.9.9.9")
    assert reach_from(server).allows("2a00:1450::8")


@pytest.mark.parametrize(
    ("server", "near", "far"),
    [
        ("192.168.1.5", "192.168.1.5", "127.0.0.1"),
        ("192.168.1.5", "192.168.2.9", "172.30.32.2"),
        ("10.0.0.5", "10.0.1.1", "10.9.0.1"),
        ("::ffff:10.0.0.5", "10.0.1.1", "::1"),
        ("172.16.0.5", "172.16.4.4", "172.30.32.2"),
        ("127.0.0.1", "::1", "192.168.1.1"),
        ("fd12:3456:789a::5", "fd12:3456:789a:1::7", "fd00::1"),
        ("fe80::5%eth0", "fe80::9%eth0", "fd00::1"),
        ("169.254.3.4", "169.254.5.6", "192.168.1.1"),
        ("100.64.0.5", "100.64.9.9", "100.99.0.1"),
    ],
)
def test_a_private_server_leads_to_its_own_network(
    server: str, near: str, far: str
) -> None:
    assert reach_from(server).allows(near)
    assert not reach_from(server).allows(far)


def test_the_other_addresses_of_a_private_server_are_its_networks_too() -> None:
    assert reach_from("fd00::5", "192.168.1.5").allows("192.168.1.9")


def test_a_public_server_gets_no_network_by_a_second_address() -> None:
    assert not reach_from("8.8.8.8", "192.168.1.5").allows("192.168.1.5")


def test_a_user_reaches_everything() -> None:
    assert all(ANYWHERE.allows(address) for address in PRIVATE)


def test_what_two_allow_is_what_each_allows() -> None:
    home, office = reach_from("192.168.1.5"), reach_from("10.0.0.5")

    assert ANYWHERE.narrowed(home) == home == home.narrowed(ANYWHERE)
    assert home.narrowed(home) == home
    assert home.narrowed(office) == PUBLIC


def named(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    """Resolve these names, and addresses to themselves."""

    def look_up(host: str, port: int, **_: object) -> list[object]:
        address = names.get(host.partition(".")[0], host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def refused(play: Play, url: str, web: WebServer) -> None:
    """Play media that leads to this server, and see that it does not get there."""
    error = play(url).failure().error

    assert type(error) is MediaOutOfBoundsError
    assert "the song" in str(error)
    assert web.requests == []


def test_a_redirect_of_a_stranger_stays_outside(
    stranger: WebServer, web: WebServer, play: Play
) -> None:
    inside = web.serve("/reboot.cgi", ranged(WAV))

    refused(play, stranger.serve("/song.wav", redirect(inside)), web)


@pytest.mark.parametrize("name", ["list.m3u", "list.pls"])
def test_a_playlist_of_a_stranger_stays_outside(
    stranger: WebServer, web: WebServer, play: Play, name: str
) -> None:
    inside = web.serve("/media/local/song.wav", ranged(WAV))
    content = f"[playlist]\nFile1={inside}\n" if "pls" in name else f"#EXTM3U\n{inside}"

    refused(play, stranger.serve(f"/{name}", whole(content.encode())), web)


def test_a_name_counts_by_its_address_at_that_time(
    stranger: WebServer, web: WebServer, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = web.serve("/song.wav", ranged(WAV)).replace("127.0.0.1", "rebound.example")
    named(monkeypatch, rebound="127.0.0.1")

    refused(play, stranger.serve("/list", whole(f"#EXTM3U\n{inside}".encode())), web)


def test_a_stranger_does_not_get_inside_by_a_list_of_a_neighbor(
    stranger: WebServer, web: WebServer, play: Play
) -> None:
    inside = web.serve("/song.wav", ranged(WAV))
    outside = stranger.serve("/back", redirect(inside))
    url = web.serve("/list.m3u", whole(f"#EXTM3U\n{outside}\n".encode()))

    assert type(play(url).failure().error) is MediaOutOfBoundsError
    assert "/song.wav" not in web.paths()


def test_segments_of_a_stranger_stay_outside(
    stranger: WebServer, web: WebServer, play: Play, tmp_path: Path
) -> None:
    playlist = segments(tmp_path, noise(5 * RATE)).read_text()
    inside = web.serve("/media0.ts", ranged((tmp_path / "media0.ts").read_bytes()))
    listed = playlist.replace("media0.ts", inside).encode()

    refused(play, stranger.serve("/media.m3u8", whole(listed)), web)


def test_variants_of_a_stranger_stay_outside(
    stranger: WebServer, web: WebServer, play: Play, tmp_path: Path
) -> None:
    inside = web.serve(
        "/media.m3u8", whole(segments(tmp_path, noise(RATE)).read_bytes())
    )
    master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=192000\n{inside}\n".encode()

    refused(play, stranger.serve("/master.m3u8", whole(master)), web)


def test_what_a_strangers_playlist_named_earlier_stays_outside(
    web: WebServer, play: Play
) -> None:
    url = web.serve("/song.wav", ranged(WAV))

    stranger = play(url, bounds=MediaBounds(named_by="8.8.8.8")).failure().error
    neighbor = play(url, bounds=MediaBounds(named_by="127.0.0.1"))

    assert type(stranger) is MediaOutOfBoundsError
    assert len(neighbor.all()) == RATE * 4


def test_a_server_at_home_names_no_router(web: WebServer, play: Play) -> None:
    listed = b"#EXTM3U\nhttp://192.168.1.1/reboot.cgi?x\n"

    error = play(web.serve("/list.m3u", whole(listed))).failure().error

    assert type(error) is MediaOutOfBoundsError


def test_a_playlist_of_a_stranger_leads_to_others_outside(
    stranger: WebServer, play: Play
) -> None:
    song = stranger.serve("/song.wav", ranged(WAV))
    url = stranger.serve("/list.m3u", whole(f"#EXTM3U\n{song}\n".encode()))

    assert len(play(url).all()) == RATE * 4


def test_a_local_playlist_leads_to_servers_at_home(
    web: WebServer, play: Play, keep: Keep
) -> None:
    song = web.serve("/song.wav", ranged(WAV))

    assert len(play(keep("list.m3u", f"#EXTM3U\n{song}\n".encode())).all()) == RATE * 4


def test_a_host_without_an_address_is_unreachable(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    error = play("http://nowhere.example/x").failure().error

    assert type(error) is MediaUnreachableError
