"""Commands to the sender process, and the dispatch of its events."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
import itertools
import logging
from typing import Any, Self, get_args

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.async_ import create_eager_task
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from ..const import DOMAIN
from ..helpers.issues import ClockNotice
from ..helpers.listeners import KeyedListeners
from ..helpers.shared import Holding, SharedInstance
from ..raop.api import (
    ClockShared,
    Command,
    Event,
    Identity,
    LimitUdpPorts,
    LogLine,
    MemberChanged,
    PortRange,
    Progress,
    RaopError,
    Ready,
    Reply,
    encode_command,
    error_for,
)
from .dacp_record import DacpRecord
from .errors import SenderFailingError, SenderGoneError
from .events import EventListener, ReceiverEvent, SenderDied, SenderEvent, StreamEvent
from .identity import async_get_identity, async_keep_port
from .process import MAX_LOGGED, SenderProcess
from .udp_ports import async_load_udp_ports

type _Route = Callable[[Any], None]

_LOGGER = logging.getLogger(__name__)

_START_S = 30
# How long a command waits for a restart; a longer delay is an error at once.
_RESTART_S = 2
_REPLY_S = 60
_LIMIT_S = 5
# A newer command replaced or stopped it: not a failure.
OVERTAKEN = {"superseded", "stopped"}


class Sender:
    """Sends commands to the process, and dispatches each event to its listeners."""

    def __init__(
        self, hass: HomeAssistant, identity: Identity, udp_ports: PortRange | None
    ) -> None:
        """Start the process, which is restarted whenever it ends, until closed."""
        self._udp_ports = udp_ports
        self._hass = hass
        self._identity = identity
        self._ready: Ready | None = None
        self._started: asyncio.Future[bool] = hass.loop.create_future()
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._routes = self._make_routes()
        self._stream_listeners = KeyedListeners[[SenderEvent]]()
        self._receiver_listeners = KeyedListeners[[SenderEvent]]()
        self._clock_notice = ClockNotice(hass)
        self.record = DacpRecord(hass, identity.dacp_id)
        self._process = SenderProcess(
            hass,
            environment=self._environment,
            on_event=self._handle_event,
            on_end=self._notify_dead,
        )

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Create the sender of this installation and start its process."""
        identity = await async_get_identity(hass)
        return cls(hass, identity, await async_load_udp_ports(hass))

    async def async_close(self) -> None:
        """End the process."""
        self._process.async_dismiss()
        # The process releases the receivers meanwhile.
        await self.record.async_withdraw()
        await self._process.async_ended()

    async def async_request(
        self,
        command: Command,
        *,
        within_s: float | None = None,
        on_sent: Callable[[], None] | None = None,
    ) -> None:
        """Send a command and wait for its result; call `on_sent` once it is written.

        A command that a newer one has replaced counts as done.

        Raises RaopError: the core's error, when the command fails.
        Raises SenderGoneError: when the process does not start or respond.
        Raises SenderFailingError: when it has ended too often to be started now.
        """
        await self._async_ensure_ready()
        number = next(self._numbers)
        line = encode_command(number, command)
        answer: asyncio.Future[Reply] = self._hass.loop.create_future()
        self._pending[number] = answer
        try:
            async with asyncio.timeout(within_s or _REPLY_S):
                if not await self._process.async_write(line):
                    raise SenderGoneError("the sender process has ended")
                if on_sent:
                    on_sent()
                reply = await answer
        except TimeoutError as err:
            raise SenderGoneError("the sender process does not respond") from err
        finally:
            self._pending.pop(number, None)
        if reply.code and reply.code not in OVERTAKEN:
            raise error_for(reply.code, reply.text, reply.status)

    async def async_request_each(
        self,
        commands: Iterable[Command],
        *,
        on_sent: Callable[[], None] | None = None,
    ) -> None:
        """Send the same to each receiver of a speaker; one success is enough.

        `on_sent` is called once the last command is written.
        Raises RaopError: the first error, when the command fails at all receivers.
        """
        *others, last = commands
        if not others:
            await self.async_request(last, on_sent=on_sent)
            return
        # Eager, so that all commands are written before anything else happens.
        results = await asyncio.gather(
            *(create_eager_task(self.async_request(each)) for each in others),
            create_eager_task(self.async_request(last, on_sent=on_sent)),
            return_exceptions=True,
        )
        failures = [each for each in results if each is not None]
        for failure in failures:
            if len(failures) == len(results) or not isinstance(failure, RaopError):
                raise failure
            _LOGGER.debug("Command failed at one receiver of a pair: %s", failure)

    async def async_limit_udp_ports(self, ports: PortRange | None) -> None:
        """Open UDP ports of a range only, or any; open sessions keep theirs.

        Raises RaopError: the process does not respond; the next one uses the range.
        """
        self._udp_ports = ports
        limit = LimitUdpPorts(first=ports.first, last=ports.last) if ports else None
        await self.async_request(limit or LimitUdpPorts(), within_s=_LIMIT_S)

    @callback
    def async_listen(self, stream: str, listener: EventListener) -> CALLBACK_TYPE:
        """Call with each event of a stream, and when the process has died."""
        return self._stream_listeners.async_add(stream, listener)

    @callback
    def async_listen_to(self, receiver: str, listener: EventListener) -> CALLBACK_TYPE:
        """Call with each event of a receiver, in any stream, and when the process has died."""
        return self._receiver_listeners.async_add(receiver, listener)

    def free_name(self, wanted: str) -> str:
        """Return a stream name that is free: the wanted one, if possible."""
        return ulid_now() if wanted in self._stream_listeners else wanted

    @property
    def status(self) -> dict[str, Any]:
        """Return the status for diagnostics."""
        ready = self._ready
        return {
            "running": ready is not None,
            "starts": self._process.starts,
            "realtime": ready.realtime if ready else None,
            "segmentation": ready.segmentation if ready else None,
            "dacp_port": ready.dacp_port if ready else None,
            "udp_ports": str(self._udp_ports) if self._udp_ports else None,
        }

    def _environment(self) -> dict[str, str]:
        """Return the environment variables of the process."""
        return {
            "AIRPLAY_DACP_ID": self._identity.dacp_id,
            "AIRPLAY_DACP_PORT": str(self._identity.dacp_port),
            "AIRPLAY_CLIENT_NAME": self._identity.client_name,
            "AIRPLAY_LOG_LEVEL": _log_level(),
            "AIRPLAY_UDP_PORTS": str(self._udp_ports or ""),
        }

    async def _async_ensure_ready(self) -> None:
        if self._process.restarts_in_s > _RESTART_S:
            raise SenderFailingError("the sender process ends again and again")
        try:
            async with asyncio.timeout(_START_S):
                is_started = not self._process.is_dismissed and await asyncio.shield(
                    self._started
                )
        except TimeoutError:
            is_started = False
        if not is_started:
            raise SenderGoneError("the sender process does not start")

    def _make_routes(self) -> dict[type[Event], _Route]:
        """Return the dispatch function for each type of event."""
        return {
            **dict.fromkeys(get_args(StreamEvent.__value__), self._notify_stream),
            **dict.fromkeys(get_args(ReceiverEvent.__value__), self._notify_receiver),
            # These two go to more listeners than others of their kind.
            Progress: self._async_progress,
            MemberChanged: self._async_member_changed,
            Ready: self._async_ready,
            ClockShared: self._async_clock_shared,
            Reply: self._async_reply,
            LogLine: _log,
        }

    @callback
    def _handle_event(self, event: Event) -> None:
        self._routes[type(event)](event)

    @callback
    def _notify_stream(self, event: StreamEvent) -> None:
        self._stream_listeners.async_notify(event.stream, event)

    @callback
    def _notify_receiver(self, event: ReceiverEvent) -> None:
        self._receiver_listeners.async_notify(event.receiver, event)

    @callback
    def _async_progress(self, event: Progress) -> None:
        """Notify the listeners of the stream and of its members."""
        self._notify_stream(event)
        for member in event.members:
            self._notify_receiver(member)

    @callback
    def _async_member_changed(self, event: MemberChanged) -> None:
        if event.state == "connected" and event.local:
            self.record.async_reached(event.receiver, event.local)
        self._notify_receiver(event)

    @callback
    def _async_ready(self, event: Ready) -> None:
        self._ready = event
        if not self._started.done():
            self._started.set_result(True)
        self._async_announce_port(event.dacp_port)

    @callback
    def _async_clock_shared(self, event: ClockShared) -> None:
        self._clock_notice.async_update(event.code, event.text)

    @callback
    def _async_reply(self, event: Reply) -> None:
        answer = self._pending.get(event.id)
        if answer and not answer.done():
            answer.set_result(event)

    @callback
    def _async_announce_port(self, port: int) -> None:
        """Announce the port by which receivers reach the sender, and store it."""
        if not port:
            return
        self.record.async_announce(port)
        if port != self._identity.dacp_port:
            self._identity = replace(self._identity, dacp_port=port)
            self._hass.async_create_task(
                async_keep_port(self._hass, port), f"{DOMAIN} keeps its port"
            )

    @callback
    def _notify_dead(self) -> None:
        """Fail the pending requests of the process that has ended, and notify all listeners."""
        self._ready = None
        self._clock_notice.async_update(None)
        if not self._started.done():
            self._started.set_result(False)
        self._started = self._hass.loop.create_future()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(SenderGoneError("the sender process has ended"))
        self._stream_listeners.async_notify_all(SenderDied())
        self._receiver_listeners.async_notify_all(SenderDied())


def _log(event: LogLine) -> None:
    """Log a line of the process's log."""
    logger = logging.getLogger(f"{__package__}.{event.logger}")
    logger.log(event.level, "%s", event.text[:MAX_LOGGED])


def _log_level() -> str:
    """Return the number of the lowest level that is logged here.

    The process then sends no lines that would be dropped here.
    """
    return str(_LOGGER.getEffectiveLevel())


_KEY: HassKey[Holding[Sender]] = HassKey(f"{DOMAIN}_sender")
SENDER = SharedInstance(_KEY, Sender.async_make)
