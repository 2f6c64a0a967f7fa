"""Messages spoken by a voice of Home Assistant, as they play at receivers."""

import asyncio
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.ha.media_server import mp3
from tests.ha.players import entry_for, play, set_up, state_of
from tests.ha.voices import Voice, add_voices, no_old_words
from tests.ha.watch import Watch
from tests.virtual_receiver import VirtualReceiver

from .held_sender import airplay_announce, announce, hold_announcements


@pytest.fixture
async def home(
    hass: HomeAssistant, player: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Let Home Assistant's own addresses be reached, as in a real one."""
    await add_voices(hass)
    client = await hass_client_no_auth()
    hass.config.internal_url = str(client.make_url("")).rstrip("/")


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path) -> Generator[None]:
    """Let every voice render every message anew."""
    with no_old_words(tmp_path / "said"):
        yield


def amy() -> Voice:
    """Return a voice that renders every message as a sound of a second."""
    return Voice("Amy", mp3(1))


def sounding_ns(of: VirtualReceiver) -> tuple[int, int]:
    """Return the instants of the first and the last sound."""
    sounds = [
        packet
        for packet in of.recording.packets
        if any(packet.sound) and not packet.is_missing
    ]
    return sounds[0].play_ns, sounds[-1].play_ns


async def speak(hass: HomeAssistant, players: list[str], message: str) -> None:
    await hass.services.async_call(
        "tts",
        "speak",
        {
            "entity_id": "tts.amy",
            "media_player_entity_id": players,
            "message": message,
            "cache": False,
        },
        blocking=True,
    )


@pytest.mark.usefixtures("home")
async def test_sentence_plays_whole_on_several_speakers_over_music(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    await add_voices(hass, amy, domain="amy")
    other = await set_up(hass, entry_for(hall))
    await play(hass, player, song)

    await speak(hass, [player, other], "Dinner is ready")

    begin, end = sounding_ns(hall)
    # The own chime and a second of speech.
    assert 1.7e9 < end - begin < 1.9e9
    assert state_of(hass, player).state == "playing"
    assert kitchen.heard(song_pcm).wrong
    await hass.services.async_call(
        "media_player", "media_stop", {"entity_id": player}, blocking=True
    )


@pytest.mark.usefixtures("home")
async def test_announce_action_uses_the_only_voice_for_a_message(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await add_voices(hass, amy, domain="amy")

    await airplay_announce(hass, player, message="Dinner is ready", chime=False)

    begin, end = sounding_ns(kitchen)
    assert 0.95e9 < end - begin < 1.1e9


@pytest.mark.usefixtures("home")
async def test_voice_that_fails_is_reported_and_the_music_plays_on(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await add_voices(hass, partial(Voice, "Amy", None), domain="amy")
    await play(hass, player, song)
    watch = Watch(hass, player)

    for ask in (
        airplay_announce(hass, player, message="Dinner is ready"),
        speak(hass, [player], "Dinner is ready"),
    ):
        with pytest.raises(
            HomeAssistantError, match="engine did not create the message"
        ):
            await ask

    assert watch.names == ["playing"]
    await hass.services.async_call(
        "media_player", "media_stop", {"entity_id": player}, blocking=True
    )


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("message", ["", "  \n"])
async def test_empty_message_is_refused(
    hass: HomeAssistant, player: str, message: str
) -> None:
    await add_voices(hass, partial(Voice, "Amy", b""), domain="amy")

    with pytest.raises(ServiceValidationError, match="message is empty"):
        await airplay_announce(hass, player, message=message)
    with pytest.raises(ServiceValidationError, match="message is empty"):
        await announce(hass, player, f"media-source://tts/tts.amy?message={message}")


async def test_without_a_voice_there_is_no_message(
    hass: HomeAssistant, player: str
) -> None:
    with pytest.raises(ServiceValidationError, match="No text-to-speech entity"):
        await airplay_announce(hass, player, message="Hello")

    await add_voices(hass)
    with pytest.raises(ServiceValidationError, match="No text-to-speech entity"):
        await airplay_announce(hass, player, message="Hello")


async def test_one_of_several_voices_has_to_be_named(
    hass: HomeAssistant, player: str
) -> None:
    await add_voices(hass, amy, partial(Voice, "Bob", mp3(1)))

    with pytest.raises(ServiceValidationError, match=r"tts\.amy, tts\.bob"):
        await airplay_announce(hass, player, message="Hello")
    with pytest.raises(ServiceValidationError, match=r"tts\.eve was not found"):
        await airplay_announce(hass, player, message="Hello", tts_entity_id="tts.eve")
    for wrong in ({"language": "xx"}, {"options": {"speed": 9}}):
        with pytest.raises(
            ServiceValidationError, match=r"tts\.bob cannot create the message"
        ):
            await airplay_announce(
                hass, player, message="Hello", tts_entity_id="tts.bob", **wrong
            )


async def test_voice_of_the_cloud_is_the_default(
    hass: HomeAssistant, player: str
) -> None:
    hass.config.internal_url = "http://home.example:8123"
    await add_voices(hass, amy)
    await add_voices(hass, partial(Voice, "Cloud", mp3(1)), domain="cloud")
    with hold_announcements() as held:
        asking = asyncio.create_task(
            airplay_announce(
                hass,
                player,
                message="Hello",
                language="nl",
                options={"voice": "deep"},
            )
        )
        sounding = await held.nth(1)
        sounding.end()
        await asking

    assert sounding.command.clips[-1].name == "media-source://tts/tts.cloud"
