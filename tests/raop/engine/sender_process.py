"""The sender process as its owner sees it."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import os
import sys

from custom_components.airplay.raop.messages import (
    MAX_LINE_BYTES,
    Command,
    Event,
    Ready,
    Reply,
    decode_event,
    encode_command,
)
from tests.program import RAOP


class Sender:
    """A process, its commands and its events."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.events: list[Event] = []
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self._changed = asyncio.Event()
        self._number = 0
        self._reader = asyncio.create_task(self._read())

    def write(self, line: bytes) -> None:
        """Write arbitrary bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def submit(self, command: Command) -> int:
        """Give a command and return its number."""
        self._number += 1
        self.write(encode_command(self._number, command))
        return self._number

    async def run(self, command: Command) -> str | None:
        """Have a command done and return its error's code."""
        number = self.submit(command)
        return (await self.until(Reply, lambda each: each.id == number)).code

    async def until[T: Event](
        self, kind: type[T], matches: Callable[[T], bool] = lambda _: True
    ) -> T:
        """Wait for an event, which may have come already."""
        async with asyncio.timeout(15):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and matches(event):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def hang_up(self) -> None:
        """Close its pipes, as if its owner had died."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def exit_code(self, timeout_s: float = 3) -> int:
        """Wait until it has exited."""
        async with asyncio.timeout(timeout_s):
            return await self.process.wait()

    async def end(self) -> None:
        """Make it end."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.events.append(decode_event(line))
            self._changed.set()
            await self.is_reading.wait()


@asynccontextmanager
async def sender(code: str | None = None, **more: str) -> AsyncIterator[Sender]:
    """Start a sender, or code, and wait until it accepts commands."""
    command = (sys.executable, "-c", code) if code else (*RAOP, "serve")
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, **more},
        limit=MAX_LINE_BYTES + 1,
    )
    running = Sender(process)
    try:
        await running.until(Ready)
        yield running
    finally:
        await running.end()
