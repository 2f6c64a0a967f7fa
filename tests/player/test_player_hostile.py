"""Media, pictures and words of strangers do not hold Home Assistant's event loop."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.held import HELD_S, Held
from tests.ha.media_server import mp3, tagged_mp3
from tests.ha.pictures import HOSTILE
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch
from tests.raop.audio.web_server import (
    Behaviour,
    WebServer,
    radio,
    ranged,
    whole,
    with_titles,
)
from tests.virtual_receiver import VirtualReceiver

MIB = 1 << 20
PLAYLISTS = {
    "newlines.pls": b"[playlist]" + b"\n" * (MIB - 10),
    "blanks.pls": b"[playlist]\nfile1=a" + b" " * (MIB - 100) + b"b",
    "digits.pls": b"[playlist]\nfile" + b"1" * (MIB - 100) + b"=a",
    "keys.pls": b"[playlist]\n" + b"file1=a\n" * (MIB // 8 - 10),
    "line.m3u": b"#EXTM3U\nhttp://" + b"a" * (MIB - 100),
    "names.m3u": b"#EXTM3U\n" + b"#EXTINF:1,a - b\n" * (MIB // 17),
    "entries.m3u": b"#EXTM3U\n" + b"http://192.0.2.1/" + b"\na" * 9_000,
    "dots.m3u": b"#EXTM3U\n" + b"../" * (MIB // 3 - 10),
    "zeros.m3u": bytes(MIB),
}


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


async def attempt(
    hass: HomeAssistant, player: str, media: str, **more: object
) -> float:
    """Play, which may fail; return how long the loop was held."""
    held = Held()
    with suppress(HomeAssistantError):
        await play(hass, player, media, **more)
    return await held.stop()


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("name", PLAYLISTS)
async def test_playlists_do_not_hold_the_loop(
    hass: HomeAssistant, player: str, web: WebServer, song: str, name: str
) -> None:
    await play(hass, player, song)
    address = web.serve(f"/{name}", whole(PLAYLISTS[name], "text/plain"))

    assert await attempt(hass, player, address) < HELD_S
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("name", HOSTILE)
async def test_pictures_do_not_hold_the_loop(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
    web: WebServer,
    name: str,
) -> None:
    thumb = web.serve("/cover", whole(HOSTILE[name], "image/png"))
    watch = Watch(hass, player)
    held = Held()

    await play(hass, player, song, extra={"thumb": thumb})
    await watch.until_is("idle")

    assert await held.stop() < HELD_S
    assert kitchen.heard(song_pcm).is_complete


def covered() -> Behaviour:
    """Serve a song whose cover is as large as one may be."""
    return ranged(tagged_mp3(b"\xff\xd8\xff" + bytes(3_100_000)))


def retitled() -> Behaviour:
    """Serve a radio with a long title in each block."""
    titles = {at: b"%d " % at + b"t" * 4000 for at in range(500)}
    return radio(with_titles(mp3(20), 64, titles), 60, interval=64)


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("behaviour", [covered(), retitled()], ids=["cover", "titles"])
async def test_what_media_says_does_not_hold_the_loop(
    hass: HomeAssistant, player: str, web: WebServer, behaviour: Behaviour
) -> None:
    watch = Watch(hass, player)
    held = Held()

    await play(hass, player, web.serve("/song.mp3", behaviour))
    await watch.until_is("playing")

    assert await held.stop() < HELD_S
    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize(
    "word",
    ["t" * MIB, "[" * MIB, "<b>" * (MIB // 3), " " * MIB],
    ids=["letters", "brackets", "tags", "blanks"],
)
async def test_words_of_a_request_do_not_hold_the_loop(
    hass: HomeAssistant, player: str, song: str, word: str
) -> None:
    extra = {
        "title": word,
        "artist": word,
        "thumb": f"http://{word}/",
        "images": [word],
    }

    assert await attempt(hass, player, song, extra=extra) < HELD_S
    await call(hass, player, "media_stop")
