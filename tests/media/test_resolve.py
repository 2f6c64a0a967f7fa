"""What comes from outside gets no signature, and leads nowhere but outside."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.media_server import mp3
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch
from tests.raop.audio.web_server import WebServer, ranged, redirect, status, whole
from tests.virtual_receiver import VirtualReceiver

OUT_OF_BOUNDS = "that only you may choose"


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def own(hass: HomeAssistant, socket_enabled: None) -> Iterator[WebServer]:
    """Return a server that Home Assistant takes for itself."""
    server = WebServer()
    server.serve("/media/local/song.mp3", ranged(mp3(4)))
    hass.config.internal_url = f"http://127.0.0.1:{server.port}"
    yield server
    server.close()


def is_signed(own: WebServer) -> bool:
    """Return whether Home Assistant was asked with a signature, as it was asked."""
    assert own.paths()
    return all("authSig=" in path for path in own.paths())


@pytest.mark.usefixtures("kitchen")
async def test_own_address_of_a_user_is_signed(
    hass: HomeAssistant, player: str, own: WebServer
) -> None:
    await play(hass, player, "/media/local/song.mp3")

    assert state_of(hass, player).state == "playing"
    assert is_signed(own)
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("name", ["list.m3u", "list.pls", "song.mp3"])
async def test_own_address_in_a_playlist_is_not_signed(
    hass: HomeAssistant, player: str, own: WebServer, web: WebServer, name: str
) -> None:
    named = f"{hass.config.internal_url}/media/local/song.mp3"
    content = f"[playlist]\nFile1={named}\n" if "pls" in name else f"#EXTM3U\n{named}\n"

    await play(
        hass, player, web.serve(f"/{name}", whole(content.encode(), "text/plain"))
    )

    assert not is_signed(own)
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen", "song")
async def test_own_address_in_a_local_playlist_is_not_signed(
    hass: HomeAssistant, player: str, own: WebServer, tmp_path: Path
) -> None:
    named = f"{hass.config.internal_url}/media/local/song.mp3"
    (tmp_path / "media" / "list.m3u").write_text(f"#EXTM3U\n{named}\n")

    await play(hass, player, "media-source://media_source/local/list.m3u")

    assert not is_signed(own)
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_own_address_of_a_radio_directory_is_not_signed(
    hass: HomeAssistant, player: str, own: WebServer
) -> None:
    station = PlayMedia(
        f"{hass.config.internal_url}/media/local/song.mp3", "audio/mpeg"
    )

    with patch(
        "homeassistant.components.media_source.async_resolve_media",
        return_value=station,
    ):
        await play(hass, player, "media-source://radio_browser/x")

    assert not is_signed(own)
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_own_playlist_leads_to_its_neighbors(
    hass: HomeAssistant, player: str, own: WebServer
) -> None:
    own.serve("/media/local/list.m3u", whole(b"#EXTM3U\nsong.mp3\n", "audio/mpegurl"))

    await play(hass, player, "/media/local/list.m3u")

    assert own.paths()[-1].startswith("/media/local/song.mp3?authSig=")
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("name", ["list.m3u", "song.mp3"])
@pytest.mark.parametrize(
    "address",
    ["http://192.168.1.1/reboot.cgi?x", "http://[fd00::1]/", "http://169.254.1.1"],
)
async def test_a_playlist_leads_to_no_other_network(
    hass: HomeAssistant, player: str, web: WebServer, name: str, address: str
) -> None:
    listed = web.serve(
        f"/{name}", whole(f"#EXTM3U\n{address}\n".encode(), "text/plain")
    )

    with pytest.raises(HomeAssistantError, match=OUT_OF_BOUNDS):
        await play(hass, player, listed)

    assert state_of(hass, player).state == "idle"


@pytest.mark.usefixtures("kitchen")
async def test_an_item_of_a_playlist_stays_bound_when_it_plays_later(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, web: WebServer
) -> None:
    song = web.serve("/song.mp3", ranged(mp3(2)))
    content = f"#EXTM3U\n{song}\nhttp://192.168.1.1/reboot.cgi\n{song}\n"
    watch = Watch(hass, player)

    listed = web.serve("/list.m3u", whole(content.encode(), "audio/x-mpegurl"))
    await play(hass, player, listed)
    await watch.until_is("playing")
    await watch.until_is("idle")

    positions = {state.attributes.get("queue_position") for state in watch.states}
    assert {1, 3} <= positions
    assert web.paths().count("/song.mp3") == 2


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize(
    "to", ["http://192.168.1.1/list.m3u", "ftp://127.0.0.1/list.m3u"]
)
async def test_a_redirect_of_a_playlist_leads_to_no_other_network(
    hass: HomeAssistant, player: str, web: WebServer, to: str
) -> None:
    with pytest.raises(HomeAssistantError, match=OUT_OF_BOUNDS):
        await play(hass, player, web.serve("/list.m3u", redirect(to)))


@pytest.mark.usefixtures("kitchen")
async def test_a_playlist_is_redirected_within_its_network(
    hass: HomeAssistant, player: str, web: WebServer
) -> None:
    web.serve("/lists/song.mp3", ranged(mp3(4)))
    web.serve("/lists/list.m3u", whole(b"#EXTM3U\nsong.mp3\n", "audio/x-mpegurl"))

    await play(hass, player, web.serve("/list.m3u", redirect("/lists/list.m3u")))

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_redirects_without_end_are_given_up(
    hass: HomeAssistant, player: str, web: WebServer
) -> None:
    with pytest.raises(HomeAssistantError, match="its server does not respond"):
        await play(hass, player, web.serve("/list.m3u", redirect("/list.m3u")))

    assert len(web.requests) == 21


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("401 Unauthorized", "its server requires a login or denies access"),
        ("407 Proxy Authentication Required", "its server requires a login"),
        ("404 Not Found", "it was not found"),
        ("410 Gone", "it was not found"),
        ("418 I'm a teapot", "its server refuses it (HTTP status 418)"),
        ("429 Too Many Requests", "its server reports a problem (HTTP status 429)"),
        ("500 Oops", "its server reports a problem (HTTP status 500)"),
        ("503 Service Unavailable", "its server reports a problem (HTTP status 503)"),
    ],
)
async def test_a_server_without_the_playlist_is_described_as_one_without_the_song(
    hass: HomeAssistant, player: str, web: WebServer, line: str, sentence: str
) -> None:
    sentences = []

    for name in ("song.m3u", "song.mp3"):
        address = web.serve(f"/{name}", status(line))
        with pytest.raises(HomeAssistantError) as error:
            await play(hass, player, address)
        sentences.append(str(error.value).removeprefix(address))

    assert sentence in sentences[0]
    assert sentences[0] == sentences[1]


@pytest.mark.usefixtures("kitchen", "song")
@pytest.mark.parametrize(
    "entry",
    [
        "file://{secret}",
        "{secret}",
        "../secret.wav",
        "link.wav",
        "nested.mp3",
        "hls.mp3",
    ],
)
async def test_a_file_that_is_a_playlist_opens_none_outside_the_allowed_folders(
    hass: HomeAssistant, player: str, song: str, tmp_path: Path, entry: str
) -> None:
    media, secret = tmp_path / "media", tmp_path / "secret.wav"
    (media / "song.wav").rename(secret)
    (media / "link.wav").symlink_to(secret)
    (media / "nested.mp3").write_text(f"#EXTM3U\n{secret}\n")
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
    (media / "hls.mp3").write_text(f"{head}{secret.as_uri()}\n#EXT-X-ENDLIST\n")
    (media / "song.mp3").write_text(f"#EXTM3U\n{entry.format(secret=secret)}\n")

    with pytest.raises(HomeAssistantError, match=OUT_OF_BOUNDS):
        await play(hass, player, "media-source://media_source/local/song.mp3")


@pytest.mark.usefixtures("kitchen")
async def test_no_address_is_shown_with_its_login_or_query(
    hass: HomeAssistant,
    player: str,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    watch = Watch(hass, player)
    song = web.serve("/song.mp3?api_key=hidden&id=7#hidden", ranged(mp3(4)))
    login = song.replace("http://", "http://me:hidden@")
    content = f"#EXTM3U\n{login}".encode()
    listed = web.serve("/list.m3u?token=hidden", whole(content, "audio/x-mpegurl"))

    await play(hass, player, login, extra={"thumb": f"{song}&x"})
    first = state_of(hass, player).attributes
    await call(hass, player, "media_stop")
    await play(hass, player, listed)
    await call(hass, player, "media_stop")
    with pytest.raises(HomeAssistantError) as gone:
        await play(hass, player, login.replace("song.mp3", "gone.mp3"))
    with pytest.raises(HomeAssistantError) as lost:
        await play(hass, player, listed.replace("http://", "http://[::1]x/?hidden"))
    with pytest.raises(HomeAssistantError) as unknown:
        await play(hass, player, "media-source://nobody/x?token=hidden")

    assert first["media_content_id"] == f"http://127.0.0.1:{web.port}/song.mp3"
    assert "hidden" in web.paths()[0]
    assert not [state for state in watch.states if "hidden" in str(state.as_dict())]
    ours = [
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert not [line for line in ours if "hidden" in line]
    for error in (gone, lost, unknown):
        assert "hidden" not in f"{error.value} {error.value.__cause__!r}"


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize(
    ("media", "shown"),
    [
        ("media-source://media_source/local/song.wav", None),
        ("media-source://radio/song.wav?x=1", None),
        ("media-source://radio/song.wav?token=1", "media-source://radio/song.wav"),
    ],
)
async def test_media_of_a_source_can_be_played_again_by_its_state(
    hass: HomeAssistant, player: str, song: str, media: str, shown: str | None
) -> None:
    resolved = await _resolved(hass)

    with patch(
        "homeassistant.components.media_source.async_resolve_media",
        return_value=resolved,
    ):
        await play(hass, player, media)

    attributes = state_of(hass, player).attributes
    assert attributes["media_content_id"] == (shown or media)
    await call(hass, player, "media_stop")


async def _resolved(hass: HomeAssistant) -> PlayMedia:
    path = Path(hass.config.media_dirs["local"]) / "song.wav"
    return PlayMedia("/media/local/song.wav", "audio/wav", path=path)
