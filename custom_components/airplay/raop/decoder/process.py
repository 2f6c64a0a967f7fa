"""The life of a decoder process: its limits, its job, and what it answers.

It runs in a process of its own that can be killed at any instant. It holds no socket
but the one to the sender, and nothing that it opened outlives it.
"""

import contextlib
import logging
import os
import resource
import signal
import socket
import sys
import time
import traceback

from ..audio.decoder_link import (
    DecoderEvent,
    FrameKind,
    FrameReader,
    Job,
    LinkError,
    decode_job,
    encode_cover,
    encode_event,
    encode_pcm,
)
from ..audio.events import Cover, Failure
from ..errors import MediaError
from .decoding import Decoding
from .job_scope import JobScope
from .media_errors import UnplayableError

_LOGGER = logging.getLogger(__name__)

_MEMORY_BYTES = 512 << 20
_DESCRIPTORS = 64
# Decoding must not delay what keeps time, and needs little.
_NICE = 5
# Processor time until the first sound. Without an index, a place is found by decoding
# everything before it.
_OPEN_CPU_S = 15.0
# Processor time between two pieces, which are a tenth of a second or more.
_PIECE_CPU_S = 5.0
# Small enough to be told soon, and large enough that the reader rarely wakes.
_PIECE_BYTES = 1 << 14
_PIECE_S = 0.1


def limit() -> None:
    """Set the limits that hold for the rest of this process."""
    if sys.platform != "darwin":
        # On macOS every program reserves more from its start, so the kernel refuses.
        _lower(resource.RLIMIT_AS, _MEMORY_BYTES)
    _lower(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It writes to no file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(_NICE)


def _lower(kind: int, most: int) -> None:
    """Set a limit, unless the system's own is lower, which cannot be raised."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def run(sock: socket.socket) -> None:
    """Read a job from a socket, do it, and return when all of it was taken."""
    try:
        job = _job(sock)
        link = _Link(sock)
        link.allow(_OPEN_CPU_S)
        try:
            Decoding(job, link, JobScope(job.limits, job.bounds, job.kind)).run()
        except UnplayableError as problem:
            link.fail(problem)
        except MemoryError:
            link.fail(UnplayableError(MediaError, "it needs too much memory"))
        except ConnectionError:
            return
        except Exception as err:  # noqa: BLE001 - the media may raise anything
            # Without the error's text, which may hold an address.
            where = "".join(traceback.format_tb(err.__traceback__))
            _LOGGER.error("Decoding failed: %s\n%s", type(err).__name__, where)
            link.fail(UnplayableError(MediaError, "decoding failed"))
        link.flush()
    except LinkError, OSError:
        # The sender has closed it: nobody wants the rest.
        return


def _job(sock: socket.socket) -> Job:
    reader = FrameReader()
    # A spare waits without a limit: it ends when the sender closes the socket.
    while octets := sock.recv(1 << 16):
        for kind, content in reader.feed(octets):
            if kind is not FrameKind.JOB:
                raise LinkError("not a job")
            return decode_job(content)
    raise LinkError("no job")


class _Link:
    """The way to the sender, which waits while the sender does not read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._piece = bytearray()
        self._since = 0.0

    def allow(self, seconds: float) -> None:
        """Let the kernel end this process after so much more processor time."""
        signal.setitimer(signal.ITIMER_PROF, seconds)

    def write(self, pcm: bytes) -> None:
        """Deliver frames in pieces."""
        if not self._piece:
            self._since = time.monotonic()
        self._piece += pcm
        is_due = time.monotonic() - self._since > _PIECE_S
        if is_due or len(self._piece) >= _PIECE_BYTES:
            self.flush()

    def tell(self, event: DecoderEvent, cover: Cover | None = None) -> None:
        """Deliver an event after the frames before it."""
        self.flush()
        for frame in encode_cover(cover) if cover else ():
            self._sock.sendall(frame)
        self._sock.sendall(encode_event(event))

    def rest(self) -> None:
        """Deliver all frames. Raises ConnectionError: the sender has closed its end."""
        self.flush()
        # It sends nothing after the job.
        with contextlib.suppress(BlockingIOError):
            self._sock.recv(1, socket.MSG_DONTWAIT)
            raise ConnectionResetError

    def fail(self, problem: UnplayableError) -> None:
        """Deliver the reason of a failure."""
        self.tell(Failure(problem.kind.code, problem.reason, problem.status))

    def flush(self) -> None:
        """Deliver all frames."""
        if not self._piece:
            return
        pcm, self._piece = bytes(self._piece), bytearray()
        for frame in encode_pcm(pcm):
            self._sock.sendall(frame)
        self.allow(_PIECE_CPU_S)
