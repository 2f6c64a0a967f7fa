"""One RTSP connection, against servers that answer as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
import time

import pytest

from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.engine.net.connection import Connection
from custom_components.airplay.raop.errors import (
    RaopError,
    ReceiverProtocolError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.session.limits import talk
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request

type Script = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]
]

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


async def hear(reader: asyncio.StreamReader) -> str:
    """Return the method of the next request, which has no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head.split()[0].decode()


@asynccontextmanager
async def connected(script: Script) -> AsyncIterator[Connection]:
    """Connect to a server that follows a script, and then waits for us to go."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
            await reader.read()
        except ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        connection = await Connection.connect("127.0.0.1", port)
        try:
            yield connection
        finally:
            connection.close()


def ask(*methods: str) -> Handshake[list[int]]:
    """Ask for each method and return the statuses."""
    statuses = []
    for method in methods:
        response = yield Request(method, "*")
        statuses.append(response.status)
    return statuses


def answering(*answers: bytes) -> Script:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for each in answers:
            await hear(reader)
            writer.write(each)
            await writer.drain()

    return script


async def test_a_handshake_is_carried_through() -> None:
    async with connected(answering(OK, OK.replace(b"200", b"404"))) as connection:
        assert await connection.perform(ask("OPTIONS", "ANNOUNCE")) == [200, 404]

        assert connection.local == connection.remote == "127.0.0.1"


async def test_answers_may_come_in_pieces() -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await hear(reader)
        for byte in OK:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with connected(script) as connection:
        assert await connection.perform(ask("OPTIONS")) == [200]


@pytest.mark.parametrize("cseq", [b"77", b"x", b"-1", b"0"])
async def test_a_wrong_cseq_does_not_matter(cseq: bytes) -> None:
    wrong = OK.replace(b"CSeq: 1", b"CSeq: " + cseq)

    async with connected(answering(wrong)) as connection:
        assert await connection.perform(ask("OPTIONS")) == [200]


@pytest.mark.parametrize(
    "said",
    [
        b"\x00\xff garbage \r\n\r\n",
        b"RTSP/1.0 200 OK\r\nno\0header\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 100_000,
        b"x" * 100_000,
        OK + OK,
    ],
)
async def test_an_invalid_answer_ends_the_connection(said: bytes) -> None:
    async with connected(answering(said)) as connection:
        first = connection.perform(ask("OPTIONS", "ANNOUNCE"))
        with pytest.raises(RaopError) as caught:
            await first

        assert isinstance(
            caught.value, ReceiverProtocolError | ReceiverUnreachableError
        )
        assert isinstance(await connection.closed, ReceiverProtocolError)
        with pytest.raises(ReceiverUnreachableError, match="closed"):
            await connection.perform(ask("OPTIONS"))


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("GET_PARAMETER", 200), ("TEARDOWN", 501), ("POST", 501)],
)
@pytest.mark.parametrize("keys", [None, ChannelKeys(write=bytes(32), read=bytes(32))])
async def test_a_request_of_the_receiver_is_answered(
    method: str, status: int, keys: ChannelKeys | None
) -> None:
    asked = f"{method} * RTSP/1.0\r\nCSeq: 9\r\nContent-Length: 2\r\n\r\nab".encode()
    answers = asyncio.Queue[list[str]]()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        channel = EncryptedChannel(keys) if keys else None

        async def read() -> list[str]:
            if channel is None:
                head = await reader.readuntil(b"\r\n\r\n")
            else:
                head = channel.feed(await reader.read(4096))
            return head.decode().split("\r\n")

        assert (await read())[0].startswith("OPTIONS")
        said = asked + OK
        writer.write(channel.encrypt(said) if channel else said)
        answers.put_nowait(await read())

    async with connected(script) as connection:
        if keys:
            connection.encrypt(keys)
        assert await connection.perform(ask("OPTIONS")) == [200]

        first, *headers = await answers.get()

    assert first.startswith(f"RTSP/1.0 {status} ")
    assert headers == ["CSeq: 9", "Content-Length: 0", "", ""]


async def test_a_receiver_that_asks_and_does_not_read_fills_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(talk, "_CALLS_AT_ONCE", 1e9)
    monkeypatch.setattr(talk, "_BYTES_AT_ONCE", 1e12)
    call = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    is_stuck = asyncio.Event()

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            while True:
                writer.write(call * 1000)
                async with asyncio.timeout(1):
                    await writer.drain()
        is_stuck.set()

    async with connected(script) as connection:
        await is_stuck.wait()

        unsent = connection._writer.transport.get_write_buffer_size()

    assert unsent < 1_000_000


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 300, "too many requests"),
        (b"$\0\0\0" * 100_000, "bytes that are no message"),
        ((b"OPTIONS * RTSP/1.0\r\n\r\n" + b"\0" * 100_000) * 60, "sends too much"),
    ],
    ids=["requests", "noise", "both"],
)
async def test_a_receiver_that_sends_without_end_loses_the_connection(
    said: bytes, error: str
) -> None:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with connected(script) as connection:
        closed = await asyncio.wait_for(asyncio.shield(connection.closed), 20)

    assert isinstance(closed, ReceiverProtocolError)
    assert error in str(closed)


@pytest.mark.parametrize(
    "noise", [b"\0", b"$\0\0\4abcd", b"RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n"]
)
async def test_noise_around_an_answer_does_not_matter(noise: bytes) -> None:
    script = answering(noise + OK + noise, noise + OK + noise)

    async with connected(script) as connection:
        assert await connection.perform(ask("OPTIONS", "ANNOUNCE")) == [200, 200]


async def test_an_answer_to_nothing_is_a_breach_of_the_protocol() -> None:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async with connected(script) as connection:
        reason = await connection.closed

    assert isinstance(reason, ReceiverProtocolError)
    assert "response without a request" in str(reason)


async def test_a_request_without_an_answer_times_out() -> None:
    async with connected(answering()) as connection:
        with pytest.raises(
            ReceiverUnreachableError, match=r"OPTIONS: no answer.*0\.1 s"
        ):
            await connection.perform(ask("OPTIONS"), timeout_s=0.1)

        assert not connection.closed.done()


async def test_a_late_answer_goes_to_the_request_that_timed_out() -> None:
    given_up = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await hear(reader)
        await given_up.wait()
        writer.write(OK.replace(b"200", b"500"))
        await hear(reader)
        writer.write(OK)

    async with connected(script) as connection:
        with pytest.raises(ReceiverUnreachableError):
            await connection.perform(ask("OPTIONS"), timeout_s=0.05)
        given_up.set()

        assert await connection.perform(ask("ANNOUNCE")) == [200]


async def test_a_connection_closed_in_mid_request_raises_in_all_waiters() -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await hear(reader)
        writer.close()

    async with connected(script) as connection:
        with pytest.raises(ReceiverUnreachableError, match="closed the connection"):
            await connection.perform(ask("OPTIONS"))


async def test_closing_wakes_all_waiters() -> None:
    async with connected(answering()) as connection:
        waiting = asyncio.create_task(connection.perform(ask("OPTIONS")))
        await asyncio.sleep(0.01)

        connection.close()

        with pytest.raises(ReceiverUnreachableError, match="was closed"):
            await waiting


async def test_handshakes_take_turns() -> None:
    heard: list[str] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            heard.append(await hear(reader))
            await asyncio.sleep(0.01)
            writer.write(OK)

    async with connected(script) as connection:
        await asyncio.gather(
            connection.perform(ask("ANNOUNCE", "SETUP")),
            connection.perform(ask("FLUSH", "OPTIONS")),
        )

    assert heard == ["ANNOUNCE", "SETUP", "FLUSH", "OPTIONS"]


async def test_no_handshake_waits_longer_than_half_a_second_for_the_one_before() -> (
    None
):
    heard = asyncio.Queue[str]()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        heard.put_nowait(await hear(reader))
        heard.put_nowait(await hear(reader))
        writer.write(OK.replace(b"200", b"500") + OK)

    async with connected(script) as connection:
        picture = asyncio.create_task(connection.perform(ask("SET_PARAMETER")))
        assert await heard.get() == "SET_PARAMETER"
        begun = time.monotonic()
        peer = asyncio.create_task(asyncio.sleep(0.5))

        flushed = await connection.perform(ask("FLUSH"))

        took_s = time.monotonic() - begun
        await peer
        # On a machine of any speed: a task that sleeps so long is not much quicker.
        assert 0.4 < took_s < time.monotonic() - begun + 1
        assert flushed == [200]
        assert await picture == [500]


async def test_request_without_an_answer_never_gets_the_answer_of_another() -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await hear(reader)
        for number in (2, 3):
            await hear(reader)
            writer.write(OK.replace(b"1\r", b"%d\r" % number))

    async with connected(script) as connection:
        with pytest.raises(ReceiverUnreachableError, match="no answer"):
            await connection.perform(ask("GET_PARAMETER"), timeout_s=0.05)

        assert await connection.perform(ask("FLUSH")) == [200]
        assert await connection.perform(ask("OPTIONS")) == [200]


async def test_requests_that_are_not_urgent_come_last() -> None:
    heard: list[str] = []
    answer = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            heard.append(await hear(reader))
            await answer.wait()
            writer.write(OK)

    async with connected(script) as connection, asyncio.TaskGroup() as group:
        for words in ("title", "progress", "picture"):
            later = connection.perform(ask(f"SET_{words}"), is_urgent=False)
            group.create_task(later)
        await asyncio.sleep(0)
        group.create_task(connection.perform(ask("FLUSH")))
        await asyncio.sleep(0)
        answer.set()

    assert heard == ["SET_title", "FLUSH", "SET_progress", "SET_picture"]


async def test_a_handshake_that_fails_frees_the_turn() -> None:
    def failing() -> Handshake[None]:
        yield Request("OPTIONS", "*")
        raise ReceiverProtocolError("no")

    async with connected(answering(OK, OK)) as connection:
        with pytest.raises(ReceiverProtocolError, match="no"):
            await connection.perform(failing())

        assert await connection.perform(ask("OPTIONS")) == [200]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_closed_port_is_unreachable(host: str) -> None:
    server = await asyncio.start_server(lambda *_: None, host)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    with pytest.raises(ReceiverUnreachableError, match=f"port {port}: .*refused"):
        await Connection.connect(host, port)


async def test_a_host_that_does_not_answer_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def forever(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", forever)

    with pytest.raises(ReceiverUnreachableError, match="does not answer"):
        await Connection.connect("127.0.0.1", 1, timeout_s=0.01)


async def test_an_invalid_host_name_is_unreachable() -> None:
    with pytest.raises(ReceiverUnreachableError):
        await Connection.connect("a" * 80 + ".local\ud800", 5000)
