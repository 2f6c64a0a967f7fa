"""The decoder processes as the sender sees them: sockets that a process answers on."""

import asyncio
from collections.abc import Callable
import contextlib
import logging
import signal
import socket
import threading

from .decoder_link import ENDED, REQUEST
from .prepared import PreparedProcess

_LOGGER = logging.getLogger(__name__)

# The prepared process costs memory, and its start a fifth of a second.
_IDLE_S = 600.0
# A spare is for the next command. It must not start while the sound of this one does.
_SPARE_S = 1.0

type OnEnd = Callable[[int | None], None]


class DecoderPool:
    """Starts decoder processes, from a prepared process that starts with the first.

    From the first one on, a spare waits for its job: it has decoded something already,
    and starts several times as fast as one that has to be forked.
    """

    def __init__(self, prepared: PreparedProcess | None = None) -> None:
        """Start nothing yet; one prepared process may have been started before."""
        self._number = 0
        self._ends: dict[int, OnEnd] = {}
        self._unused = prepared
        self._prepared: PreparedProcess | None = None
        self._spare: tuple[int, socket.socket] | None = None
        self._endings: set[asyncio.Future[None]] = set()
        self._news = b""
        self._idle: asyncio.TimerHandle | None = None
        self._renewal: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return the number and the socket of a decoder process without a job.

        When it has ended, `on_end` gets its wait status, or None if that is unknown.
        Closing the socket kills it.

        Raises OSError: no process can be started.
        """
        if self._is_closed:
            raise ConnectionAbortedError("no decoder is started anymore")
        number, sock = self._spare or self._request_now()
        self._spare = None
        self._ends[number] = on_end
        self._rest_later()
        self._renew_later()
        return number, sock

    def forget(self, number: int) -> None:
        """Report nothing more of a process whose socket was closed."""
        self._ends.pop(number, None)
        self._rest_later()

    async def close(self) -> None:
        """End the prepared process, and with it all others; none is started anymore."""
        self._is_closed = True
        self._lose()
        if self._unused:
            self._end(self._unused)
            self._unused = None
        await asyncio.gather(*self._endings)

    def _request_now(self) -> tuple[int, socket.socket]:
        try:
            return self._request(is_spare=False)
        except ConnectionError:
            # The prepared process has ended, which was not noticed yet.
            return self._request(is_spare=False)

    def _request(self, *, is_spare: bool) -> tuple[int, socket.socket]:
        """Have a process started. Raises OSError: that is not possible."""
        control = self._connected().sock
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._number += 1
        request = REQUEST.pack(self._number, is_spare)
        try:
            # A few bytes: the prepared process always reads.
            socket.send_fds(control, [request], [theirs.fileno()])
        except OSError:
            ours.close()
            self._lose()
            raise
        finally:
            theirs.close()
        return self._number, ours

    def _connected(self) -> PreparedProcess:
        """Return the prepared process. Raises OSError: it cannot be started."""
        if self._prepared is None:
            self._prepared, self._unused = self._unused or PreparedProcess.start(), None
            asyncio.get_running_loop().add_reader(self._prepared.sock, self._read)
        return self._prepared

    def _read(self) -> None:
        """Take the news of processes that have ended."""
        assert self._prepared is not None
        try:
            octets = self._prepared.sock.recv(4096)
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
            elif self._spare and self._spare[0] == number:
                self._drop_spare()
        self._rest_later()

    def _lose(self) -> None:
        """Let go of the prepared process; the next open starts another."""
        for timer in (self._idle, self._renewal):
            if timer:
                timer.cancel()
        self._drop_spare()
        if self._prepared:
            asyncio.get_running_loop().remove_reader(self._prepared.sock)
            self._end(self._prepared)
            self._prepared = None
        self._news = b""
        ends, self._ends = self._ends, {}
        for on_end in ends.values():
            on_end(None)

    def _end(self, prepared: PreparedProcess) -> None:
        """End a prepared process, and release what the kernel keeps of it."""
        prepared.close()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not ended.done():
                ended.set_result(None)

        def wait() -> None:
            prepared.wait()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell)

        self._endings.add(ended)
        ended.add_done_callback(self._endings.discard)
        # As asyncio calls threads that wait for a process.
        name = f"waitpid-{prepared.pid}"
        threading.Thread(target=wait, name=name, daemon=True).start()

    def _drop_spare(self) -> None:
        """End the process that waits for a job."""
        if self._spare:
            self._spare[1].close()
            self._spare = None

    def _renew_later(self) -> None:
        """Have a spare when no process was asked for during some time."""
        if self._renewal:
            self._renewal.cancel()
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(_SPARE_S, self._renew)

    def _renew(self) -> None:
        """Start a spare, unless there is one or nothing to start it."""
        if self._prepared and not self._spare:
            try:
                self._spare = self._request(is_spare=True)
            except OSError as err:
                # The next process is started when it is needed.
                _LOGGER.debug("No spare decoder can be started: %s", err)

    def _rest_later(self) -> None:
        """End the prepared process when nothing was decoded for long."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if not self._ends and self._prepared:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(_IDLE_S, self._lose)


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
