"""Playlists, folders, search and restarts, through actions and states."""

from collections.abc import AsyncIterator
from typing import Any, override
from unittest.mock import AsyncMock, Mock

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    async_mock_restore_state_shutdown_restart,
    mock_integration,
    mock_platform,
    mock_restore_cache_with_extra_data,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.components.media_player import (
    MediaClass,
    MediaPlayerEntityFeature,
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.ha.media_server import mp3, radio
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.songs import Songs, can, is_item
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, VirtualReceiver


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """Return a server of songs, a radio station and playlists."""
    app = web.Application()

    def serve(path: str, body: bytes, kind: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type=kind)

        app.router.add_get(path, answer)

    app.router.add_get("/radio", radio)
    serve("/one.mp3", mp3(1.5), "audio/mpeg")
    serve("/two.mp3", mp3(1.5), "audio/mpeg")
    serve(
        "/list.m3u",
        b"#EXTM3U\n#EXTINF:2,Ann - First\none.mp3\n#EXTINF:2,Ben - Second\ntwo.mp3\n",
        "audio/x-mpegurl",
    )
    serve("/list.pls", b"[playlist]\nFile1=one.mp3\nTitle1=Solo\n", "audio/x-scpls")
    serve("/page.m3u", b"<html></html>", "text/html")
    serve("/long.m3u", b"http://127.0.0.1/a.mp3\n" * 100_000, "audio/x-mpegurl")
    running = TestServer(app, host="127.0.0.1")
    await running.start_server()
    try:
        yield running
    finally:
        await running.close()


async def test_playlist_of_a_server_is_a_queue(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: TestServer
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, str(server.make_url("/list.m3u")))

    now = state_of(hass, player).attributes
    assert (now["media_artist"], now["media_title"]) == ("Ann", "First")
    assert (now["queue_position"], now["queue_size"]) == (1, 2)
    assert now["media_playlist"].endswith("/list.m3u")
    await watch.until(lambda state: state.attributes.get("media_title") == "Second")
    await watch.until_is("idle")
    assert len(kitchen.asked("ANNOUNCE")) == 1

    await play(hass, player, str(server.make_url("/list.pls")))
    assert state_of(hass, player).attributes["media_title"] == "Solo"
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("none.m3u", "it was not found"), ("long.m3u", "longer than 1 MiB")],
)
async def test_invalid_playlist_reports_the_reason(
    hass: HomeAssistant, player: str, server: TestServer, path: str, reason: str
) -> None:
    with pytest.raises(HomeAssistantError, match=reason):
        await play(hass, player, str(server.make_url(f"/{path}")))

    assert state_of(hass, player).state == "idle"


async def test_playlist_among_local_media_is_a_queue(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    songs.make("a")
    songs.make("b")
    (songs.folder / "list.m3u").write_text("a.wav\nb.wav\n../../etc/passwd\n")
    watch = Watch(hass, player)

    await play(hass, player, f"{FOLDER}/list.m3u")
    await watch.until(is_item("b"))
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("a") + songs.pcm("b")).is_complete


async def test_folder_is_a_queue_of_its_sound(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    songs.make("box/a")
    songs.make("box/b")
    songs.make("box/deeper/c")
    (songs.folder / "box" / "list.m3u").write_text("a.wav\n")
    (songs.folder / "box" / "cover.jpg").write_bytes(b"no sound")
    watch = Watch(hass, player)

    await play(hass, player, f"{FOLDER}/box")

    now = state_of(hass, player).attributes
    assert (now["queue_position"], now["queue_size"]) == (1, 2)
    assert now["media_playlist"] == "box"
    await watch.until(is_item("box/b"))
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm("box/a") + songs.pcm("box/b")).is_complete


