"""Media that can be played, and its metadata."""

from collections.abc import AsyncIterator
from io import BytesIO
import logging
from pathlib import Path
from typing import Any, override
from unittest.mock import patch

from aiohttp.test_utils import TestServer
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.airplay.media.media import async_resolve, make_item
from custom_components.airplay.raop.messages import MAX_PICTURE_BYTES, MediaKind
from homeassistant.components.media_source import PlayMedia
from homeassistant.components.tts import PLATFORM_SCHEMA, Provider, TtsAudioType
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from tests.ha.media_server import media_server, mp3, picture, tagged_mp3
from tests.ha.players import call, play, state_of
from tests.ha.sound import write_wav
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import VirtualReceiver


class Voice(Provider):
    """Renders every message as the same tone."""

    name = "Voice"

    @property
    @override
    def default_language(self) -> str:
        return "en"

    @property
    @override
    def supported_languages(self) -> list[str]:
        return ["en"]

    @override
    def get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> TtsAudioType:
        return "mp3", mp3(2)


class VoicePlatform(MockPlatform):  # type: ignore[misc]
    """The voice as an integration brings it."""

    PLATFORM_SCHEMA = PLATFORM_SCHEMA

    async def async_get_engine(self, *_: object) -> Voice:
        return Voice()


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """Return a server of good and bad media."""
    async with media_server() as running:
        yield running


@pytest.fixture
async def home(
    hass: HomeAssistant, player: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Let Home Assistant's own addresses be reached, as in a real one."""
    mock_integration(hass, MockModule("voice"))
    mock_platform(hass, "voice.tts", VoicePlatform())
    assert await async_setup_component(hass, "tts", {"tts": {"platform": "voice"}})
    await hass.async_block_till_done()
    client = await hass_client_no_auth()
    hass.config.internal_url = str(client.make_url("")).rstrip("/")


def url(server: TestServer, path: str) -> str:
    return str(server.make_url(path))


async def test_tags_and_cover_of_a_file(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    hass_client: ClientSessionGenerator,
    song: str,
    tmp_path: Path,
) -> None:
    cover = picture(800, 800, "JPEG")
    (tmp_path / "media" / "tagged.mp3").write_bytes(tagged_mp3(cover))
    watch = Watch(hass, player)

    await play(hass, player, song.replace("song.wav", "tagged.mp3"))

    state = await watch.until(lambda now: "entity_picture" in now.attributes)
    assert state.attributes["media_title"] == "Morning"
    assert state.attributes["media_artist"] == "Grieg"
    assert state.attributes["media_album_name"] == "Peer Gynt"
    assert state.attributes["media_duration"] == 4
    client = await hass_client()
    served = await client.get(state.attributes["entity_picture"])
    assert await served.read() == cover
    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    shown = Image.open(BytesIO(kitchen.song.artwork))
    assert (shown.format, shown.size) == ("JPEG", (600, 600))
    assert len(kitchen.song.artwork) < 100_000
    assert kitchen.song.title == "Morning"
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("pixels", "is_shown"), [(900, True), (1200, False)], ids=["2.4 MB", "4.3 MB"]
)
async def test_large_cover_never_delays_its_song(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    tmp_path: Path,
    pixels: int,
    is_shown: bool,
) -> None:
    cover = picture(pixels, pixels)
    assert (len(cover) < MAX_PICTURE_BYTES) is is_shown
    (tmp_path / "media" / "tagged.mp3").write_bytes(tagged_mp3(cover))
    watch = Watch(hass, player)

    await play(hass, player, song.replace("song.wav", "tagged.mp3"))

    titled = await watch.until(
        lambda state: state.attributes.get("media_title") == "Morning"
    )
    if is_shown:
        titled = await watch.until(lambda state: "entity_picture" in state.attributes)
    assert ("entity_picture" in titled.attributes) is is_shown
    await call(hass, player, "media_stop")


