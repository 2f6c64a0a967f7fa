"""Media of servers that end, announce, or cut their transfers oddly, as it is heard."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs
from tests.ha.sound import RATE
from tests.ha.watch import Watch
from tests.raop.audio.media import wav
from tests.raop.audio.web_server import (
    Behaviour,
    Exchange,
    WebServer,
    in_turn,
    redirect,
)
from tests.raop.decoder.transfer.behaviours import (
    announcing,
    closed,
    in_chunks,
    unstated,
)
from tests.virtual_receiver import VirtualReceiver

ICY = ("icy-name: Music Assistant", "Content-Type: audio/flac")


@pytest.fixture
def server(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server that behaves as it is told."""
    server = WebServer()
    yield server
    server.close()


def samples(name: str, seconds: float = 1.5) -> np.ndarray[tuple[int, int]]:
    """Return the samples of a song, a row for each frame."""
    return np.frombuffer(Songs.pcm(name, seconds), "<i2").reshape(-1, 2)


def flac(name: str, seconds: float = 1.5) -> bytes:
    """Return a song as FLAC that does not state its length."""
    return unstated(samples(name, seconds))


@pytest.mark.parametrize(
    "serve",
    [
        lambda body: in_chunks(body, *ICY),
        lambda body: closed(body, *ICY),
        lambda body: in_turn(in_chunks(body[:150_000], ends=False), in_chunks(body)),
    ],
    ids=["chunks of a station", "closed by a station", "broken once"],
)
async def test_finite_sound_is_heard_once(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: WebServer,
    serve: Callable[[bytes], Behaviour],
) -> None:
    watch = Watch(hass, player)

    await play(hass, player, server.serve("/a.flac", serve(flac("a"))))
    await watch.until_is("idle")
    await kitchen.drain()

    assert kitchen.heard(Songs.pcm("a")).is_complete
    assert len(server.requests) <= 2
    assert sound_frames(kitchen) == round(1.5 * RATE)


def sound_frames(receiver: VirtualReceiver) -> int:
    """Return how many frames were no silence; no sample of a song is zero."""
    heard = b"".join(each.sound for each in receiver.recording.packets)
    return int(np.frombuffer(heard, "<i2").reshape(-1, 2).any(axis=1).sum())


async def test_live_sound_continues_after_a_clean_end(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: WebServer
) -> None:
    def last(exchange: Exchange) -> None:
        closed(flac("b", 2))(exchange)
        exchange.hold()

    url = server.serve("/live", in_turn(closed(flac("a")), last))
    watch = Watch(hass, player)
    await play(hass, player, url)
    await kitchen.wait_frames(round(2.5 * RATE))

    assert kitchen.heard(Songs.pcm("a")).is_complete
    assert len(server.requests) == 2
    assert state_of(hass, player).state == "playing"
    assert watch.names == ["idle", "buffering", "playing"]
    await call(hass, player, "media_stop")


async def test_songs_of_an_estimated_length_follow_each_other_without_a_gap(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: WebServer
) -> None:
    one, two = flac("a", 2), flac("b", 2)
    watch = Watch(hass, player)

    await play(
        hass, player, server.serve("/a.flac", announcing(one, len(one) + 500, *ICY))
    )
    await play(
        hass,
        player,
        server.serve("/b.flac", announcing(two, len(two) - 500)),
        enqueue="add",
    )
    await watch.until_is("idle")
    await kitchen.drain()

    assert kitchen.heard(Songs.pcm("a", 2) + Songs.pcm("b", 2)).is_complete


@pytest.mark.parametrize("total", ["all", "*"])
async def test_file_that_is_delivered_in_pieces_is_whole(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: WebServer,
    total: str,
) -> None:
    file = wav(samples("a"))

    def pieces(exchange: Exchange) -> None:
        start = exchange.range_start or 0
        piece = file[start : start + 100_000]
        if not piece:
            exchange.answer("416 Range Not Satisfiable", "Content-Length: 0")
            return
        told = f"{start}-{start + len(piece) - 1}/{'*' if total == '*' else len(file)}"
        exchange.answer(
            "206 Partial Content", f"Content-Range: bytes {told}", body=piece
        )

    watch = Watch(hass, player)
    await play(hass, player, server.serve("/a.wav", pieces))
    await watch.until_is("idle")
    await kitchen.drain()

    assert kitchen.heard(Songs.pcm("a")).is_complete


async def test_address_with_blanks_is_followed_through_twelve_redirects(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: WebServer
) -> None:
    url = server.serve("/a.flac", closed(flac("a")))
    for number in range(12):
        url = server.serve(f"/{number}", redirect(url))
    watch = Watch(hass, player)

    await play(hass, player, f"  {url}\n")
    await watch.until_is("idle")
    await kitchen.drain()

    assert kitchen.heard(Songs.pcm("a")).is_complete
    assert state_of(hass, player).state == "idle"
