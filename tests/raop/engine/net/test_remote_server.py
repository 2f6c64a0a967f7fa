"""The DACP server on real sockets, and how an engine handles its orders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import logging
from pathlib import Path
import socket
import time

import pytest

from custom_components.airplay.raop.buttons import Button
from custom_components.airplay.raop.engine.net import remote_server
from custom_components.airplay.raop.engine.net.remote_server import RemoteServer
from custom_components.airplay.raop.messages import (
    MemberChanged,
    Ready,
    RemoteCommand,
    Seen,
    StreamChanged,
)
from custom_components.airplay.raop.session import source_switch
from tests.raop.engine.harness import EngineHarness, member, play, receiver, until, wav
from tests.raop.engine.sender_process import sender
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.remote import RemoteControl, SilentSenderError

AWAY = "setproperty?dmcp.device-prevent-playback=1"
BACK = "setproperty?dmcp.device-prevent-playback=0"


@pytest.fixture
async def server(harness: EngineHarness) -> AsyncIterator[RemoteServer]:
    """Return a server that passes commands to the harness's engine."""
    remote_server = RemoteServer(harness.engine.remotes, harness.engine.obey)
    yield remote_server
    remote_server.close()


@pytest.fixture
async def port(server: RemoteServer) -> int:
    """Return the server's port."""
    return await server.listen(0)


@pytest.fixture
async def song(tmp_path: Path) -> Path:
    """Return a song that is longer than any test."""
    wav(tmp_path / "song.wav", 60)
    return tmp_path / "song.wav"


