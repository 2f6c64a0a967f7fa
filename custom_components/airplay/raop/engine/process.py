"""The sender process: reads commands from stdin and writes events to stdout."""

import asyncio
import contextlib
import gc
from importlib import import_module
import logging
import os
import resource
import signal
import sys
from typing import override

from .. import messages
from ..messages import (
    Event,
    Identity,
    LogLine,
    Progress,
    Ready,
    RemoteCommand,
    Shutdown,
)
from .engine import Engine
from .net.remote_server import RemoteServer
from .net.sockets import can_segment
from .pacing.pacer import arm_fuse

_LOGGER = logging.getLogger(__name__)

# Imported before the first command. A program that plays a file imports what it needs
# when it needs it, but here that would be while other receivers play.
_NEEDED_LATER = (
    ".announce.desk",
    ".doctor.doctor",
    ".lanes.buffered",
    ".lanes.realtime",
    ".net.login",
    ".ptp.service",
)

# The owner may be blocked for seconds; optional events are dropped meanwhile.
_BACKLOG_BYTES = 256 * 1024
_LOG_TEXT = 4096
_FAREWELL_S = 3.0
_SWITCH_S = 0.0005
# A group of 32 receivers has about 250 open, and others connect to us.
_MOST_FILES = 2048


class _LogPipe(logging.Handler):
    """Turns log records from any thread into events."""

    def __init__(self, owner: _Owner) -> None:
        super().__init__()
        self._owner = owner

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Send one record to the owner."""
        text = self.format(record)[:_LOG_TEXT]
        line = LogLine(level=record.levelno, logger=record.name, text=text)
        self._owner.emit_threadsafe(line)


class _Owner:
    """The process that started this one and is at the other end of the pipes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.WriteTransport | None = None

    async def connect(self, descriptor: int) -> None:
        """Connect the pipe on which events are written."""
        pipe = os.fdopen(descriptor, "wb", buffering=0)
        self._transport, _ = await self._loop.connect_write_pipe(
            asyncio.BaseProtocol, pipe
        )

    def emit(self, event: Event) -> None:
        """Write an event; drop optional events while the owner does not read."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        is_optional = isinstance(event, (Progress, LogLine, RemoteCommand))
        if is_optional and transport.get_write_buffer_size() > _BACKLOG_BYTES:
            return
        transport.write(messages.encode_event(event))

    def emit_threadsafe(self, event: Event) -> None:
        """Write an event from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.emit, event)


async def serve(identity: Identity) -> None:
    """Run commands until the owner is gone, then free every receiver."""
    _limit()
    for name in _NEEDED_LATER:
        import_module(name, __package__)
    # Limits how long the pacing thread waits for the interpreter; the default is 5 ms.
    sys.setswitchinterval(_SWITCH_S)
    loop = asyncio.get_running_loop()
    owner = _Owner(loop)
    await owner.connect(_claim_stdout())
    _log_to(owner)
    commands = await _stdin(loop)
    engine = Engine(identity, owner.emit)
    arm_fuse()
    engine.start()
    server = RemoteServer(engine.remotes, engine.obey)
    dacp_port = await server.listen(identity.dacp_port)
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    gc.collect()
    gc.freeze()
    owner.emit(
        Ready(
            pid=os.getpid(),
            realtime=engine.is_realtime,
            segmentation=can_segment(),
            dacp_port=dacp_port,
        )
    )
    reading = asyncio.create_task(_read_commands(commands, engine, done))
    await done.wait()
    reading.cancel()
    # The process that replaces this one needs the port.
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            await engine.close()


async def _read_commands(
    commands: asyncio.StreamReader, engine: Engine, done: asyncio.Event
) -> None:
    try:
        while line := await commands.readline():
            try:
                number, command = messages.decode_command(line)
            except messages.MessageError as err:
                _LOGGER.warning("Ignored an invalid command: %s", err)
                continue
            if isinstance(command, Shutdown):
                return
            engine.submit(number, command)
    except ValueError:
        _LOGGER.exception("A command line exceeds the size limit")
    finally:
        done.set()


async def _stdin(loop: asyncio.AbstractEventLoop) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=messages.MAX_LINE_BYTES)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    return reader


def _claim_stdout() -> int:
    """Return the pipe to the owner, and redirect everything that prints to stderr."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    return pipe


def _limit() -> None:
    """Write no core file, which would hold secrets, and open a limited number of files.

    This also applies to processes that this one starts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _MOST_FILES if most == resource.RLIM_INFINITY else min(_MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def _log_to(owner: _Owner) -> None:
    handler = _LogPipe(owner)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = os.environ.get("AIRPLAY_LOG_LEVEL", "")
    root.setLevel(int(level) if level.isdecimal() else logging.INFO)
