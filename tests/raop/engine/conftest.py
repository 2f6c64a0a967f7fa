"""Fixtures of the engine's tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_socket

from tests.virtual_receiver import VirtualReceiver

from .announcing import Scene
from .harness import EngineHarness, read_wav, receiver, running_harness, wav


@pytest.fixture(autouse=True)
def network(socket_enabled: None) -> Iterator[None]:
    """Open this machine's own addresses, of both families."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


@pytest.fixture
async def harness() -> AsyncIterator[EngineHarness]:
    """Return an engine that leaves nothing behind."""
    async with running_harness() as harness:
        yield harness


@pytest.fixture
async def kitchen(harness: EngineHarness) -> VirtualReceiver:
    """Return a well-behaved receiver."""
    return await harness.add(receiver("Kitchen"))


@pytest.fixture
async def hall(harness: EngineHarness) -> VirtualReceiver:
    """Return one more."""
    return await harness.add(receiver("Hall", receiver_id="0A0B0C0D0E02"))


@pytest.fixture
def scene(harness: EngineHarness, tmp_path: Path) -> Scene:
    """Return a song and a bell that wait to be made."""
    return Scene(harness, tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Return a file of 0.6 s."""
    wav(tmp_path / "song.wav", 0.6)
    return tmp_path / "song.wav"


@pytest.fixture
def pcm(song: Path) -> bytes:
    """Return the sound of the file."""
    return read_wav(song)