@pytest.fixture
def no_start_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Obey every AWAY, also right after the start."""
    monkeypatch.setattr(source_switch, "_START_S", 0)


async def test_button_of_a_playing_receiver_is_reported(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))

    answer = await RemoteControl(kitchen, port).order("nextitem")

    assert (answer.status, answer.body) == (204, b"")
    told = await harness.until(RemoteCommand)
    assert told == RemoteCommand(
        stream="kitchen", receiver=kitchen.receiver_id.lower(), command="next"
    )
    connected = await harness.until(
        MemberChanged, lambda each: each.state == "connected"
    )
    assert connected.local == "127.0.0.1"


async def test_value_is_reported(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)

    await remote.order("setproperty?dmcp.device-volume=-12.500000", method="POST")

    told = await harness.until(RemoteCommand)
    assert told.command == Button.VOLUME_REPORT
    assert told.value == pytest.approx(58.3333, abs=0.001)


async def test_button_may_come_from_any_address_of_its_receiver(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    both = {"addresses": ("127.0.0.1", "127.0.0.2")}
    await harness.run(play(song, member(kitchen, **both)))
    remote = RemoteControl(kitchen, port)

    assert (await remote.order("nextitem", source="127.0.0.2")).status == 204
    assert (await remote.order("previtem", source="127.0.0.3")).status == 403

    both = {"addresses": ("127.0.0.1", "127.0.0.3")}
    await harness.run(Seen(member=member(kitchen, **both)))
    assert (await remote.order("previtem", source="127.0.0.3")).status == 204


async def test_strangers_are_refused(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)

    assert (await remote.order("play", active_remote="1")).status == 403
    assert (await remote.order("play", source="127.0.0.2")).status == 403
    assert (await remote.order("explode")).status == 404
    assert (await remote.order("getproperty?properties=dmcp.volume")).status == 400
    assert not harness.events_of(RemoteCommand)


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9\r\n\r\n"]
)
async def test_garbage_is_refused(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    port: int,
    song: Path,
    garbage: bytes,
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)

    assert (await remote.say(garbage + b"\n\n")).status == 403

    assert (await remote.order("play")).status == 204


async def test_a_request_without_end_closes_the_connection(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)

    with pytest.raises(SilentSenderError):
        await remote.say(b"x" * 100_000)

    assert (await remote.order("play")).status == 204


async def test_unfinished_requests_are_closed_after_a_timeout(
    server: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_server, "_PATIENCE_WITH_STRANGERS_S", 0.1)
    port = await server.listen(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /ctrl-int/1/play HTTP/1.1\r\n")

    assert await asyncio.wait_for(reader.read(), 10) == b""

    assert not server._conversations
    assert not server._strangers
    writer.close()
    await writer.wait_closed()


async def test_empty_connections_are_tolerated(server: RemoteServer, port: int) -> None:
    for _ in range(20):
        with suppress(ConnectionError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()

    await until(lambda: not server._conversations, "places", lambda: server)


@asynccontextmanager
async def silent(port: int, *sources: str) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open a connection from each address, and send nothing."""
    opened = []
    for source in sources:
        with suppress(ConnectionError):
            opened.append(
                await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            )
    yield [reader for reader, _ in opened]
    for _, writer in opened:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Wait until a connection is closed or reset."""
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(1), 10) == b""
    return True


async def test_the_oldest_connection_of_an_address_makes_room(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))

    async with silent(port, *["127.0.0.1"] * 9) as readers:
        assert await is_closed(readers[0])
        assert (await RemoteControl(kitchen, port).order("play")).status == 204
        assert await is_closed(readers[1])


async def test_silent_hosts_keep_no_receiver_out(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)
    # More than have places, and as many as may come at once but for the last one.
    hosts = [f"127.0.1.{number}" for number in range(1, 14)] * 3

    async with silent(port, *hosts):
        statuses = [(await remote.order("volumeup")).status for _ in range(30)]
        stranger = await remote.order("volumeup", source="127.0.2.1")

    assert statuses == [204] * 30
    assert stranger.status == 403


async def test_a_stranger_who_connects_too_often_is_not_answered(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    await harness.run(play(song, member(kitchen)))
    remote = RemoteControl(kitchen, port)
    answered, began_s = [], time.monotonic()
    for _ in range(60):
        with suppress(SilentSenderError):
            answer = await remote.order("play", source="127.0.2.1")
            answered.append(answer.status)
    passed_s = time.monotonic() - began_s

    assert 8 <= len(answered) <= 8 + 2 * passed_s + 1
    assert set(answered) == {403}
    assert (await remote.order("play")).status == 204


async def test_port_is_kept_and_served_in_both_families(harness: EngineHarness) -> None:
    server = RemoteServer(harness.engine.remotes, harness.engine.obey)
    first = await server.listen(0)
    server.close()

    assert first < 32_768
    assert await server.listen(first) == first
    for host in ("127.0.0.1", "::1"):
        _, writer = await asyncio.open_connection(host, first)
        writer.close()
        await writer.wait_closed()
    server.close()


async def test_process_that_is_just_ending_is_waited_for(
    harness: EngineHarness,
) -> None:
    old = RemoteServer(harness.engine.remotes, harness.engine.obey)
    port = await old.listen(0)
    new = RemoteServer(harness.engine.remotes, harness.engine.obey)
    opening = asyncio.create_task(new.listen(port))
    await asyncio.sleep(0.15)

    old.close()

    assert await opening == port
    new.close()


async def test_port_in_use_is_skipped_with_a_warning(
    harness: EngineHarness,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_server, "_RETRY_S", 0.001)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = RemoteServer(harness.engine.remotes, harness.engine.obey)

        got = await server.listen(port)

    assert got not in (0, port)
    assert f"Port {port} is in use" in caplog.text
    server.close()


async def test_missing_port_is_tolerated(
    harness: EngineHarness,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_server, "bind", lambda _: [])
    server = RemoteServer(harness.engine.remotes, harness.engine.obey)

    assert await server.listen(0) == 0
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


async def test_process_keeps_its_port_over_a_crash() -> None:
    async with sender() as first:
        port = (await first.until(Ready)).dacp_port
        first.process.kill()
        await first.exit_code()

    async with sender(AIRPLAY_DACP_PORT=str(port)) as second:
        assert (await second.until(Ready)).dacp_port == port
    async with sender(AIRPLAY_DACP_PORT="99999") as third:
        assert (await third.until(Ready)).dacp_port > 0


async def test_last_receiver_that_is_switched_away_ends_the_stream(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    port: int,
    song: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remote = RemoteControl(kitchen, port)
    await harness.run(play(song, member(kitchen)))
    assert (await remote.order(AWAY)).status == 204
    monkeypatch.setattr(source_switch, "_START_S", 0)

    await remote.order(AWAY)

    ended = await harness.ended()
    assert (ended.reason, ended.code) == ("failed", "taken")
    await kitchen.wait_idle()
    await remote.order(BACK)
    assert [each.command for each in harness.events_of(RemoteCommand)] == [
        "switched_away",
        "switched_back",
    ]
    assert not kitchen.has_session
    assert len(kitchen.asked("ANNOUNCE")) == 1


@pytest.mark.usefixtures("no_start_delay")
async def test_one_of_two_is_switched_away_and_returns(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    other = await harness.add(receiver("Other", receiver_id="0A0B0C0D0E02"))
    await harness.run(play(song, member(kitchen), member(other)))
    remote = RemoteControl(kitchen, port)

    await remote.order(AWAY)
    await kitchen.wait_idle()
    await harness.until(MemberChanged, lambda each: each.state == "left")
    await other.wait_playing()
    # A Denon sends this after any TEARDOWN.
    await remote.order(AWAY)
    await remote.order(BACK)
    await other.wait_playing()
    assert len(kitchen.asked("ANNOUNCE")) == 1

    await remote.order(BACK)

    await kitchen.wait_for("RECORD", count=2)
    kitchen.clear()
    await kitchen.wait_playing()
    assert kitchen.has_session
    assert harness.states()[-1] == "playing"
    assert not [
        each for each in harness.events_of(StreamChanged) if each.state == "ended"
    ]


@pytest.mark.usefixtures("no_start_delay")
async def test_switched_back_while_a_command_is_at_work_leaves_it_alone(
    harness: EngineHarness, kitchen: VirtualReceiver, port: int, song: Path
) -> None:
    other = await harness.add(receiver("Other", receiver_id="0A0B0C0D0E02"))
    members = member(kitchen), member(other)
    await harness.run(play(song, *members))
    remote = RemoteControl(kitchen, port)
    await remote.order(AWAY)
    await kitchen.wait_idle()

    number = harness.submit(play(song, *members))
    await remote.order(BACK)

    assert (await harness.reply(number)).code is None
    await kitchen.wait_playing()
    await other.wait_playing()


async def test_busy_receiver_is_asked_again_for_a_while(
    harness: EngineHarness, song: Path
) -> None:
    busy = await harness.add(receiver("Busy", quirks=Quirks(refuse={"ANNOUNCE": 453})))
    assert await harness.run(play(song, member(busy))) == "busy"
    assert len(busy.asked("ANNOUNCE")) == 1

    number = harness.submit(play(song, member(busy), patience_s=10.0))
    await harness.until(MemberChanged, lambda each: each.state == "busy")
    busy.quirks = Quirks()

    assert (await harness.reply(number)).code is None
    assert len(busy.asked("RECORD")) == 1


async def test_waiting_for_a_busy_receiver_ends_with_a_stop(
    harness: EngineHarness, song: Path
) -> None:
    busy = await harness.add(receiver("Busy", quirks=Quirks(refuse={"ANNOUNCE": 453})))
    number = harness.submit(play(song, member(busy), patience_s=600.0))
    await harness.until(MemberChanged, lambda each: each.state == "busy")

    assert await harness.stop() is None

    assert (await harness.reply(number)).code == "stopped"
