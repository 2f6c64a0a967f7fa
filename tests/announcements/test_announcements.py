"""Announcements as they play at receivers, through actions and states."""

import asyncio
from pathlib import Path
import wave

from aiohttp.test_utils import TestServer
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.media_server import media_server
from tests.ha.players import call, play, state_of
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.raop.engine.announcing import voice_began_ns
from tests.raop.engine.stereo_marks import (
    Samples,
    gains,
    gains_in_parts,
    heard_sides,
    is_said_whole,
    music,
    voice,
)
from tests.virtual_receiver import VirtualReceiver

from .held_sender import airplay_announce, announce, begun


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the folder of Home Assistant's media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    return folder


@pytest.fixture
def said(media: Path) -> Samples:
    """Return the sound of a short announcement."""
    return voice(media / "said.wav", 0.5)


async def play_music(hass: HomeAssistant, player: str, seconds: float) -> Samples:
    """Play a new song on a player and return its left side."""
    song = music(Path(hass.config.media_dirs["local"]) / "song.wav", seconds)
    await play(hass, player, f"{FOLDER}/song.wav")
    return song


async def test_idle_speaker_announces_and_stays_idle(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, said: Samples
) -> None:
    watch = Watch(hass, player)

    await announce(hass, player, f"{FOLDER}/said.wav", preannounce=False)

    assert is_said_whole(kitchen, said)
    await kitchen.wait_idle(10)
    assert watch.names == ["idle"]
    assert [each.attributes.get("announcing") for each in watch.states].count(True)
    assert "announcing" not in state_of(hass, player).attributes
    assert not kitchen.violations


async def test_own_chime_comes_first(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, said: Samples
) -> None:
    await announce(hass, player, f"{FOLDER}/said.wav")

    right = heard_sides(kitchen.recording.packets)[1]
    left = heard_sides(kitchen.recording.packets)[0]
    begin = int(np.flatnonzero(right)[-1]) + 1 - len(said)
    assert (right[begin:][: len(said)] == said).all()
    chime = np.flatnonzero(left)
    assert chime[-1] < begin
    assert len(chime) > 0.5 * 44_100


async def test_music_is_lowered_and_its_queue_is_left_alone(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, said: Samples
) -> None:
    song = await play_music(hass, player, 3.5)
    watch = Watch(hass, player)

    await announce(hass, player, f"{FOLDER}/said.wav", preannounce=False)
    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["media_content_id"].endswith("song.wav")
    await watch.until_is("idle")
    await kitchen.drain()

    assert watch.names == ["playing", "idle"]
    assert is_said_whole(kitchen, said)
    factors = gains(kitchen, song)
    assert len(factors) == len(song)
    assert 0.12 < np.median(factors[factors < 0.2]) < 0.13
    assert state_of(hass, player).attributes["queue_size"] == 1


async def test_paused_music_stays_paused(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, said: Samples
) -> None:
    song = await play_music(hass, player, 2.0)
    await call(hass, player, "media_pause")
    watch = Watch(hass, player)

    await announce(hass, player, f"{FOLDER}/said.wav", preannounce=False)

    assert watch.names == ["paused"]
    await call(hass, player, "media_play")
    await watch.until_is("idle")
    await kitchen.drain()
    assert is_said_whole(kitchen, said)
    assert all((part == 1).all() for part in gains_in_parts(kitchen, song))


async def test_group_helper_plays_at_one_instant(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    two_players: list[str],
    media: Path,
    said: Samples,
) -> None:
    for name, members in (
        ("Inner", two_players[1:]),
        ("House", [two_players[0], "media_player.inner"]),
    ):
        words = {"group_type": "media_player", "name": name, "entities": members}
        group = MockConfigEntry(domain="group", title=name, options=words)
        group.add_to_hass(hass)
        assert await hass.config_entries.async_setup(group.entry_id)
    await hass.async_block_till_done()
    music(media / "song.wav", 3.0)
    await play(hass, two_players[0], f"{FOLDER}/song.wav")

    await announce(hass, "media_player.house", f"{FOLDER}/said.wav", preannounce=False)

    # The helper does not wait for its members.
    await hall.wait_for("TEARDOWN")
    assert is_said_whole(kitchen, said)
    assert is_said_whole(hall, said)
    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000
    assert state_of(hass, two_players[0]).state == "playing"
    await call(hass, two_players[0], "media_stop")


