"""The fixtures of sources, with decoders in threads of the tests' own process.

What a test has changed in this process holds in them, too.
"""

from collections.abc import Iterator
import socket
import threading
from typing import override

import pytest

from custom_components.airplay.raop.audio.decoder_pool import DecoderPool, OnEnd
from custom_components.airplay.raop.decoder import process

from ..audio.conftest import keep, play, web
from ..audio.recorder import DecoderThread

__all__ = ["decoders", "keep", "play", "web"]


class ThreadPool(DecoderPool):
    """Runs in threads what decoder processes run."""

    def __init__(self) -> None:
        """Start nothing yet."""
        super().__init__()
        self._threads: list[threading.Thread] = []

    @override
    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return the socket of a new thread; its end is not reported."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)

        def run() -> None:
            with theirs:
                process.run(theirs)

        self._threads.append(
            threading.Thread(
                # A name of threads that may outlive a test of Home Assistant: one that
                # reads ends by its time limit.
                target=run,
                name="waitpid-decoder",
                daemon=True,
            )
        )
        self._threads[-1].start()
        return len(self._threads), ours


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderThread]:
    """Return decoders of this test, whose processor time is not limited."""
    monkeypatch.setattr(process._Link, "allow", lambda *_: None)
    decoders = DecoderThread(ThreadPool())
    yield decoders
    decoders.close()
