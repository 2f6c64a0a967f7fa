"""Radio in the dialog: the station, its logo, and the song."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, override
from unittest.mock import AsyncMock, Mock

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.components.media_player import MediaClass
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.setup import async_setup_component
from tests.ha.media_server import media_server, picture
from tests.ha.players import call, play, state_of
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import VirtualReceiver

SONGS = "title=Ann%20-%20First&title=Second"


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """Return a server of stations and pictures."""
    async with media_server() as running:
        yield running


def facts(state: State) -> tuple[Any, ...]:
    """Return title, artist, album, and channel."""
    words = ("media_title", "media_artist", "media_album_name", "media_channel")
    return tuple(state.attributes.get(each) for each in words)


async def shown(
    hass: HomeAssistant, player: str, media: str, **extra: str
) -> list[Any]:
    """Play a station until its second song; return what was shown of both."""
    watch = Watch(hass, player)
    await play(hass, player, media, extra=extra)
    second = await watch.until(lambda now: "Second" in str(facts(now)[0]), 30)
    await call(hass, player, "media_stop")
    first = next(each for each in watch.states if each.state == "playing")
    return [facts(first), facts(second)]


@pytest.mark.usefixtures("kitchen")
async def test_station_and_song_are_shown(
    hass: HomeAssistant, player: str, server: TestServer
) -> None:
    station = f"{server.make_url('/radio')}?{SONGS}"

    assert await shown(hass, player, station) == [
        ("First", "Ann", "Radio Test", "Radio Test"),
        ("Second", None, "Radio Test", "Radio Test"),
    ]


@pytest.mark.usefixtures("kitchen")
async def test_given_title_names_a_station_without_a_name(
    hass: HomeAssistant, player: str, server: TestServer
) -> None:
    station = f"{server.make_url('/radio')}?{SONGS}&name="

    assert await shown(hass, player, station, title="My Station") == [
        ("First", "Ann", "My Station", "My Station"),
        ("Second", None, "My Station", "My Station"),
    ]


@pytest.mark.usefixtures("kitchen")
async def test_given_title_stands_with_its_artist_until_the_next_song(
    hass: HomeAssistant, player: str, server: TestServer
) -> None:
    station = f"{server.make_url('/radio')}?{SONGS}"
    given = {"title": "Breakfast", "artist": "Bob", "album": "Mornings"}

    assert await shown(hass, player, station, **given) == [
        ("Breakfast", "Bob", "Mornings", "Radio Test"),
        ("Second", None, "Mornings", "Radio Test"),
    ]


@pytest.mark.usefixtures("kitchen")
async def test_given_artist_is_not_mixed_with_the_song_of_another(
    hass: HomeAssistant, player: str, server: TestServer
) -> None:
    station = f"{server.make_url('/radio')}?title=Second&title=Second"

    [first, _] = await shown(hass, player, station, artist="Bob")

    assert first == ("Second", None, "Radio Test", "Radio Test")


async def is_pictured(
    hass: HomeAssistant, player: str, hass_client: ClientSessionGenerator
) -> bool:
    """Return whether the server's picture is served for the player."""
    client = await hass_client()
    address = state_of(hass, player).attributes["entity_picture"]
    served: bytes = await (await client.get(address)).read()
    return served == picture(1600, 900)


async def test_logo_in_a_list_of_stations_is_the_picture(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: TestServer,
    song: str,
    tmp_path: Path,
    hass_client: ClientSessionGenerator,
) -> None:
    (tmp_path / "media" / "stations.m3u").write_text(
        f'#EXTM3U\n#EXTINF:-1 tvg-logo="{server.make_url("/cover.png")}",Jazz\n'
        f"{server.make_url('/radio')}\n"
    )

    await play(hass, player, f"{FOLDER}/stations.m3u")

    assert await is_pictured(hass, player, hass_client)
    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_logo_that_a_server_names_leads_to_no_other_network(
    hass: HomeAssistant,
    player: str,
    server: TestServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")

    async def listed(_: Any) -> Any:
        text = (
            '#EXTM3U\n#EXTINF:-1 tvg-logo="http://192.168.1.1/reboot",Jazz\n'
            f"{server.make_url('/radio')}\n"
        )
        return web.Response(text=text, content_type="audio/x-mpegurl")

    app = web.Application()
    app.router.add_get("/list.m3u", listed)
    lists = TestServer(app, host="127.0.0.1")
    await lists.start_server()

    await play(hass, player, str(lists.make_url("/list.m3u")))

    await logged(caplog, "Could not fetch a picture: OutOfReachError")
    await call(hass, player, "media_stop")
    await lists.close()


class Stations(MediaSource):
    """Lists a station with its favicon, as directories of radio stations do."""

    def __init__(self, server: TestServer) -> None:
        super().__init__("stations")
        self._server = server

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        children = [
            self._station(f"{at}") for at in range(2100 if item.identifier else 3)
        ]
        root = self._station("")
        root.can_play, root.can_expand, root.children = False, True, children
        return root

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        url = f"{self._server.make_url('/radio')}?{SONGS}&name="
        return PlayMedia(url=url, mime_type="audio/mpeg")

    def _station(self, name: str) -> BrowseMediaSource:
        cover = str(self._server.make_url("/cover.png"))
        return BrowseMediaSource(
            domain="stations",
            identifier=name,
            media_class=MediaClass.MUSIC,
            media_content_type="audio/mpeg",
            title=f"Station {name}",
            can_play=True,
            can_expand=False,
            thumbnail="data:" + 2000 * "x" if name == "1" else cover,
        )


@pytest.mark.usefixtures("kitchen")
async def test_station_from_the_browser_has_its_name_and_picture(
    hass: HomeAssistant,
    player: str,
    server: TestServer,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
) -> None:
    mock_integration(hass, MockModule("stations"))
    source = Mock(async_get_media_source=AsyncMock(return_value=Stations(server)))
    mock_platform(hass, "stations.media_source", source)
    assert await async_setup_component(hass, "stations", {})
    client = await hass_ws_client(hass)

    async def browse(media_id: str) -> None:
        await client.send_json_auto_id(
            {
                "type": "media_player/browse_media",
                "entity_id": player,
                "media_content_type": "",
                "media_content_id": media_id,
            }
        )
        assert (await client.receive_json())["success"]

    async def played(name: str) -> State:
        await play(hass, player, f"media-source://stations/{name}")
        return state_of(hass, player)

    assert "media_channel" not in (await played("0")).attributes
    await browse("media-source://stations")
    state = await played("0")
    assert facts(state) == ("First", "Ann", "Station 0", "Station 0")
    assert await is_pictured(hass, player, hass_client)
    state = await played("1")
    assert state.attributes["media_channel"] == "Station 1"
    assert "entity_picture" not in state.attributes

    # Only the last ones are remembered.
    await browse("media-source://stations/all")
    assert "media_channel" not in (await played("0")).attributes
    await call(hass, player, "media_stop")
