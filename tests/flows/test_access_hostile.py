"""Devices that answer the questions of a form with whatever takes long to read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.fuzz.shapes import BINARY_LISTS
from tests.ha.flows import answer, opened
from tests.ha.held import HELD_S, Held

MIB = 1024 * 1024
NESTED = b"<plist>" + b"<dict><key>a</key>" * (MIB // 20)


def with_body(body: bytes, *headers: bytes) -> bytes:
    """Return an answer as a receiver gives it."""
    lines = [b"RTSP/1.0 200 OK", b"CSeq: 0", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


ANSWERS = {
    "zeros": with_body(b"\0" * MIB),
    "too large": with_body(b"\0" * 2 * MIB),
    "binary": with_body(b"bplist00" + b"\xff" * (MIB - 8)),
    "nested": with_body(NESTED),
    "headers": with_body(b"", *[b"Server: AirTunes/220.68"] * 60_000),
    "blank header": with_body(b"", b"Server: " + b" " * 15_000 + b"x"),
    "methods": with_body(b"", b"Public: " + b"," * 16_000),
    "noise": b"\r\n" * (MIB // 2),
    "no line": b"x" * MIB,
    "chunks": b"RTSP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1\r\n0\r\n" * (MIB // 6),
} | {
    name: with_body(make(MIB), b"Content-Type: application/x-apple-binary-plist")
    for name, make in BINARY_LISTS.items()
}


@asynccontextmanager
async def device(said: bytes) -> AsyncIterator[int]:
    """Return the port of a device that answers everything alike."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65536):
                writer.write(said)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
async def test_answer_that_takes_long_to_read_does_not_hold_home_assistant(
    hass: HomeAssistant, socket_enabled: None, said: bytes
) -> None:
    async with device(said) as port:
        form = await opened(hass)
        held, began = Held(), time.monotonic()

        form = await answer(hass, form, host="127.0.0.1", port=port)

        assert await held.stop() < HELD_S
        assert time.monotonic() - began < 30
    # Whoever answers everything with 200 is taken for a receiver.
    assert form["type"] is FlowResultType.CREATE_ENTRY or form["errors"]
