"""A queue with unexpected media or users, through actions."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs, is_item
from tests.ha.sound import RATE
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import VirtualReceiver

NOWHERE = "media-source://nobody/x"


class SlowServer:
    """Serves a playlist when a test releases it."""

    def __init__(self) -> None:
        self.asked, self.found = asyncio.Event(), asyncio.Event()
        self.server: TestServer

    async def playlist(self, _: web.Request) -> web.Response:
        """Answer when a test releases it."""
        self.asked.set()
        await self.found.wait()
        return web.Response(text="gone.mp3", content_type="audio/x-mpegurl")

    def url(self, path: str) -> str:
        """Return an address here."""
        return str(self.server.make_url(path))


@pytest.fixture
async def slow(socket_enabled: None) -> AsyncIterator[SlowServer]:
    """Return a server that waits before it answers."""
    slow = SlowServer()
    app = web.Application()
    app.router.add_get("/slow.m3u", slow.playlist)
    slow.server = TestServer(app, host="127.0.0.1")
    await slow.server.start_server()
    try:
        yield slow
    finally:
        await slow.server.close()


async def test_newer_command_wins_over_a_playlist_that_is_still_being_read(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    slow: SlowServer,
) -> None:
    older = hass.async_create_task(play(hass, player, slow.url("/slow.m3u")))
    await slow.asked.wait()

    await play(hass, player, songs.make("a", 4))
    slow.found.set()
    await older

    assert is_item("a")(state_of(hass, player))
    assert state_of(hass, player).attributes["queue_size"] == 1
    await call(hass, player, "media_stop")


async def test_play_while_it_plays_changes_nothing(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a"))
    watch = Watch(hass, player)

    await call(hass, player, "media_play")

    await watch.until_is("idle")
    assert watch.names == ["playing", "idle"]
    assert kitchen.heard(songs.pcm("a")).is_complete
    assert not kitchen.asked("FLUSH")


async def test_seek_in_a_deleted_file_reports_it_and_keeps_playing(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 6))
    (songs.folder / "a.wav").unlink()

    with pytest.raises(HomeAssistantError, match=r"a\.wav cannot be played"):
        await call(hass, player, "media_seek", seek_position=3)

    assert is_item("a")(state_of(hass, player))
    await call(hass, player, "media_stop")


async def test_item_to_play_next_follows_the_one_that_is_sent_already(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 3), enqueue="next")
    assert state_of(hass, player).state == "idle"
    await call(hass, player, "media_play")
    await play(hass, player, songs.make("b", 2), enqueue="add")
    # A second before its end the packets that are sent are those of the next song.
    await kitchen.wait_frames(round(2.4 * RATE))

    await play(hass, player, songs.make("c"), enqueue="next")
    watch = Watch(hass, player)
    await watch.until_is("idle")

    heard = songs.pcm("a", 3) + songs.pcm("b", 2) + songs.pcm("c")
    assert kitchen.heard(heard).is_complete


async def test_next_gets_past_an_item_that_no_source_has(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await play(hass, player, NOWHERE, enqueue="add")
    await play(hass, player, songs.make("a", 4), enqueue="add")

    await call(hass, player, "media_play")

    assert is_item("a")(state_of(hass, player))
    await logged(caplog, f"Kitchen skips an item: {NOWHERE} cannot be played")
    await play(hass, player, NOWHERE, enqueue="add")
    await logged(caplog, f"Kitchen skips {NOWHERE}")
    await call(hass, player, "media_stop")
