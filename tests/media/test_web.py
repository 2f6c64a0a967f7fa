"""Home Assistant's own server is trusted with any certificate."""

from collections.abc import Iterator
import logging
from pathlib import Path
import ssl

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.certificates import write_certificate
from tests.ha.media_server import mp3, picture
from tests.ha.players import call, play, state_of
from tests.ha.watch import logged
from tests.raop.audio.web_server import WebServer, whole
from tests.virtual_receiver import VirtualReceiver


@pytest.fixture
def origin(socket_enabled: None, tmp_path: Path) -> Iterator[str]:
    """Return the address of a server with an untrusted certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path))
    server = WebServer(tls)
    server.serve("/local/one.mp3", whole(mp3(4)))
    server.serve("/local/list.m3u", whole(b"#EXTM3U\none.mp3\n", "audio/x-mpegurl"))
    server.serve("/local/cover.png", whole(picture(60, 40), "image/png"))
    yield f"https://127.0.0.1:{server.port}"
    server.close()


async def test_playlist_and_picture_served_by_home_assistant(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, origin: str
) -> None:
    hass.config.internal_url = origin

    await play(hass, player, "/local/list.m3u", extra={"thumb": "/local/cover.png"})

    assert state_of(hass, player).state == "playing"
    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    await call(hass, player, "media_stop")


async def test_playlist_and_picture_of_a_stranger(
    hass: HomeAssistant,
    player: str,
    origin: str,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(HomeAssistantError, match="its server does not respond"):
        await play(hass, player, f"{origin}/local/list.m3u")
    await play(hass, player, song, extra={"thumb": f"{origin}/local/cover.png"})

    await logged(caplog, "Could not fetch a picture: ClientConnectorCertificate")
    await call(hass, player, "media_stop")
