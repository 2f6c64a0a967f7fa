"""The prepared process that decoder processes are forked from.

It has imported what decoding needs, and opens nothing itself. For each request it forks
a process, which gets one end of a socket pair from the sender. When the sender closes
its end, that process is killed at once, whatever it waits for or computes. When a
process ends, the sender gets its number and its wait status.

A spare is such a process that the sender asks for before it has a job. It decodes a
little sound first: after a fork, memory is copied when it is first used, which takes
longer than the fork and most of what opening media takes.

Where forking is not safe (macOS), each process is a new program that imports everything
itself.
"""

import contextlib
from dataclasses import dataclass
import gc
import io
import os
import select
import signal
import socket
import sys
from typing import NoReturn
import wave

import av
from av.audio.stream import AudioStream

from ..audio.decoder_link import (
    ENDED,
    FRAME_HEADER_BYTES,
    REQUEST,
    Job,
    decode_job,
    encode_event,
    encode_job,
)
from ..audio.events import Found
from ..audio.prepared import PROGRAM
from ..media import Tags
from . import process
from .decoder import Decoder
from .sniff import HEAD_BYTES, kind_of

# Bytes that are no text in any encoding that playlists come in first.
_NO_TEXT = b"\xff"


@dataclass(frozen=True, slots=True)
class _Child:
    """A decoder process: the sender's number of it, and our copy of its socket."""

    number: int
    pid: int
    sock: socket.socket


class _Server:
    """Starts, kills, and reaps decoder processes until the sender is gone."""

    def __init__(self, control: socket.socket, *, forks: bool) -> None:
        self._control = control
        self._forks = forks
        self._is_warm = False
        self._children: dict[int, _Child] = {}
        self._poller = select.poll()
        self._poller.register(control, select.POLLIN)
        self._bell, ringer = socket.socketpair()
        self._bell.setblocking(False)
        ringer.setblocking(False)
        self._ringer = ringer
        self._poller.register(self._bell, select.POLLIN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ringer.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Serve until the sender closes the connection, then end all processes."""
        # What the collector does not look at is not copied for a fork.
        gc.freeze()
        if not self._poller.poll(0):
            self._warm_up()
        while True:
            for descriptor, _ in self._poller.poll():
                if descriptor == self._control.fileno():
                    if not self._take_request():
                        self._kill_all()
                        return
                elif descriptor == self._bell.fileno():
                    with contextlib.suppress(BlockingIOError):
                        self._bell.recv(4096)
                else:
                    # The sender has closed its end; this one is reaped later.
                    self._poller.unregister(descriptor)
                    os.kill(self._children[descriptor].pid, signal.SIGKILL)
            self._reap()

    def _warm_up(self) -> None:
        """Decode before there is a fork that is not urgent, for all that follow."""
        if self._forks and not self._is_warm:
            self._is_warm = True
            warm_up()
            gc.collect()
            gc.freeze()

    def _take_request(self) -> bool:
        """Start a process; return whether there was a request."""
        try:
            octets, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except ConnectionError:
            return False
        if len(octets) < REQUEST.size or not descriptors:
            return False
        number, is_spare = REQUEST.unpack(octets)
        if is_spare:
            self._warm_up()
        sock = socket.socket(fileno=descriptors[0])
        # The other processes that are started must not hold it open.
        sock.set_inheritable(False)
        try:
            pid = _fork(sock, is_spare=is_spare) if self._forks else _spawn(sock)
        except OSError as err:
            sock.close()
            self._control.sendall(ENDED.pack(number, -(err.errno or 1)))
            return True
        self._children[sock.fileno()] = _Child(number, pid, sock)
        # Only the end of the connection is looked for: what comes is for the process.
        self._poller.register(sock, 0)
        return True

    def _reap(self) -> None:
        for child in [*self._children.values()]:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            descriptor = child.sock.fileno()
            del self._children[descriptor]
            with contextlib.suppress(KeyError):
                self._poller.unregister(descriptor)
            with contextlib.suppress(ConnectionError):
                # Before its end of the connection closes.
                self._control.sendall(ENDED.pack(child.number, status))
            child.sock.close()

    def _kill_all(self) -> None:
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
        for child in self._children.values():
            os.waitpid(child.pid, 0)


def serve(options: list[str]) -> int:
    """Serve the sender whose connection is standard input; return the exit code.

    With `--spawn`, decoder processes are started and not forked. With `--one`, this is
    such a process.
    """
    sock = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # Ctrl-C is for the sender, which then closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options == ["--one"]:
        process.limit()
        process.run(sock)
        return 0
    _Server(sock, forks=not options).run()
    return 0


def warm_up() -> None:
    """Decode a little sound, so that what this imports and sets up is there."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(2)
        written.setsampwidth(2)
        written.setframerate(48_000)
        written.writeframes(bytes(4 * 4800))
    # How jobs are read and media is told from playlists sets up much more.
    decode_job(encode_job(Job(url=""))[FRAME_HEADER_BYTES:])
    kind_of(file.getvalue()[:HEAD_BYTES] + _NO_TEXT)
    file.seek(0)
    with av.open(file, mode="r") as container:
        stream = container.streams.best("audio")
        assert isinstance(stream, AudioStream)
        for _ in Decoder(container, stream, lambda: None).blocks():
            pass
    encode_event(Found(duration_ms=None, is_live=False, can_seek=True, tags=Tags()))


def _spawn(sock: socket.socket) -> int:
    program = [sys.executable, "-P", str(PROGRAM), "decode", "--one"]
    actions = [(os.POSIX_SPAWN_DUP2, sock.fileno(), 0)]
    return os.posix_spawn(program[0], program, os.environ, file_actions=actions)


def _fork(sock: socket.socket, *, is_spare: bool) -> int:
    pid = os.fork()
    if not pid:
        _become(sock, is_spare=is_spare)
    return pid


def _become(sock: socket.socket, *, is_spare: bool) -> NoReturn:
    """Be a decoder process: keep nothing of the server but its imports."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # The sockets of other sources among them: their ends must be seen.
        kept = os.dup2(sock.fileno(), 3) if sock.fileno() != 3 else 3
        os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
        process.limit()
        if is_spare:
            warm_up()
        process.run(socket.socket(fileno=os.dup(kept)))
    finally:
        os._exit(0)
