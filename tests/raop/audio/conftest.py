"""A web server, media in a folder, and sources that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from .recorder import DecoderThread, Played
from .web_server import WebServer

type Keep = Callable[[str, bytes], str]


class Play(Protocol):
    """Starts a source."""

    def __call__(self, url: str, **arguments: Any) -> Played:
        """Start it at a URL or path."""


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a web server."""
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Return a function that writes files."""

    def write(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return write


@pytest.fixture(scope="session")
def decoders() -> Iterator[DecoderThread]:
    """Return decoder processes for all sources, since preparing them takes long."""
    decoders = DecoderThread()
    yield decoders
    decoders.close()


@pytest.fixture
def play(decoders: DecoderThread) -> Iterator[Play]:
    """Return a function that starts sources, which end with the test."""
    playing: list[Played] = []

    def start(url: str, **arguments: Any) -> Played:
        playing.append(Played(decoders, url, **arguments))
        return playing[-1]

    yield start
    for each in playing:
        each.close()
