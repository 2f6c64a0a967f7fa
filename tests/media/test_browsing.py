"""What the media browser shows, and what plays from it."""

from pathlib import Path
from typing import Any, override
from unittest.mock import AsyncMock, Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.components.media_player import MediaClass
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs
from tests.ha.sound import FOLDER
from tests.virtual_receiver import VirtualReceiver

KINDS = {
    "ogg": "application/ogg",
    "station": "music",
    "stations": "audio/x-scpls",
    "playlist": "application/xspf+xml",
    "episode": "podcast",
    "film": "video/mp4",
    "photo": "image/jpeg",
    "page": "text/html",
}


class Shelf(MediaSource):
    """Has media of many types, an album, and a folder of folders."""

    def __init__(self) -> None:
        super().__init__("shelf")

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        shelf = _found("", "directory", MediaClass.DIRECTORY)
        shelf.children = [
            *(_found(name, kind, MediaClass.MUSIC) for name, kind in KINDS.items()),
            _found("album", "album", MediaClass.ALBUM),
            _found("artists", "", MediaClass.DIRECTORY),
        ]
        if item.identifier == "artists":
            del shelf.children[: len(KINDS)]
        return shelf


def _found(name: str, kind: str, media_class: str) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain="shelf",
        identifier=name,
        media_class=media_class,
        media_content_type=kind,
        title=name,
        can_play=media_class == MediaClass.MUSIC,
        can_expand=media_class != MediaClass.MUSIC,
    )


class Browser:
    """Browses as the dialog does."""

    def __init__(self, hass: HomeAssistant, client: Any, player: str) -> None:
        self._hass = hass
        self._client = client
        self._player = player

    async def ask(self, media_id: str | None = None) -> dict[str, Any]:
        where = {"media_content_type": "", "media_content_id": media_id}
        await self._client.send_json_auto_id(
            {"type": "media_player/browse_media", "entity_id": self._player}
            | (where if media_id else {})
        )
        answer: dict[str, Any] = await self._client.receive_json()
        return answer

    async def playable(self, media_id: str) -> tuple[bool, list[str], list[str]]:
        """Return whether it can be played, and which of its children can or cannot."""
        found = (await self.ask(media_id))["result"]
        children = [(each["title"], each["can_play"]) for each in found["children"]]
        return (
            found["can_play"],
            [title for title, can_play in children if can_play],
            [title for title, can_play in children if not can_play],
        )


@pytest.fixture
async def browser(
    hass: HomeAssistant, player: str, hass_ws_client: WebSocketGenerator
) -> Browser:
    """Return a browser of the kitchen's player."""
    mock_integration(hass, MockModule("shelf"))
    platform = Mock(async_get_media_source=AsyncMock(return_value=Shelf()))
    mock_platform(hass, "shelf.media_source", platform)
    assert await async_setup_component(hass, "shelf", {})
    return Browser(hass, await hass_ws_client(hass), player)


async def test_browsing_shows_playable_media(
    song: str, tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "media" / "film.mp4").touch()
    (tmp_path / "media" / "photo.jpg").touch()

    assert await browser.playable(FOLDER) == (True, ["song.wav"], [])
    assert (await browser.ask("media-source://nobody/x"))["success"] is False


async def test_browsing_begins_with_the_sources(browser: Browser) -> None:
    root = (await browser.ask())["result"]

    assert not root["can_play"]
    assert not [each for each in root["children"] if each["can_play"]]
    assert {"shelf"} <= {each["title"] for each in root["children"]}


async def test_all_kinds_of_sound_are_playable(browser: Browser) -> None:
    sound = ["ogg", "station", "stations", "playlist", "episode"]

    assert await browser.playable("media-source://shelf") == (
        True,
        [*sound, "album"],
        ["artists"],
    )
    assert await browser.playable("media-source://shelf/artists") == (
        False,
        ["album"],
        ["artists"],
    )


async def test_folder_that_is_shown_as_playable_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    browser: Browser,
) -> None:
    songs.make("Box #1/a")

    assert await browser.playable(FOLDER) == (False, ["Box #1"], [])
    await play(hass, player, f"{FOLDER}/Box #1")

    now = state_of(hass, player).attributes
    assert now["media_content_id"] == f"{FOLDER}/Box #1/a.wav"
    assert now["media_playlist"] == "Box #1"
    await call(hass, player, "media_stop")


async def test_album_of_a_source_without_sound_is_reported(
    hass: HomeAssistant, player: str, browser: Browser
) -> None:
    with pytest.raises(HomeAssistantError, match="contains no playable items"):
        await call(
            hass,
            player,
            "play_media",
            media_content_type="album",
            media_content_id="media-source://shelf/artists",
        )
