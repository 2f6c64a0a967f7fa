"""Fixtures of the Home Assistant side."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import pytest_socket

from homeassistant.components import zeroconf
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.announcements.held_sender import HeldSender, hold_announcements
from tests.program import AROUND_CORE, RAOP
from tests.sender_fork_server import SenderForkServer
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.pairing.gate import Kind

from .network import quiet_network
from .pairing import gated
from .players import entry_for, play, set_up
from .receivers import receiver_fixture
from .songs import Songs
from .sound import tone, write_wav
from .watch import Watch
from .zeroconf import Network, raop_info


@pytest.fixture(autouse=True)
def storage(request: pytest.FixtureRequest) -> dict[str, Any] | None:
    """Keep Home Assistant's storage in memory."""
    if "hass" not in request.fixturenames:
        return None
    stored: dict[str, Any] = request.getfixturevalue("hass_storage")
    return stored


@pytest.fixture(autouse=True)
def isolated_mdns(request: pytest.FixtureRequest) -> Generator[None]:
    """Keep mDNS off the network, and do not wait for answers from there."""
    if "hass" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("socket_enabled")
    with quiet_network():
        yield


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Enable the part of the loop's debug mode that finds faults: the check of the thread.

    The stacks that it keeps of every future took half of the processor time of the
    tests, and made sound late. PYTHONASYNCIODEBUG=1 enables all of it again.
    """
    loop = asyncio.get_running_loop()
    for name in ("call_soon", "call_at"):
        setattr(loop, name, _checked(loop, getattr(loop, name)))


def _checked[**P, T](
    loop: asyncio.AbstractEventLoop, schedule: Callable[P, T]
) -> Callable[P, T]:
    assert isinstance(loop, asyncio.BaseEventLoop)

    def check(*args: P.args, **kwargs: P.kwargs) -> T:
        loop._check_thread()  # type: ignore[attr-defined]
        return schedule(*args, **kwargs)

    return check


@pytest.fixture(scope="session")
def fork_server() -> Generator[SenderForkServer]:
    """Return a process that forks senders whose imports are done."""
    fork_server = SenderForkServer(AROUND_CORE)
    yield fork_server
    fork_server.close()


@pytest.fixture(autouse=True)
def quick_senders(request: pytest.FixtureRequest) -> Generator[None]:
    """Fork senders without the imports of a new process for every test."""
    marks = {each.name for each in request.node.iter_markers()}
    if marks & {"real", "started"}:
        yield
        return
    fork_server: SenderForkServer = request.getfixturevalue("fork_server")
    # Tests of the core start senders as they are, with decoders that are prepared.
    verb = None if "hass" in request.fixturenames else "decode"
    with fork_server.preload(*RAOP, verb=verb):
        yield


@pytest.fixture
async def network(hass: HomeAssistant) -> Network:
    """Return the network on which Home Assistant's zeroconf receives records."""
    assert await async_setup_component(hass, "zeroconf", {})
    instance = await zeroconf.async_get_async_instance(hass)
    return Network(instance.zeroconf)


kitchen = receiver_fixture("Kitchen", "0A0B0C0D0E01")
hall = receiver_fixture("Hall", "0A0B0C0D0E03")
locked = receiver_fixture("Bedroom", "0A0B0C0D0E02", password="secret")


@pytest.fixture
async def player(hass: HomeAssistant, kitchen: VirtualReceiver) -> str:
    """Return the entity id of the kitchen's player."""
    return await set_up(hass, entry_for(kitchen))


@pytest.fixture
async def playing(hass: HomeAssistant, player: str, song: str) -> Watch:
    """Play the song on the kitchen's player, and watch it from then on."""
    await play(hass, player, song)
    return Watch(hass, player)


@pytest.fixture
async def away(hass: HomeAssistant, kitchen: VirtualReceiver, network: Network) -> str:
    """Return the player of a receiver that has said goodbye."""
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))
    watch = Watch(hass, player)
    network.goodbye(raop_info(kitchen))
    await watch.until_is("unavailable")
    return player


@pytest.fixture
async def two_players(
    hass: HomeAssistant, kitchen: VirtualReceiver, hall: VirtualReceiver
) -> list[str]:
    """Return the players of a kitchen and a hall."""
    return [await set_up(hass, entry_for(each)) for each in (kitchen, hall)]


@pytest.fixture
def held(hass: HomeAssistant) -> Generator[HeldSender]:
    """Return a sender that holds announcements."""
    with hold_announcements() as held:
        yield held


@pytest.fixture
async def den(
    socket_enabled: None, request: pytest.FixtureRequest
) -> AsyncGenerator[VirtualReceiver]:
    """Return a receiver with the kind of pairing that the test names, HomeKit by default."""
    kind: Kind = getattr(request, "param", "home_kit")
    async with gated(kind) as receiver:
        yield receiver


@pytest.fixture
def every_loopback() -> Generator[None]:
    """Let a test use all addresses of this machine's loopback."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


@pytest.fixture
def no_setup() -> Generator[None]:
    """Look at the flow alone."""
    with patch("custom_components.airplay.async_setup_entry", return_value=True):
        yield


@pytest.fixture(scope="session")
def song_pcm() -> bytes:
    """Return a sound without repetitions."""
    return tone(2, 300) + tone(2, 450)


@pytest.fixture
def song(hass: HomeAssistant, tmp_path: Path, song_pcm: bytes) -> str:
    """Return the media id of a song of four seconds in Home Assistant's media."""
    # In place: the media source may have been set up with these.
    hass.config.media_dirs["local"] = str(tmp_path / "media")
    write_wav(tmp_path / "media" / "song.wav", song_pcm)
    return "media-source://media_source/local/song.wav"


@pytest.fixture
def songs(hass: HomeAssistant, tmp_path: Path) -> Songs:
    """Return a folder of songs in Home Assistant's media."""
    hass.config.media_dirs["local"] = str(tmp_path / "media")
    return Songs(tmp_path / "media")
