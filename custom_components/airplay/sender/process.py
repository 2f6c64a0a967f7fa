"""The life of the sender process: start, supervision, restart, and end."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
import logging
import os
import sys

from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..raop.api import (
    MAX_LINE_BYTES,
    PROGRAM,
    Event,
    MessageError,
    decode_event,
    inherited,
)

_LOGGER = logging.getLogger(__name__)

MAX_LOGGED = 2000

# By its path, since the core is not installed here, and another `raop` may be. -P
# prevents the modules beside that file from shadowing others.
_ARGUMENTS: tuple[str, ...] = ("-P", str(PROGRAM), "serve")
# How long after an end it starts again, whoever asks for it meanwhile.
_BACKOFF_S = (0, 1, 2, 5, 15, 30)
_HEALTHY_S = 60
_EXIT_S = 3
_MAX_LINE = MAX_LINE_BYTES + 1


class SenderProcess:
    """Restarts the process whenever it ends, until dismissed; lines in, events out."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        environment: Callable[[], Mapping[str, str]],
        on_event: Callable[[Event], None],
        on_end: Callable[[], None],
    ) -> None:
        """Start it; each start calls `environment` for the process's variables."""
        self._hass = hass
        self._environment = environment
        self._on_event = on_event
        self._on_end = on_end
        self._process: Process | None = None
        self._dismissed = asyncio.Event()
        self._starts_again_at: float | None = None
        self.starts = 0
        self._supervision = hass.async_create_background_task(
            self._async_supervise(), f"{DOMAIN} sender"
        )

    @property
    def is_dismissed(self) -> bool:
        """Whether it is not restarted any more."""
        return self._dismissed.is_set()

    @property
    def restarts_in_s(self) -> float:
        """Return the time until it starts again; 0 if it has been started."""
        if self._starts_again_at is None:
            return 0
        return max(0, self._starts_again_at - self._hass.loop.time())

    async def async_write(self, line: bytes) -> bool:
        """Write a line; return whether there was a process to write to."""
        if self._process is None or self._process.stdin is None:
            return False
        # A broken pipe shows as the end of the process, which fails open requests.
        with suppress(ConnectionError):
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        return True

    @callback
    def async_dismiss(self) -> None:
        """Close its input, at whose end the process exits."""
        self._dismissed.set()
        if self._process and self._process.stdin:
            self._process.stdin.close()

    async def async_ended(self) -> None:
        """Wait until it has exited, and force it to exit if it does not in time."""
        for end in (None, Process.terminate, Process.kill):
            if self._process and end:
                _LOGGER.warning(
                    "Sender process did not exit in time; forcing it to exit"
                )
                with suppress(ProcessLookupError):
                    end(self._process)
            done, _ = await asyncio.wait([self._supervision], timeout=_EXIT_S)
            if done:
                break

    async def _async_supervise(self) -> None:
        failures = 0
        while True:
            began = self._hass.loop.time()
            why = await self._async_run()
            self._on_end()
            if self.is_dismissed:
                return
            _LOGGER.error("Sender process ended; restarting it: %s", why)
            if self._hass.loop.time() - began >= _HEALTHY_S:
                failures = 0
            if await self._async_is_dismissed_within(_BACKOFF_S[failures]):
                return
            failures = min(failures + 1, len(_BACKOFF_S) - 1)

    async def _async_is_dismissed_within(self, delay_s: float) -> bool:
        """Wait for the delay before a restart, or until there is to be none."""
        self._starts_again_at = self._hass.loop.time() + delay_s
        try:
            async with asyncio.timeout_at(self._starts_again_at):
                return await self._dismissed.wait()
        except TimeoutError:
            return False
        finally:
            self._starts_again_at = None

    async def _async_run(self) -> str:
        """Run the process once and return how it ended."""
        self.starts += 1
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *_ARGUMENTS,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_MAX_LINE,
                env=inherited(os.environ, is_tuned=True) | {**self._environment()},
                # Ctrl-C in a terminal is for Home Assistant, which then closes this process.
                start_new_session=True,
            )
        except OSError as err:
            return str(err)
        self._process = process
        if self.is_dismissed and process.stdin:
            process.stdin.close()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._async_read_events(process))
                group.create_task(self._async_read_errors(process))
            return f"exit code {await process.wait()}"
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _async_read_events(self, process: Process) -> None:
        async for line in _async_lines(process.stdout):
            try:
                event = decode_event(line)
            except MessageError as err:
                _LOGGER.warning("Sender process wrote an invalid event: %s", err)
                continue
            try:
                self._on_event(event)
            except Exception:
                # A listener's error must not end the supervision of the process.
                _LOGGER.exception("Error while handling an event")

    async def _async_read_errors(self, process: Process) -> None:
        async for line in _async_lines(process.stderr):
            text = line.decode(errors="replace").rstrip()
            _LOGGER.error("%s", text[:MAX_LOGGED])


async def _async_lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """Yield the lines of a pipe until it ends, without those that are too long."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            _LOGGER.warning("Sender process wrote a line that is too long")
            continue
        if not line:
            return
        yield line
