"""Starts, supervises and talks to the process that plays."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
import itertools
import logging
import os
from pathlib import Path
import sys
from typing import Any, ClassVar, Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from .complaint import ClockNotice
from .const import DOMAIN
from .dacp_record import DacpRecord
from .identity import async_get_identity, async_keep_port
from .raop import messages
from .raop.errors import RaopError, error_for
from .raop.messages import Command, Identity
from .shared import Holding, Shared

_LOGGER = logging.getLogger(__name__)

# The folder comes last in the path: modules of the integration must never stand
# in for those of the standard library. -P keeps the working directory out of it.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from raop.__main__ import main; sys.exit(main(['serve']))"
)
_BACKOFF_S = (0, 1, 2, 5, 15, 30)
_HEALTHY_S = 60
_START_S = 30
_REPLY_S = 60
_EXIT_S = 3
_MAX_LINE = messages.MAX_LINE_BYTES + 1
_MAX_LOGGED = 2000
# A newer command took the place of the older one: nothing went wrong.
OVERTAKEN = {"superseded", "stopped"}

type SenderEvent = messages.Event | SenderDied
type EventListener = Callable[[SenderEvent], None]


class SenderGoneError(RaopError):
    """The sender process is not there, or does not answer."""

    code: ClassVar[str] = "sender_gone"


class SenderDied:
    """Told to every listener when the process has ended: nothing plays any more."""


class Sender:
    """The owner's end of the sender process."""

    def __init__(self, hass: HomeAssistant, identity: Identity) -> None:
        """Start the process, and start it again whenever it ends, until closed."""
        self._hass = hass
        self._identity = identity
        self._process: Process | None = None
        self._ready: messages.Ready | None = None
        self._started: asyncio.Future[bool] = hass.loop.create_future()
        self._wanted = asyncio.Event()
        self._is_closing = False
        self._starts = 0
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[messages.Reply]] = {}
        self._listeners: dict[str, list[EventListener]] = {}
        self._receiver_listeners: dict[str, list[EventListener]] = {}
        self._clock_notice = ClockNotice(hass)
        self.record = DacpRecord(hass, identity.dacp_id)
        self._supervision = hass.async_create_background_task(
            self._async_supervise(), f"{DOMAIN} sender"
        )

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Make the sender of this installation and start its process."""
        return cls(hass, await async_get_identity(hass))

    async def async_close(self) -> None:
        """End the process: it ends by itself when nobody writes to it any more."""
        self._is_closing = True
        self._wanted.set()
        if self._process and self._process.stdin:
            self._process.stdin.close()
        # While the process says goodbye to its receivers.
        await self.record.async_withdraw()
        for end in (None, Process.terminate, Process.kill):
            if self._process and end:
                _LOGGER.warning("The sender process does not end, so it is made to")
                with suppress(ProcessLookupError):
                    end(self._process)
            done, _ = await asyncio.wait([self._supervision], timeout=_EXIT_S)
            if done:
                break

    async def async_request(
        self, command: Command, *, within_s: float | None = None
    ) -> None:
        """Have a command done; raise the core's error where it cannot be."""
        await self._async_ensure_ready()
        number = next(self._numbers)
        answer: asyncio.Future[messages.Reply] = self._hass.loop.create_future()
        self._pending[number] = answer
        try:
            async with asyncio.timeout(within_s or _REPLY_S):
                await self._async_write(messages.encode_command(number, command))
                reply = await answer
        except TimeoutError as err:
            raise SenderGoneError("the sender process does not answer") from err
        finally:
            self._pending.pop(number, None)
        if reply.code and reply.code not in OVERTAKEN:
            raise error_for(reply.code, reply.text)

    async def async_request_each(self, commands: Iterable[Command]) -> None:
        """Have the same done at each receiver of a speaker; one of them will do.

        Raises the first one's error where it can be done at none.
        """
        first, *others = commands
        if not others:
            await self.async_request(first)
            return
        results = await asyncio.gather(
            *(self.async_request(each) for each in (first, *others)),
            return_exceptions=True,
        )
        failures = [each for each in results if each is not None]
        for failure in failures:
            if len(failures) == len(results) or not isinstance(failure, RaopError):
                raise failure
            _LOGGER.debug("One receiver of a pair was left out: %s", failure)

    @callback
    def async_listen(self, stream: str, listener: EventListener) -> CALLBACK_TYPE:
        """Call with each event of a stream, and when the process died."""
        return _enter(self._listeners, stream, listener)

    @callback
    def async_listen_to(self, receiver: str, listener: EventListener) -> CALLBACK_TYPE:
        """Call with what is told of one receiver, in any stream, and at a death."""
        return _enter(self._receiver_listeners, receiver, listener)

    def free_name(self, wanted: str) -> str:
        """Return a name that no stream has, the wanted one where that can be."""
        return ulid_now() if self._listeners.get(wanted) else wanted

    @property
    def status(self) -> dict[str, Any]:
        """Return what diagnostics show."""
        ready = self._ready
        return {
            "running": ready is not None,
            "starts": self._starts,
            "realtime": ready.realtime if ready else None,
            "segmentation": ready.segmentation if ready else None,
            "dacp_port": ready.dacp_port if ready else None,
        }

    async def _async_ensure_ready(self) -> None:
        self._wanted.set()
        try:
            async with asyncio.timeout(_START_S):
                is_started = not self._is_closing and await asyncio.shield(
                    self._started
                )
        except TimeoutError:
            is_started = False
        if not is_started:
            raise SenderGoneError("the sender process does not start")

    async def _async_write(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            raise SenderGoneError("the sender process has ended")
        # A broken pipe shows as the end of the process, which answers for us.
        with suppress(ConnectionError):
            self._process.stdin.write(line)
            await self._process.stdin.drain()

    async def _async_supervise(self) -> None:
        failures = 0
        while True:
            began = self._hass.loop.time()
            self._wanted.clear()
            why = await self._async_run()
            self._tell_dead()
            if self._is_closing:
                return
            _LOGGER.error("The sender process ended and is started again: %s", why)
            if self._hass.loop.time() - began >= _HEALTHY_S:
                failures = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(_BACKOFF_S[failures]):
                    await self._wanted.wait()
            failures = min(failures + 1, len(_BACKOFF_S) - 1)

    async def _async_run(self) -> str:
        """Run the process once and say how it ended."""
        self._starts += 1
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                _BOOT,
                str(Path(__file__).parent),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_MAX_LINE,
                env=os.environ
                | {
                    "AIRPLAY_DACP_ID": self._identity.dacp_id,
                    "AIRPLAY_DACP_PORT": str(self._identity.dacp_port),
                    "AIRPLAY_CLIENT_NAME": self._identity.client_name,
                    "AIRPLAY_LOG_LEVEL": _log_level(),
                },
                # Ctrl-C in a terminal is for Home Assistant, which then closes us.
                start_new_session=True,
            )
        except OSError as err:
            return str(err)
        self._process = process
        if self._is_closing and process.stdin:
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
                event = messages.decode_event(line)
            except messages.MessageError as err:
                _LOGGER.warning("The sender process wrote what is no event: %s", err)
                continue
            try:
                self._take(event)
            except Exception:
                # A listener's fault must not end the supervision of the process.
                _LOGGER.exception("An event could not be used")

    async def _async_read_errors(self, process: Process) -> None:
        async for line in _async_lines(process.stderr):
            text = line.decode(errors="replace").rstrip()
            _LOGGER.error("%s", text[:_MAX_LOGGED])

    @callback
    def _take(self, event: messages.Event) -> None:
        match event:
            case messages.Ready():
                self._ready = event
                if not self._started.done():
                    self._started.set_result(True)
                self._take_port(event.dacp_port)
            case messages.ClockShared():
                self._clock_notice.async_take(event.code, event.text)
            case messages.Reply():
                answer = self._pending.get(event.id)
                if answer and not answer.done():
                    answer.set_result(event)
            case messages.LogLine():
                logger = logging.getLogger(f"{__name__}.{event.logger}")
                logger.log(event.level, "%s", event.text[:_MAX_LOGGED])
            case messages.MemberProgress():
                pass
            case _:
                self._tell(event.stream, event)
                self._tell_receivers(event)

    @callback
    def _take_port(self, port: int) -> None:
        """Announce where receivers reach us, and stay there."""
        if not port:
            return
        self.record.async_announce(port)
        if port != self._identity.dacp_port:
            self._identity = replace(self._identity, dacp_port=port)
            self._hass.async_create_task(
                async_keep_port(self._hass, port), f"{DOMAIN} keeps its port"
            )

    @callback
    def _tell_dead(self) -> None:
        """Fail what waits for the process that has ended, and tell everybody."""
        self._ready = None
        self._clock_notice.async_take(None)
        if not self._started.done():
            self._started.set_result(False)
        self._started = self._hass.loop.create_future()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(SenderGoneError("the sender process has ended"))
        for stream in [*self._listeners]:
            self._tell(stream, SenderDied())
        for receiver in [*self._receiver_listeners]:
            self._tell_receiver(receiver, SenderDied())

    @callback
    def _tell(self, stream: str, event: SenderEvent) -> None:
        for listener in [*self._listeners.get(stream, ())]:
            listener(event)

    @callback
    def _tell_receivers(self, event: messages.Event) -> None:
        match event:
            case messages.Progress():
                for member in event.members:
                    self._tell_receiver(member.receiver, member)
            case (
                messages.AnnouncementStarted()
                | messages.AnnouncementFailed()
                | messages.VolumeFound()
                | messages.MemberChanged()
                | messages.RemoteCommand()
            ):
                self._tell_receiver(event.receiver, event)

    @callback
    def _tell_receiver(self, receiver: str, event: SenderEvent) -> None:
        for listener in [*self._receiver_listeners.get(receiver, ())]:
            listener(event)


def _enter(
    listeners: dict[str, list[EventListener]], key: str, listener: EventListener
) -> CALLBACK_TYPE:
    listeners.setdefault(key, []).append(listener)

    def leave() -> None:
        listeners[key].remove(listener)
        if not listeners[key]:
            del listeners[key]

    return leave


def _log_level() -> str:
    """Name the least level that is logged here, so that no more is written."""
    level = _LOGGER.getEffectiveLevel()
    names = ("DEBUG", "INFO", "WARNING")
    return next((name for name in names if level <= getattr(logging, name)), "ERROR")


async def _async_lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """Yield the lines of a pipe until it ends; those that never end are dropped."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            _LOGGER.warning("The sender process wrote a line that is too long")
            continue
        if not line:
            return
        yield line


_KEY: HassKey[Holding[Sender]] = HassKey(f"{DOMAIN}_sender")
SENDER = Shared(_KEY, Sender.async_make)
