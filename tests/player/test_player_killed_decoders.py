"""Decoder processes that are killed at any moment cost nothing but their own item."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
import os
import resource
import signal

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.announcements.held_sender import announce
from tests.ha.numbers import CROSSFADE, choose
from tests.ha.players import call, play, state_of
from tests.ha.processes import (
    decoder_pids,
    held_by,
    prepared_pids,
    sender_pids,
    spare_pids,
)
from tests.ha.songs import Songs, enqueue, is_item
from tests.ha.sound import FOLDER, RATE
from tests.ha.watch import Watch
from tests.raop.audio.web_server import WebServer
from tests.raop.engine.stereo_marks import is_said_whole, voice
from tests.virtual_receiver import VirtualReceiver

# As they are: forked ones have no descriptor that tells of their end.
pytestmark = pytest.mark.started

# Longer than what is decoded ahead, so that its decoder is still at work.
LONG_S = 8.0
FADE_S = 3.0
BYTES_PER_S = 4 * RATE

type Victims = Callable[[], list[int]]
VICTIMS = pytest.mark.parametrize(
    "victims", [decoder_pids, prepared_pids], ids=["decoder", "prepared"]
)


async def until(is_true: Callable[[], bool], timeout_s: float = 15) -> None:
    """Wait for what the kernel does not tell."""
    async with asyncio.timeout(timeout_s):
        while not is_true():
            await asyncio.sleep(0.005)


async def kill(victims: Victims) -> None:
    """Kill processes as soon as there are any."""
    await until(lambda: bool(victims()))
    for pid in victims():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
async def nothing_is_left(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> AsyncIterator[None]:
    """Look whether the sender holds no more than after the first song."""
    await play(hass, player, songs.make("first", 0.2))
    watch = Watch(hass, player)
    await watch.until_is("idle")
    [sender] = sender_pids()
    await until(lambda: not decoder_pids() and bool(spare_pids()))
    before = held_by(sender)
    kitchen.clear()
    yield
    await call(hass, player, "media_stop")
    # What started the decoders may have been killed, and started again.
    await until(lambda: not decoder_pids() and held_by(sender) <= before)
    assert sender_pids() == [sender]


@VICTIMS
async def test_a_song_is_played_on(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("long", LONG_S))

    await kill(victims)
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("long", LONG_S)).is_complete


@VICTIMS
async def test_the_next_song_is_played_whole(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("short", 2.0))
    await until(lambda: not decoder_pids())
    await enqueue(hass, player, songs.make("long", LONG_S), "add")

    await kill(victims)
    await watch.until(is_item("long"))
    await watch.until_is("idle")

    both = songs.pcm("short", 2.0) + songs.pcm("long", LONG_S)
    assert kitchen.heard(both).is_complete


@VICTIMS
async def test_a_crossfade_ends_in_the_next_song(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    await choose(hass, CROSSFADE, FADE_S)
    watch = Watch(hass, player)
    await play(hass, player, songs.make("short", 2 * FADE_S))
    await enqueue(hass, player, songs.make("long", FADE_S + LONG_S), "add")

    # It becomes the player's song while the other one still fades out.
    await watch.until(is_item("long"))
    await kill(victims)
    await watch.until_is("idle")

    after = songs.pcm("long", FADE_S + LONG_S)[int(FADE_S * BYTES_PER_S) :]
    assert kitchen.heard(after).is_complete


@VICTIMS
async def test_a_paused_song_is_played_on(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("long", LONG_S))
    await call(hass, player, "media_pause")

    await kill(victims)
    await call(hass, player, "media_play")
    await watch.until_is("playing")
    await watch.until_is("idle")

    # It was paused within its first second.
    assert kitchen.heard(songs.pcm("long", LONG_S)[-7 * BYTES_PER_S :]).is_complete


@VICTIMS
async def test_a_seek_is_done(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("long", 12.0))
    before = set(decoder_pids())
    seeking = hass.async_create_task(call(hass, player, "media_seek", seek_position=3))
    await until(lambda: bool(set(decoder_pids()) - before))

    await kill(victims)
    with suppress(HomeAssistantError):
        await seeking

    # Before it was opened, the music from before plays on.
    assert state_of(hass, player).state == "playing"
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm("long", 12.0)[-9 * BYTES_PER_S :]).is_complete


@VICTIMS
async def test_an_announcement_is_said_whole(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    victims: Victims,
) -> None:
    said = voice(songs.folder / "said.wav", LONG_S)
    announcing = hass.async_create_task(
        announce(hass, player, f"{FOLDER}/said.wav", preannounce=False)
    )
    await until(lambda: bool(state_of(hass, player).attributes.get("announcing")))
    await kitchen.wait_playing()

    await kill(victims)
    await announcing

    assert is_said_whole(kitchen, said)


async def test_media_whose_decoder_dies_while_it_is_opened_fails_by_name(
    hass: HomeAssistant, player: str, songs: Songs, web: WebServer
) -> None:
    address = web.serve("/song.mp3", lambda exchange: exchange.hold())
    playing = hass.async_create_task(play(hass, player, address))
    await hass.async_add_executor_job(web.wait_for_requests, 1)

    await kill(decoder_pids)
    with pytest.raises(HomeAssistantError, match=r"song\.mp3 cannot be played"):
        await playing

    assert state_of(hass, player).state == "idle"
    await play(hass, player, songs.make("long", LONG_S))
    assert state_of(hass, player).state == "playing"


async def test_skips_in_a_storm_of_kills_end_with_a_song(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    for name in "abcdefgh":
        await enqueue(hass, player, songs.make(name, LONG_S), "add")
    await play(hass, player, songs.make("long", LONG_S))

    async def storm() -> None:
        while True:
            await asyncio.sleep(0.03)
            for pid in decoder_pids() + prepared_pids()[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    raging = asyncio.create_task(storm())
    for _ in range(20):
        with suppress(HomeAssistantError):
            await call(hass, player, "media_next_track")
    raging.cancel()

    await play(hass, player, songs.make("last", 1.0))
    watch = Watch(hass, player)
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm("last", 1.0)).is_complete


async def test_a_sender_without_descriptors_fails_the_media_and_recovers(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    media = songs.make("long", 1.0)
    [sender] = sender_pids()
    few, _ = held_by(sender)
    limits = resource.prlimit(sender, resource.RLIMIT_NOFILE)

    resource.prlimit(sender, resource.RLIMIT_NOFILE, (few, limits[1]))
    with pytest.raises(HomeAssistantError):
        await play(hass, player, media)
    resource.prlimit(sender, resource.RLIMIT_NOFILE, limits)
    watch = Watch(hass, player)
    await play(hass, player, media)
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("long", 1.0)).is_complete