async def test_folder_without_sound_is_reported(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    (songs.folder / "empty").mkdir(parents=True)

    with pytest.raises(HomeAssistantError, match="it contains no playable items"):
        await play(hass, player, f"{FOLDER}/empty")
    with pytest.raises(HomeAssistantError, match="does not exist"):
        await play(hass, player, f"{FOLDER}/nowhere")


async def test_radio_is_live(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: TestServer
) -> None:
    await play(hass, player, str(server.make_url("/radio")))

    assert can(state_of(hass, player), MediaPlayerEntityFeature.PAUSE)
    assert not can(state_of(hass, player), MediaPlayerEntityFeature.SEEK)
    await call(hass, player, "media_pause")
    assert state_of(hass, player).state == "idle"
    assert not kitchen.has_session
    await call(hass, player, "media_play")

    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["media_channel"] == "Radio Test"
    assert len(kitchen.asked("ANNOUNCE")) == 2
    await call(hass, player, "media_stop")


async def test_one_button_stops_and_starts_a_radio(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: TestServer
) -> None:
    await play(hass, player, str(server.make_url("/radio")))

    await call(hass, player, "media_play_pause")
    assert state_of(hass, player).state == "idle"
    await call(hass, player, "media_play_pause")
    assert state_of(hass, player).state == "playing"

    # Twice in a moment: the second press comes while the first is being done.
    await call(hass, player, "media_stop")
    kitchen.clear()
    kitchen.quirks = Quirks(reply_delay_s={"TEARDOWN": 0.5})
    await call(hass, player, "media_play")
    first = hass.async_create_task(call(hass, player, "media_play_pause"))
    await kitchen.wait_for("TEARDOWN")
    await call(hass, player, "media_play_pause")
    await first

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_queue_and_position_outlive_a_restart(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await play(hass, player, songs.make("b", 4), enqueue="add")
    await call(hass, player, "shuffle_set", shuffle=True)
    await call(hass, player, "repeat_set", repeat="all")
    await call(hass, player, "media_seek", seek_position=2)
    await call(hass, player, "media_pause")

    data = await async_mock_restore_state_shutdown_restart(hass)

    extra = data.last_states[player].extra_data
    assert extra
    kept = extra.as_dict()
    assert [each["content_id"] for each in kept["queue"]["items"]] == [
        f"{FOLDER}/a.wav",
        f"{FOLDER}/b.wav",
    ]
    assert (kept["queue"]["shuffle"], kept["queue"]["repeat"]) == (True, "all")
    assert kept["position_ms"] == pytest.approx(2000, abs=700)
    await call(hass, player, "media_stop")


async def test_queue_is_restored_and_waits(
    hass: HomeAssistant, kitchen: VirtualReceiver, songs: Songs
) -> None:
    songs.make("a", 4)
    songs.make("b", 4)
    items = [
        {"id": name, "content_id": f"{FOLDER}/{name}.wav", "content_type": "music"}
        for name in "ab"
    ]
    queue = {
        "version": 1,
        "items": items,
        "order": [0, 1],
        "position": 1,
        "shuffle": False,
        "repeat": "all",
    }
    kept = {"volume": 0.3, "is_muted": False, "queue": queue, "position_ms": 2000}
    mock_restore_cache_with_extra_data(
        hass, [(State("media_player.kitchen", "playing"), kept)]
    )

    player = await set_up(hass, entry_for(kitchen))

    state = state_of(hass, player)
    assert state.state == "idle"
    assert state.attributes["repeat"] == "all"
    assert state.attributes["queue_position"] == 2
    assert state.attributes["volume_level"] == 0.3
    await call(hass, player, "media_play")
    assert is_item("b")(state_of(hass, player))
    assert state_of(hass, player).attributes["media_position"] == 2
    await call(hass, player, "media_stop")


class Library(MediaSource):
    """Has one song and one film, to browse and to search."""

    def __init__(self, address: str = "") -> None:
        """Play the media at an address."""
        super().__init__("library")
        self._address = address

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        shelf = found("shelf", "directory")
        shelf.can_expand = True
        shelf.children = [found("station", "audio/mpeg"), found("film", "video/mp4")]
        return shelf

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        return PlayMedia(url=self._address, mime_type="audio/mpeg")

    @override
    async def async_search_media(
        self, item: MediaSourceItem, query: SearchMediaQuery
    ) -> SearchMedia:
        kinds = {query.search_query: "audio/wav", "film": "video/mp4"}
        return SearchMedia(result=[found(*each) for each in kinds.items()])


def found(name: str, kind: str) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain="library",
        identifier=name,
        media_class=MediaClass.MUSIC,
        media_content_type=kind,
        title=name,
        can_play=True,
        can_expand=False,
        thumbnail=f"https://pictures.example/{name}.jpg",
    )


async def add_library(hass: HomeAssistant, library: Library) -> None:
    """Have an integration bring a media source."""
    mock_integration(hass, MockModule("library"))
    platform = Mock(async_get_media_source=AsyncMock(return_value=library))
    mock_platform(hass, "library.media_source", platform)
    assert await async_setup_component(hass, "library", {})


async def test_browsed_item_has_a_picture_and_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: TestServer,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await add_library(hass, Library(str(server.make_url("/radio"))))
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "media_player/browse_media",
            "entity_id": player,
            "media_content_type": "",
            "media_content_id": "media-source://library",
        }
    )
    (child,) = (await client.receive_json())["result"]["children"]
    assert child["thumbnail"] == "https://pictures.example/station.jpg"

    await play(hass, player, child["media_content_id"])

    state = state_of(hass, player)
    assert state.state == "playing"
    assert state.attributes["media_channel"] == "Radio Test"
    await call(hass, player, "media_stop")


async def test_search_asks_the_media_source(
    hass: HomeAssistant, player: str, hass_ws_client: WebSocketGenerator
) -> None:
    await add_library(hass, Library())
    client = await hass_ws_client()

    async def search(media_id: str) -> Any:
        await client.send_json_auto_id(
            {
                "type": "media_player/search_media",
                "entity_id": player,
                "media_content_type": "",
                "media_content_id": media_id,
                "search_query": "bells",
            }
        )
        return await client.receive_json()

    answer = await search("media-source://library")
    assert [each["title"] for each in answer["result"]["result"]] == ["bells"]
    answer = await search("media-source://nowhere")
    assert not answer["success"]
