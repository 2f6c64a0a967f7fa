"""The event channel of AirPlay 2: the receiver sends requests, all are accepted."""

import asyncio
from collections.abc import Callable
import logging

from ...auth.channel import ChannelKeys, EncryptedChannel
from ...errors import ReceiverProtocolError, ReceiverUnreachableError
from ...wire.rtsp import Call, CallParser

_LOGGER = logging.getLogger(__name__)

_READ_BYTES = 16_384
_OPEN_S = 3.0


class EventChannel:
    """A connection that stays open as long as its session."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        keys: ChannelKeys,
        on_call: Callable[[Call], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._channel = EncryptedChannel(keys)
        self._on_call = on_call
        self._task = asyncio.create_task(self._serve())
        self.closed: asyncio.Future[None] = asyncio.Future()

    @classmethod
    async def connect(
        cls, host: str, port: int, keys: ChannelKeys, on_call: Callable[[Call], None]
    ) -> EventChannel:
        """Connect to a receiver's event port; event loop.

        Raises ReceiverUnreachableError: the receiver does not accept the connection.
        """
        try:
            async with asyncio.timeout(_OPEN_S):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as err:
            text = "the receiver does not accept the event channel"
            raise ReceiverUnreachableError(text) from err
        return cls(reader, writer, keys, on_call)

    def close(self) -> None:
        """Close at once."""
        self._task.cancel()
        self._finish()

    async def _serve(self) -> None:
        parser = CallParser()
        try:
            while received := await self._reader.read(_READ_BYTES):
                for call in parser.feed(self._channel.feed(received)):
                    self._writer.write(self._channel.encrypt(call.answer()))
                    self._on_call(call)
                await self._writer.drain()
        except (ReceiverProtocolError, OSError) as err:
            _LOGGER.debug("event channel: %s", err)
        self._finish()

    def _finish(self) -> None:
        self._writer.close()
        if not self.closed.done():
            self.closed.set_result(None)
