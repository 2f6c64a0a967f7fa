"""The event channel, the receiver's end written by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket

import pytest

from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.engine.net import event_channel
from custom_components.airplay.raop.engine.net.event_channel import EventChannel
from custom_components.airplay.raop.wire.rtsp import Call

SECRET = bytes(64)
OURS = ChannelKeys.events(SECRET)
THEIRS = ChannelKeys(write=OURS.read, read=OURS.write)


class Receiver:
    """The other end: sends requests and reads the answers."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self.writer = writer
        self.channel = EncryptedChannel(THEIRS)

    def say(self, text: bytes) -> None:
        self.writer.write(self.channel.encrypt(text))

    async def hear(self, text: bytes) -> None:
        heard = b""
        while len(heard) < len(text):
            heard += self.channel.feed(await self._reader.read(4096))
        assert heard == text


class Listener:
    """The receiver's event port, which opens when a test says so."""

    def __init__(self) -> None:
        self.connected: asyncio.Future[Receiver] = asyncio.Future()
        self._server: asyncio.Server | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connected.set_result(Receiver(reader, writer))

    async def close(self) -> None:
        if self._server:
            if self.connected.done():
                self.connected.result().writer.close()
            self._server.close()
            await self._server.wait_closed()


class Ends:
    """Both ends of a channel, what was asked, and whether it has ended."""

    def __init__(self, listener: Listener) -> None:
        self.calls: list[Call] = []
        self.ended = asyncio.Event()
        self.listener = listener
        self.channel = EventChannel(
            "127.0.0.1",
            listener.port,
            OURS,
            on_call=self.calls.append,
            on_end=self.ended.set,
        )


@asynccontextmanager
async def opened(*, is_open: bool = True) -> AsyncIterator[Ends]:
    """Yield a channel to a port that is open, or not yet."""
    listener = Listener()
    if is_open:
        await listener.open()
    ends = Ends(listener)
    try:
        if is_open:
            await ends.channel.wait_open(20)
            await listener.connected
        yield ends
    finally:
        ends.channel.close()
        await listener.close()


async def test_everything_is_answered_and_handed_on() -> None:
    async with opened() as ends:
        assert ends.channel.is_open
        receiver = ends.listener.connected.result()
        receiver.say(b"POST /command RTSP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        await receiver.hear(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        receiver.say(b"POST /command RTSP/1.0\r\nCSeq: 5\r\n\r\n")
        await receiver.hear(b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nContent-Length: 0\r\n\r\n")

        assert [call.body for call in ends.calls] == [b"abc", b""]
        assert not ends.ended.is_set()


@pytest.mark.parametrize("noise", [None, b"\x05\x00" + bytes(21), b"\xff" * 40])
async def test_an_end_and_nonsense_close_it(noise: bytes | None) -> None:
    async with opened() as ends:
        receiver = ends.listener.connected.result()
        if noise is None:
            receiver.writer.close()
        else:
            receiver.writer.write(noise)

        await asyncio.wait_for(ends.ended.wait(), 20)


async def test_an_invalid_call_closes_it() -> None:
    async with opened() as ends:
        ends.listener.connected.result().say(b"nonsense\r\n\r\n")

        await asyncio.wait_for(ends.ended.wait(), 20)

        assert ends.calls == []


async def test_a_flood_of_calls_closes_it() -> None:
    async with opened() as ends:
        call = b"POST /command RTSP/1.0\r\n\r\n"
        ends.listener.connected.result().say(call * 1000)

        await asyncio.wait_for(ends.ended.wait(), 20)

        assert 100 <= len(ends.calls) <= 300


async def test_a_port_that_opens_late_is_tried_again() -> None:
    async with opened(is_open=False) as ends:
        await ends.channel.wait_open(0.05)
        assert not ends.channel.is_open

        await ends.listener.open()

        await asyncio.wait_for(ends.listener.connected, 20)
        await ends.channel.wait_open(20)
        assert ends.channel.is_open


async def test_a_port_that_never_opens_is_given_up_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_channel, "_RETRY_S", (0.0, 0.0))
    async with opened(is_open=False) as ends:
        await asyncio.wait_for(asyncio.shield(ends.channel._task), 20)

        assert not ends.channel.is_open
        assert not ends.ended.is_set()