async def test_metadata_and_picture_of_the_caller_win(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: TestServer,
    song: str,
    hass_client: ClientSessionGenerator,
) -> None:
    extra = {
        "title": "Doorbell",
        "artist": " ",
        "thumb": url(server, "/cover.png"),
        "metadata": {
            "title": "Cast",
            "artist": "Somebody",
            "albumName": "Sounds",
            "albumArtist": "All",
            "trackNumber": 3,
        },
    }

    await play(hass, player, song, extra=extra)

    attributes = state_of(hass, player).attributes
    assert attributes["media_title"] == "Doorbell"
    assert "media_artist" not in attributes
    assert attributes["media_album_name"] == "Sounds"
    assert attributes["media_album_artist"] == "All"
    assert attributes["media_track"] == 3
    client = await hass_client()
    assert (await client.get(attributes["entity_picture"])).status == 200
    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    assert Image.open(BytesIO(kitchen.song.artwork)).size == (600, 338)

    await play(hass, player, song)
    await kitchen.wait_until(lambda: not kitchen.song.artwork)
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/broken.png", "Could not decode a picture"),
        ("/huge.png", "A picture is too large to fetch"),
        ("/vast.png", "it has too many pixels"),
        ("/nothing.png", "Could not fetch a picture: ClientResponseError"),
    ],
)
async def test_invalid_picture_does_no_harm(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    server: TestServer,
    song: str,
    path: str,
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    extra = {"metadata": {"images": [{"url": url(server, path)}]}}

    await play(hass, player, song, extra=extra)
    await logged(caplog, message)

    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["entity_picture"]
    assert not kitchen.song.artwork
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("image", ["file:///etc/passwd", "http://[", ""])
async def test_picture_without_a_source_is_omitted(
    hass: HomeAssistant, player: str, song: str, image: str
) -> None:
    await play(
        hass, player, song, extra={"picture": image, "metadata": {"images": [1]}}
    )

    assert "entity_picture" not in state_of(hass, player).attributes
    await call(hass, player, "media_stop")


async def test_radio_shows_its_titles_and_has_no_length(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, server: TestServer
) -> None:
    watch = Watch(hass, player)

    await play(hass, player, url(server, "/radio"))

    first = await watch.until(
        lambda now: now.attributes.get("media_title") == "First Song"
    )
    assert first.attributes["media_channel"] == "Radio Test"
    assert "media_duration" not in first.attributes
    await watch.until(lambda now: now.attributes.get("media_title") == "Second Song")
    await kitchen.wait_until(lambda: kitchen.song.title == "Second Song")
    await call(hass, player, "media_stop")
    assert state_of(hass, player).state == "idle"


@pytest.mark.usefixtures("home")
async def test_spoken_sentence_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await hass.services.async_call(
        "tts",
        "voice_say",
        {"entity_id": player, "message": "Dinner is ready", "cache": False},
        blocking=True,
    )

    # Old voices do not wait until it has played.
    await kitchen.wait_for("TEARDOWN")
    assert any(kitchen.pcm)


@pytest.mark.usefixtures("home")
async def test_sentence_from_the_media_dialog_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    watch = Watch(hass, player)

    await play(hass, player, "media-source://tts/voice?message=Dinner&language=en")

    assert "playing" in watch.names
    await watch.until_is("idle")
    assert any(kitchen.pcm)


@pytest.mark.parametrize(
    ("media_id", "kind"),
    [
        ("media-source://tts/voice?message=Dinner", MediaKind.SPEECH),
        ("media-source://radio_browser/abc", MediaKind.RADIO),
        ("media-source://dlna_dms/abc", MediaKind.ANY),
        ("http://media.example/tts", MediaKind.ANY),
    ],
)
async def test_kind_of_media_is_known_by_its_source(
    hass: HomeAssistant, media_id: str, kind: MediaKind
) -> None:
    found = PlayMedia("http://media.example/x", "audio/mpeg")
    with patch("homeassistant.components.media_source.async_resolve_media") as resolve:
        resolve.return_value = found
        item = make_item("music", media_id, {})
        playable = await async_resolve(hass, "media_player.kitchen", item)

    assert playable.media.kind is kind


@pytest.mark.usefixtures("home")
async def test_address_within_home_assistant(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, "/media/local/song.wav")

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_file_in_an_allowed_folder_is_accepted(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    tmp_path: Path,
    song_pcm: bytes,
) -> None:
    path = write_wav(tmp_path / "allowed" / "song.wav", song_pcm)
    hass.config.allowlist_external_dirs = {str(tmp_path / "allowed")}

    await play(hass, player, str(path))

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nothing.mp3", "it was not found"),
        ("/forbidden.mp3", "its server requires a login"),
        ("/teapot.mp3", r"its server refuses it \(HTTP status 418\)"),
        ("/broken.mp3", r"its server reports a problem \(HTTP status 500\)"),
        ("/page.mp3", "it is not an audio file"),
        ("/empty.mp3", "it contains no audio"),
    ],
)
async def test_bad_media_is_named_with_the_reason(
    hass: HomeAssistant, player: str, server: TestServer, path: str, message: str
) -> None:
    media = url(server, path)

    with pytest.raises(HomeAssistantError, match=f"{path} cannot be played: {message}"):
        await play(hass, player, f"{media}?token=secret")

    assert state_of(hass, player).state == "idle"


async def test_server_that_is_off(hass: HomeAssistant, player: str) -> None:
    async with media_server() as server:
        media = url(server, "/song.mp3")

    with pytest.raises(HomeAssistantError, match="its server does not respond") as told:
        await play(hass, player, media.replace("http://", "http://me:secret@"))

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "media",
    ["ftp://host/song.mp3", "song.mp3", "file:///etc/passwd", "x://[", "pipe:0"],
)
async def test_address_of_an_unknown_kind(
    hass: HomeAssistant, player: str, media: str
) -> None:
    with pytest.raises(ServiceValidationError, match="it is not a web address"):
        await play(hass, player, media)


async def test_media_that_no_source_has(hass: HomeAssistant, player: str) -> None:
    with pytest.raises(
        HomeAssistantError, match="media-source://nobody/x cannot be played"
    ):
        await play(hass, player, "media-source://nobody/x?token=secret")
    with pytest.raises(HomeAssistantError, match="Ring cannot be played"):
        await play(hass, player, "media-source://nobody/x", extra={"title": "Ring"})


async def test_home_assistant_without_an_address(
    hass: HomeAssistant, player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hass.config, "api", None)
    hass.config.internal_url = None

    with pytest.raises(
        HomeAssistantError, match="does not have an address that it can use"
    ):
        await play(hass, player, "/local/song.mp3?v=1")
    await play_without_picture(hass, player)


async def play_without_picture(hass: HomeAssistant, player: str) -> None:
    with pytest.raises(HomeAssistantError, match="it was not found"):
        await play(
            hass,
            player,
            "media-source://media_source/local/nothing.mp3",
            extra={"thumb": "/local/x.png"},
        )
