"""Voices of slow and odd servers: waited for, and said once and whole."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.watch import Watch
from tests.raop.audio.web_server import Behaviour, Exchange, WebServer
from tests.raop.decoder.transfer.behaviours import closed, in_chunks
from tests.raop.engine.stereo_marks import is_said_whole, voice
from tests.virtual_receiver import VirtualReceiver

from .held_sender import announce


@pytest.fixture
def server(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server that behaves as it is told."""
    server = WebServer()
    yield server
    server.close()


@pytest.mark.parametrize("serve", [closed, in_chunks])
async def test_voice_with_headers_of_a_station_is_said_once(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: WebServer,
    tmp_path: Path,
    serve: Callable[..., Behaviour],
) -> None:
    said = voice(tmp_path / "said.wav", 0.5)
    body = (tmp_path / "said.wav").read_bytes()

    url = server.serve("/said.wav", serve(body, "icy-name: Music Assistant"))
    await announce(hass, player, url, preannounce=False)

    assert is_said_whole(kitchen, said)
    assert len(server.requests) == 1


async def test_voice_that_takes_its_time_is_said_once_and_whole(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: WebServer,
    tmp_path: Path,
) -> None:
    said = voice(tmp_path / "said.wav", 8.5)
    body = (tmp_path / "said.wav").read_bytes()
    # The header states no length, as of what is still being made.
    body = body[:40] + b"\xff" * 4 + body[44:]

    def slow(exchange: Exchange) -> None:
        # A station is given up after five seconds.
        exchange.hold(5.3)
        exchange.answer("200 OK", "Transfer-Encoding: chunked")
        first, second = body[:1_450_000], body[1_450_000:]
        exchange.send(b"%x\r\n%s\r\n" % (len(first), first))
        # What plays meanwhile is in hand.
        exchange.hold(5.3)
        exchange.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(second), second))

    watch = Watch(hass, player)
    await announce(hass, player, server.serve("/said", slow), preannounce=False)

    assert is_said_whole(kitchen, said)
    assert len(server.requests) == 1
    assert watch.names == ["idle"]
