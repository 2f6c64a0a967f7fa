"""A receiver's remote control: it finds its sender and orders, as shairport-sync does."""

import asyncio
from dataclasses import dataclass
import time

from .receiver import VirtualReceiver

_PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the sender, and its duration."""

    status: int
    body: bytes
    took_s: float


class SilentSenderError(Exception):
    """The sender closed the connection or did not answer in time."""


class RemoteControl:
    """Orders over one connection each; only the port comes from the record."""

    def __init__(self, receiver: VirtualReceiver, port: int) -> None:
        """Order in the name of a receiver's newest session."""
        self._receiver = receiver
        self._port = port

    async def order(
        self,
        command: str,
        *,
        active_remote: str | None = None,
        source: str | None = None,
        method: str = "GET",
    ) -> Answer:
        """Send `/ctrl-int/1/<command>` and wait as long as shairport-sync does."""
        session = self._receiver.session
        assert session is not None
        number = session.active_remote if active_remote is None else active_remote
        head = (
            f"{method} /ctrl-int/1/{command} HTTP/1.1\r\n"
            f"Host: {self._receiver.host}:{self._port}\r\n"
            f"Active-Remote: {number}\r\n\r\n"
        )
        return await self.say(head.encode(), source=source)

    async def say(self, request: bytes, *, source: str | None = None) -> Answer:
        """Send any bytes and read the answer until the sender hangs up."""
        began = time.monotonic()
        sender = self._receiver.host
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_connection(
                    sender, self._port, local_addr=(source or sender, 0)
                )
                try:
                    writer.write(request)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (TimeoutError, ConnectionError) as err:
            raise SilentSenderError(repr(err)) from err
        took_s = time.monotonic() - began
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 "):
            raise SilentSenderError(repr(answer[:80]))
        return Answer(int(head.split()[1]), body, took_s)
