"""Media of every kind: good ones, endless ones, and ones that fail halfway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from homeassistant.core import HomeAssistant
from tests.ha.media_server import mp3, radio
from tests.ha.sound import tone, write_wav

_FOLDER = "media-source://media_source/local"
_SECONDS = {"short": 0.4, "song": 2.0, "long": 30.0}
STALL_S = 4.0

GOOD = ["short.wav", "song.wav", "song.mp3", "long.wav", "long.wav", "list.m3u"]
LIVE = ["radio"]
FAILING = ["stall.mp3", "cut.mp3"]
BAD = ["none.wav", "noise.wav", "page.mp3", "gone.mp3"]
_LOCAL = (".wav",)


class Library:
    """Media in a folder of Home Assistant's and on a server."""

    def __init__(self, server: TestServer) -> None:
        """Store their addresses."""
        self._server = server

    def id_of(self, name: str) -> str:
        """Return the id to play a medium by."""
        if name.endswith(_LOCAL):
            return f"{_FOLDER}/{name}"
        return str(self._server.make_url(f"/{name}"))


@asynccontextmanager
async def library(hass: HomeAssistant, folder: Path) -> AsyncIterator[Library]:
    """Write and serve all media."""
    for name, seconds in _SECONDS.items():
        write_wav(folder / f"{name}.wav", tone(seconds))
    (folder / "noise.wav").write_bytes(b"no sound" * 100)
    hass.config.media_dirs["local"] = str(folder)
    app = web.Application()
    app.router.add_get("/radio", radio)
    app.router.add_get("/stall.mp3", _stall)
    app.router.add_get("/cut.mp3", _cut)
    app.router.add_get("/{name}", _serve)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield Library(server)
    finally:
        await server.close()


async def _serve(request: web.Request) -> web.Response:
    match request.match_info["name"]:
        case "song.mp3":
            return web.Response(body=mp3(3), content_type="audio/mpeg")
        case "page.mp3":
            return web.Response(text="<html>Log in</html>", content_type="text/html")
        case "list.m3u":
            names = "#EXTM3U\nsong.mp3\ngone.mp3\nsong.mp3\nstall.mp3\n"
            response = web.Response(text=names, content_type="audio/x-mpegurl")
            # Home Assistant would keep the connection for later.
            response.force_close()
            return response
    return web.Response(status=404)


async def _half(request: web.Request) -> tuple[web.StreamResponse, bytes]:
    sound = mp3(6)
    response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
    response.content_length = len(sound)
    await response.prepare(request)
    await response.write(sound[: len(sound) // 2])
    return response, sound[len(sound) // 2 :]


async def _stall(request: web.Request) -> web.StreamResponse:
    """Bring nothing for a while in the middle."""
    try:
        response, rest = await _half(request)
        await asyncio.sleep(STALL_S)
        await response.write(rest)
    except ConnectionError:
        return response
    return response


async def _cut(request: web.Request) -> web.StreamResponse:
    """Break off in the middle, every time."""
    response, _ = await _half(request)
    assert request.transport
    request.transport.close()
    return response
