"""The event channel of AirPlay 2: the receiver sends requests, all are accepted."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import logging
import time

from ...auth.channel import ChannelKeys, EncryptedChannel
from ...errors import ReceiverProtocolError
from ...session.limits.talk import TalkBudget
from ...wire.rtsp import Call, CallParser

_LOGGER = logging.getLogger(__name__)

_READ_BYTES = 16_384
_OPEN_S = 3.0
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 0.0)


class EventChannel:
    """A connection beside a session, which plays without it, too.

    It is opened in the background, again if the receiver does not accept it yet.
    """

    def __init__(
        self,
        host: str,
        port: int,
        keys: ChannelKeys,
        *,
        on_call: Callable[[Call], None],
        on_end: Callable[[], None],
    ) -> None:
        """`on_end` is called if the receiver ends a channel that was open."""
        self._endpoint = (host, port)
        self._keys = keys
        self._on_call = on_call
        self._on_end = on_end
        self._opened = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def is_open(self) -> bool:
        """Whether the receiver has accepted it."""
        return self._opened.is_set()

    async def wait_open(self, wait_s: float) -> None:
        """Wait until it is open, or for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._opened.wait()

    def close(self) -> None:
        """Close at once."""
        self._task.cancel()
        if self._writer:
            self._writer.close()

    async def _run(self) -> None:
        for wait_s in _RETRY_S:
            try:
                async with asyncio.timeout(_OPEN_S):
                    reader, writer = await asyncio.open_connection(*self._endpoint)
            except (OSError, TimeoutError) as err:
                _LOGGER.debug("event channel: %r", err)
                await asyncio.sleep(wait_s)
            else:
                self._writer = writer
                self._opened.set()
                await self._serve(reader, writer)
                writer.close()
                return self._on_end()
        return None

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parser, channel = CallParser(), EncryptedChannel(self._keys)
        budget = TalkBudget()
        try:
            while received := await reader.read(_READ_BYTES):
                budget.count_bytes(len(received), time.monotonic())
                for call in parser.feed(channel.feed(received)):
                    budget.count_call(time.monotonic())
                    writer.write(channel.encrypt(call.answer()))
                    self._on_call(call)
                await writer.drain()
        except (ReceiverProtocolError, OSError) as err:
            _LOGGER.debug("event channel: %s", err)
