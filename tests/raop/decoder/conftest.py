"""The fixtures of sources, with decoders that are forked from the tests' own process.

What a test has changed in this process holds in them, too.
"""

from collections.abc import Iterator
import os
import signal
import socket
from typing import override
import warnings

import pytest

from custom_components.airplay.raop.audio.decoder_pool import DecoderPool, OnEnd
from custom_components.airplay.raop.decoder import process

from ..audio.conftest import keep, play, web
from ..audio.recorder import DecoderThread

__all__ = ["decoders", "keep", "play", "web"]


class ForkPool(DecoderPool):
    """Forks the tests' process in place of a prepared one."""

    def __init__(self) -> None:
        """Start nothing yet."""
        super().__init__()
        self._pids: list[int] = []

    @override
    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return the socket of a new process; its end is not reported."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with warnings.catch_warnings():
            # The threads of the tests hold nothing that a decoder needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            try:
                ours.close()
                process.run(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self._pids.append(pid)
        return pid, ours

    @override
    async def close(self) -> None:
        """End all processes."""
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@pytest.fixture
def decoders() -> Iterator[DecoderThread]:
    """Return decoders of this test."""
    decoders = DecoderThread(ForkPool())
    yield decoders
    decoders.close()
