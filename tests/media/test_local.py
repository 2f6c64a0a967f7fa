"""Local media whose names look like parts of an address, and lists that name it."""

from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.virtual_receiver import VirtualReceiver

NAMES = [
    "song #1",
    "what?",
    "50% & +",
    "a%20b",
    "Bär, ǆ",
    "party 🎉",
    'it\'s "so" [x]',
    "a?token=1&b",
    "a://b",
]
LISTS = ["#EXTM3U\n{}\n", "{}\n", "[playlist]\nFile1={}\n"]


async def plays(hass: HomeAssistant, player: str, media: str, expected: str) -> None:
    """Play media, and check that this song is what plays."""
    await play(hass, player, media)
    state = state_of(hass, player)
    assert state.state == "playing"
    assert state.attributes["media_content_id"] == expected
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("name", NAMES)
async def test_local_media_plays_whatever_it_is_called(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    name: str,
) -> None:
    media = songs.make(name)
    watch = Watch(hass, player)

    await play(hass, player, media)

    attributes = state_of(hass, player).attributes
    assert attributes["media_content_id"] == media
    assert attributes["media_title"] == f"{name}.wav".rpartition("/")[2]
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm(name)).is_complete


@pytest.mark.parametrize("name", NAMES)
async def test_allowed_file_plays_whatever_it_is_called(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    name: str,
) -> None:
    songs.make(name)
    hass.config.allowlist_external_dirs = {str(songs.folder)}

    await play(hass, player, f"{songs.folder}/{name}.wav")

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_file_of_a_type_that_home_assistant_does_not_know_plays(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    songs.make("a")
    (songs.folder / "a.wav").rename(songs.folder / "a.sound")

    await plays(hass, player, f"{FOLDER}/a.sound", f"{FOLDER}/a.sound")


@pytest.mark.parametrize(
    "media", [f"{FOLDER}/../a.wav", f"{FOLDER}//etc/passwd", f"{FOLDER}x/a.wav"]
)
async def test_id_of_a_local_file_stays_in_its_folder(
    hass: HomeAssistant, player: str, songs: Songs, media: str
) -> None:
    (songs.folder.parent / "a.wav").touch()

    with pytest.raises(HomeAssistantError, match="cannot be played"):
        await play(hass, player, media)


@pytest.mark.parametrize(
    ("media", "shown"),
    [
        (f"{FOLDER}/Box/what?.mp3", r"what\?.mp3 cannot be played: it was not found"),
        (f"{FOLDER}/Box/none", "none cannot be played: Path does not exist"),
        ("/media/local/x.mp3?authSig=secret", "x.mp3 cannot be played"),
    ],
)
async def test_errors_name_local_media_as_the_browser_does(
    hass: HomeAssistant, player: str, songs: Songs, media: str, shown: str
) -> None:
    with pytest.raises(HomeAssistantError, match=f"^{shown}"):
        await play(hass, player, media)


@pytest.mark.parametrize("page", LISTS)
@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("../Music/one.wav", "Music/one"),
        (r"..\Music\one.wav", "Music/one"),
        ("{folder}/Music/one.wav", "Music/one"),
        ("file://{folder}/Music/one.wav", "Music/one"),
        ("../Music/song #1?.wav", "Music/song #1?"),
        ("../Music/song%20%231%3F.wav", "Music/song #1?"),
        ("../Music/100%.wav", "Music/100%"),
        ("../Music/a%20b.wav", "Music/a%20b"),
        ("two.wav", "Playlists/two"),
    ],
)
async def test_local_playlist_leads_through_its_media_folder(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    page: str,
    address: str,
    name: str,
) -> None:
    for each in ("Music/one", "Music/song #1?", "Music/100%", "Music/a%20b"):
        songs.make(each)
    songs.make("Playlists/two")
    kind = "pls" if "File1" in page else "m3u"
    listed = page.format(address.format(folder=songs.folder))
    (songs.folder / "Playlists" / f"list.{kind}").write_text(listed)
    hass.config.allowlist_external_dirs = {str(songs.folder)}

    await plays(hass, player, f"{FOLDER}/Playlists/list.{kind}", f"{FOLDER}/{name}.wav")
    await plays(
        hass,
        player,
        f"{songs.folder}/Playlists/list.{kind}",
        f"{songs.folder}/{name}.wav",
    )


async def test_playlist_is_shown_by_its_name(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    songs.make("a")
    (songs.folder / "my #1 list.m3u").write_text("a.wav\n")

    await play(hass, player, f"{FOLDER}/my #1 list.m3u")

    assert state_of(hass, player).attributes["media_playlist"] == "my #1 list.m3u"
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    "address",
    [
        "../../secret.wav",
        r"..\..\secret.wav",
        "../..%2fsecret.wav",
        "%2e%2e/%2e%2e/secret.wav",
        "{home}/secret.wav",
        "file://{home}/secret.wav",
        "file://{folder}/../secret.wav",
        "file://{folder}/%2e%2e/secret.wav",
        r"C:\secret.wav",
        r"\\server\share\secret.wav",
    ],
)
async def test_local_playlist_never_leaves_its_media_folder(
    hass: HomeAssistant, player: str, songs: Songs, tmp_path: Path, address: str
) -> None:
    Songs(tmp_path).make("secret")
    listed = songs.folder / "Playlists" / "list.m3u"
    listed.parent.mkdir(parents=True)
    listed.write_text(address.format(home=tmp_path, folder=songs.folder))
    hass.config.allowlist_external_dirs = {str(songs.folder)}

    for media in (f"{FOLDER}/Playlists/list.m3u", str(listed)):
        with pytest.raises(HomeAssistantError, match="cannot be played"):
            await play(hass, player, media)


@pytest.mark.parametrize(
    ("entry", "name"),
    [(r"..\Music\song%20%231.wav", "Music/song #1"), ("what?.wav", "Lists/what?")],
)
async def test_file_that_turns_out_to_be_a_playlist_leads_there_too(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    entry: str,
    name: str,
) -> None:
    songs.make(name)
    listed = songs.folder / "Lists" / "list.mp3"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text(f"#EXTM3U\n{entry}\n")
    hass.config.allowlist_external_dirs = {str(songs.folder)}
    watch = Watch(hass, player)

    await play(hass, player, f"{FOLDER}/Lists/list.mp3")
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm(name)).is_complete