async def test_several_targets_of_the_announce_action_start_at_one_instant(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    two_players: list[str],
    said: Samples,
) -> None:
    await airplay_announce(hass, two_players, media=f"{FOLDER}/said.wav", chime=False)

    assert is_said_whole(kitchen, said)
    assert is_said_whole(hall, said)
    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000


async def test_announcements_play_one_after_another(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    media: Path,
    said: Samples,
) -> None:
    other = voice(media / "other.wav", 0.5, seed=5)
    urgent = voice(media / "urgent.wav", 0.5, seed=6)
    watch = Watch(hass, player)
    asking = [
        asyncio.create_task(
            airplay_announce(hass, player, media=f"{FOLDER}/said.wav", chime=False)
        )
    ]
    await begun(watch)
    for name, priority in (("other", "normal"), ("urgent", "doorbell")):
        asking.append(
            asyncio.create_task(
                airplay_announce(
                    hass,
                    player,
                    media=f"{FOLDER}/{name}.wav",
                    chime=False,
                    priority=priority,
                )
            )
        )
    await asyncio.gather(*asking)

    right = heard_sides(kitchen.recording.packets)[1]
    heard = right[right != 0]
    assert heard.tolist() == [*said, *urgent, *other]


async def test_interrupt_plays_whole_and_cuts_off_the_running_announcement(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    media: Path,
    said: Samples,
) -> None:
    long = voice(media / "long.wav", 20, seed=5)
    watch = Watch(hass, player)
    first = asyncio.create_task(
        airplay_announce(hass, player, media=f"{FOLDER}/long.wav", chime=False)
    )
    await begun(watch)

    await airplay_announce(
        hass, player, media=f"{FOLDER}/said.wav", chime=False, interrupt=True
    )
    await first

    right = heard_sides(kitchen.recording.packets)[1]
    heard = right[right != 0]
    assert len(heard) < len(long) / 2
    assert (heard[-len(said) :] == said).all()


async def test_cancelled_call_frees_the_speaker(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, media: Path
) -> None:
    voice(media / "long.wav", 20)
    watch = Watch(hass, player)
    asking = asyncio.create_task(announce(hass, player, f"{FOLDER}/long.wav"))
    await begun(watch)

    asking.cancel()

    await kitchen.wait_idle(10)
    await watch.until(lambda state: "announcing" not in state.attributes)


async def test_stop_ends_it_on_that_speaker_only(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    two_players: list[str],
    media: Path,
) -> None:
    said = voice(media / "long.wav", 2)
    watch = Watch(hass, two_players[0])
    asking = asyncio.create_task(
        airplay_announce(hass, two_players, media=f"{FOLDER}/long.wav", chime=False)
    )
    await begun(watch)

    await call(hass, two_players[0], "media_stop")
    await kitchen.wait_idle(10)
    assert hall.has_session
    await asking

    assert is_said_whole(hall, said)
    assert not is_said_whole(kitchen, said)


async def test_call_that_does_not_wait_returns_during_playback(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, media: Path
) -> None:
    said = voice(media / "long.wav", 1.5)

    await airplay_announce(
        hass, player, media=f"{FOLDER}/long.wav", chime=False, wait=False
    )

    assert kitchen.has_session
    await kitchen.wait_idle(10)
    assert is_said_whole(kitchen, said)


async def test_bad_media_is_reported_and_the_music_plays_on(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, media: Path
) -> None:
    song = music(media / "song.wav", 3.0)
    with wave.open(str(media / "long.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(8000 * 301))
    watch = Watch(hass, player)

    async with media_server() as server:
        await play(hass, player, f"{FOLDER}/song.wav")
        for path, message in (
            (_url(server, "/none.mp3"), "it was not found"),
            (_url(server, "/page.mp3"), "not an audio file"),
            (f"{FOLDER}/long.wav", "longer than five minutes"),
        ):
            with pytest.raises(HomeAssistantError, match=message):
                await announce(hass, player, path, announce_volume=1)
            assert state_of(hass, player).state == "playing"
    await watch.until_is("idle")
    await kitchen.drain()

    assert (gains(kitchen, song) == 1).all()


def _url(server: TestServer, path: str) -> str:
    return str(server.make_url(path))
