"""The event channel, the receiver's end written by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.engine.net import event_channel
from custom_components.airplay.raop.engine.net.event_channel import EventChannel
from custom_components.airplay.raop.errors import ReceiverUnreachableError
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


@asynccontextmanager
async def opened(calls: list[Call]) -> AsyncIterator[tuple[EventChannel, Receiver]]:
    """Yield both ends of a channel."""
    connected: asyncio.Future[Receiver] = asyncio.Future()
    server = await asyncio.start_server(
        lambda reader, writer: connected.set_result(Receiver(reader, writer)),
        "127.0.0.1",
        0,
    )
    port = server.sockets[0].getsockname()[1]
    channel = await EventChannel.connect("127.0.0.1", port, OURS, calls.append)
    receiver = await connected
    try:
        yield channel, receiver
    finally:
        channel.close()
        receiver.writer.close()
        server.close()
        await server.wait_closed()


async def test_everything_is_answered_and_handed_on() -> None:
    calls: list[Call] = []
    async with opened(calls) as (_, receiver):
        receiver.say(b"POST /command RTSP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        await receiver.hear(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        receiver.say(b"POST /command RTSP/1.0\r\nCSeq: 5\r\n\r\n")
        await receiver.hear(b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nContent-Length: 0\r\n\r\n")

    assert [call.body for call in calls] == [b"abc", b""]


@pytest.mark.parametrize("noise", [None, b"\x05\x00" + bytes(21), b"\xff" * 40])
async def test_an_end_and_nonsense_close_it(noise: bytes | None) -> None:
    async with opened([]) as (channel, receiver):
        if noise is None:
            receiver.writer.close()
        else:
            receiver.writer.write(noise)

        await asyncio.wait_for(channel.closed, 20)


async def test_an_invalid_call_closes_it() -> None:
    calls: list[Call] = []
    async with opened(calls) as (channel, receiver):
        receiver.say(b"nonsense\r\n\r\n")

        await asyncio.wait_for(channel.closed, 20)

    assert calls == []


async def test_a_port_that_refuses_connections_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_channel, "_OPEN_S", 0.5)
    with pytest.raises(ReceiverUnreachableError):
        await EventChannel.connect("127.0.0.1", 1, OURS, lambda _: None)
