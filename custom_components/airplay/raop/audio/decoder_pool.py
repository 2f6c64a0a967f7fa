"""The decoder processes as the sender sees them: sockets that a process answers on."""

import asyncio
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
import contextlib
import logging
import os
import signal
import socket
import sys

from .decoder_link import ENDED, PROGRAM, REQUEST
from .environment import inherited

_LOGGER = logging.getLogger(__name__)

# Forking is not safe on macOS, whose libraries may run threads of their own.
SERVE = ("decode",) if sys.platform == "linux" else ("decode", "--spawn")
# The prepared process costs memory, and its start a fifth of a second.
_IDLE_S = 600.0
# Less than the sender may take for its own end.
_END_S = 1.0
# One thread, so that forking is safe, and one arena: each reserves 64 MiB, which counts
# for the limit of memory.
_SINGLE = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}

type OnEnd = Callable[[int | None], None]


class DecoderPool:
    """Starts decoder processes, from a prepared process that starts with the first."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._number = 0
        self._ends: dict[int, OnEnd] = {}
        self._control: socket.socket | None = None
        self._process: Process | None = None
        self._starting = asyncio.Lock()
        self._news = b""
        self._idle: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return the number and the socket of a new decoder process.

        When it has ended, `on_end` gets its wait status, or None if that is unknown.
        Closing the socket kills it.

        Raises OSError: no process can be started.
        """
        try:
            return await self._request(on_end)
        except ConnectionError:
            # The prepared process has ended, which was not noticed yet.
            return await self._request(on_end)

    async def _request(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        control = await self._prepared()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._number += 1
        try:
            # A few bytes: the prepared process always reads.
            socket.send_fds(control, [REQUEST.pack(self._number)], [theirs.fileno()])
        except OSError:
            ours.close()
            self._lose()
            raise
        finally:
            theirs.close()
        self._ends[self._number] = on_end
        self._rest_later()
        return self._number, ours

    def forget(self, number: int) -> None:
        """Report nothing more of a process whose socket was closed."""
        self._ends.pop(number, None)
        self._rest_later()

    async def close(self) -> None:
        """End the prepared process, and with it all others; none is started anymore."""
        self._is_closed = True
        # One that is being started must be there to be ended.
        async with self._starting:
            if self._idle:
                self._idle.cancel()
            self._lose()
            if process := self._process:
                await _ended(process)

    async def _prepared(self) -> socket.socket:
        async with self._starting:
            if self._is_closed:
                raise ConnectionAbortedError("no decoder is started anymore")
            if self._control is None:
                self._control, self._process = await start_server()
                asyncio.get_running_loop().add_reader(self._control, self._read)
            return self._control

    def _read(self) -> None:
        """Take the news of processes that have ended."""
        assert self._control is not None
        try:
            octets = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            if self._ends:
                _LOGGER.warning("The process that starts decoders has ended")
            self._lose()
            return
        self._news += octets
        while len(self._news) >= ENDED.size:
            number, status = ENDED.unpack_from(self._news)
            self._news = self._news[ENDED.size :]
            if on_end := self._ends.pop(number, None):
                on_end(status)
        self._rest_later()

    def _lose(self) -> None:
        """Let go of the prepared process; the next open starts another."""
        if self._control:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        self._news = b""
        ends, self._ends = self._ends, {}
        for on_end in ends.values():
            on_end(None)

    def _rest_later(self) -> None:
        """End the prepared process when nothing was decoded for long."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if not self._ends and self._control:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(_IDLE_S, self._lose)


async def _ended(process: Process) -> None:
    """Wait until the prepared process has ended, and make it if it does not."""
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def start_server() -> tuple[socket.socket, Process]:
    """Start the prepared process; return the connection to it.

    Raises OSError: it cannot be started.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(PROGRAM),
                *SERVE,
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                env=inherited(os.environ) | _SINGLE,
            )
        except BaseException:
            ours.close()
            raise
    return ours, process


def is_greedy(status: int | None) -> bool:
    """Whether a process was ended because it used too much processor time."""
    return status is not None and status > 0 and status & 0x7F == signal.SIGPROF


def how_ended(status: int | None) -> str:
    """Describe a wait status for the log."""
    if status is None:
        return "is lost"
    if status < 0:
        return f"was not started (error {-status})"
    number = status & 0x7F
    return f"was ended by signal {number}" if number else f"exited with {status >> 8}"
