"""The fixtures of sources, with decoders in threads: tests may change what these find."""

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
    """Runs in threads what a decoder process runs."""

    @override
    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return the socket of a new thread; nothing but its socket ends it."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)

        def run() -> None:
            with theirs:
                process.run(theirs)

        threading.Thread(target=run, daemon=True).start()
        return 0, ours


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderThread]:
    """Return decoders in threads, whose processor time is not limited."""
    monkeypatch.setattr(process._Link, "allow", lambda *_: None)
    decoders = DecoderThread(ThreadPool())
    yield decoders
    decoders.close()
