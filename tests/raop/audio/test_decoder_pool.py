"""Decoder processes: their end at any instant, their limits, and what they inherit."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
import os
from pathlib import Path
import select
import signal
import socket
import time
from typing import override

import numpy as np
import pytest

from custom_components.airplay.raop.audio.decoder_link import (
    Job,
    encode_cover,
    encode_event,
    encode_job,
)
from custom_components.airplay.raop.audio.decoder_pool import DecoderPool, OnEnd
from custom_components.airplay.raop.audio.events import (
    Buffered,
    Cover,
    Ended,
    Found,
    Opened,
    Retitled,
)
from custom_components.airplay.raop.audio.prepared import PreparedProcess
from custom_components.airplay.raop.errors import MediaError
from custom_components.airplay.raop.messages import Tags
from tests.program import FIND_CORE

from .conftest import Keep
from .media import RATE, encode, noise, samples_of, wav
from .recorder import HASTY, PATIENCE_S, DecoderThread, Played
from .web_server import WebServer, in_turn, radio, with_titles

pytestmark = pytest.mark.started

POOL = "custom_components.airplay.raop.audio.decoder_pool"
LONG = noise(20 * RATE)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and not reaped."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


def sockets(pid: int) -> int:
    """Return how many different sockets a process holds, but for its errors."""
    found = [*Path(f"/proc/{pid}/fd").iterdir()]
    names = {str(each.readlink()) for each in found if each.name != "2"}
    return sum(name.startswith("socket:") for name in names)


def gone(pid: int) -> bool:
    """Return whether a process has ended and was reaped, within some time."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.002)
    return False


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderThread]:
    """Return decoder processes of this test alone, without a spare."""
    monkeypatch.setattr(f"{POOL}._SPARE_S", 3600.0)
    decoders = DecoderThread()
    yield decoders
    decoders.close()


def server_of(decoders: DecoderThread) -> int:
    """Return the process that starts decoders."""
    prepared = decoders.pool._prepared
    assert prepared is not None
    return prepared.pid


def test_closing_kills_the_process(own: DecoderThread, keep: Keep) -> None:
    played = Played(own, keep("long.wav", wav(LONG)))
    played.heard.wait_for(Buffered)
    (pid,) = children(server_of(own))

    played.close()

    assert gone(pid)
    assert played.heard.names() == ["Opened", "Buffered"]


def test_closing_kills_a_process_that_does_not_listen(
    own: DecoderThread, keep: Keep
) -> None:
    played = Played(own, keep("long.wav", wav(LONG)))
    played.heard.wait_for(Buffered)
    (pid,) = children(server_of(own))
    os.kill(pid, signal.SIGSTOP)

    played.close()

    assert gone(pid)


def test_a_killed_decoder_goes_on_at_its_place(own: DecoderThread, keep: Keep) -> None:
    with closing(Played(own, keep("long.wav", wav(LONG)))) as played:
        begin = played.take(2 * RATE)
        (pid,) = children(server_of(own))
        os.kill(pid, signal.SIGKILL)

        rest = played.all()

    assert np.array_equal(samples_of(begin + rest), LONG)
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_a_decoder_that_is_killed_again_fails_by_name(
    own: DecoderThread, keep: Keep
) -> None:
    with closing(Played(own, keep("long.wav", wav(LONG)))) as played:
        for count in range(2):
            played.take((1 + 5 * count) * RATE)
            (pid,) = children(server_of(own))
            os.kill(pid, signal.SIGKILL)
            assert gone(pid)

        error = played.failure().error

    assert type(error) is MediaError
    assert str(error) == "Cannot play the song: its decoder ended unexpectedly"


def test_a_decoder_that_is_killed_now_and_then_is_always_replaced(
    own: DecoderThread, keep: Keep
) -> None:
    slow = noise(150 * 8000)
    sound = wav(slow, rate=8000)
    with closing(Played(own, keep("long.wav", sound))) as played:
        taken = 0
        for seconds in (1, 66, 66):
            taken += len(played.take(seconds * RATE)) // 4
            (pid,) = children(server_of(own))
            os.kill(pid, signal.SIGKILL)
            assert gone(pid)
        taken += len(played.all()) // 4

    assert abs(taken - 150 * RATE) < RATE // 10
    assert played.heard.names() == ["Opened", "Buffered", "Ended"]


def test_a_killed_decoder_of_a_radio_returns_with_its_present_title(
    own: DecoderThread, web: WebServer
) -> None:
    sound = encode("mp3", "libmp3lame", noise(20 * RATE))
    titled = [with_titles(sound, 8192, {1: each}) for each in (b"A - Old", b"A - New")]
    behaviours = [radio(each, 60, interval=8192) for each in titled]
    url = web.serve("/live", in_turn(*behaviours))
    with closing(Played(own, url, ahead_frames=60 * RATE)) as played:
        played.heard.wait_for(Buffered)
        (pid,) = children(server_of(own))
        os.kill(pid, signal.SIGKILL)

        retitled = played.heard.wait_for(Retitled)

    assert played.heard.of(Opened)[0].tags.title == "Old"
    assert retitled.tags.title == "New"
    assert retitled.at_frame > 0


class LosingPool(DecoderPool):
    """Loses its process after half a picture, and then sends a whole one."""

    def __init__(self) -> None:
        """Answer nothing yet."""
        super().__init__()
        self._theirs: list[socket.socket] = []

    @override
    async def open(self, on_end: OnEnd) -> tuple[int, socket.socket]:
        """Return a socket with the next answer."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._theirs.append(theirs)
        loop = asyncio.get_running_loop()
        if len(self._theirs) == 1:
            theirs.sendall(b"".join(encode_cover(Cover(b"half a", "image/png"))))
            loop.call_later(0.01, on_end, None)
            return 1, ours
        found = Found(None, False, True, Tags(), cover_type="image/png")
        theirs.sendall(b"".join(encode_cover(Cover(b"a whole", "image/png"))))
        theirs.sendall(encode_event(found) + encode_event(Ended()))
        return 2, ours

    @override
    async def close(self) -> None:
        """Close all sockets."""
        for each in self._theirs:
            each.close()


def test_a_lost_decoder_leaves_no_part_of_a_picture(socket_enabled: None) -> None:
    own = DecoderThread(LosingPool())
    with closing(own), closing(Played(own, "/song.mp3")) as played:
        cover = played.heard.wait_for(Opened).cover

    assert cover == Cover(b"a whole", "image/png")


def test_a_decoder_that_dies_before_it_has_opened_fails(
    own: DecoderThread, web: WebServer
) -> None:
    url = web.serve("/song.wav", in_turn(lambda exchange: exchange.hold()))
    with closing(Played(own, url)) as played:
        web.wait_for_requests(1)
        (pid,) = children(server_of(own))
        os.kill(pid, signal.SIGKILL)

        error = played.failure().error

    assert "its decoder ended unexpectedly" in str(error)


def test_the_next_source_starts_what_prepares_decoders_again(
    own: DecoderThread, keep: Keep
) -> None:
    path = keep("song.wav", wav(LONG[: 3 * RATE]))
    with closing(Played(own, path)) as first:
        first.all()
    os.kill(server_of(own), signal.SIGKILL)

    with closing(Played(own, path)) as second:
        sound = second.all()

    assert np.array_equal(samples_of(sound), LONG[: 3 * RATE])


def test_a_source_plays_on_when_what_prepares_decoders_is_killed(
    own: DecoderThread, keep: Keep
) -> None:
    with closing(Played(own, keep("long.wav", wav(LONG)))) as played:
        begin = played.take(RATE)
        os.kill(server_of(own), signal.SIGKILL)
        rest = played.all()

    assert np.array_equal(samples_of(begin + rest), LONG)


def test_a_decoder_without_end_is_ended_by_its_processor_time(
    own: DecoderThread, keep: Keep
) -> None:
    with closing(Played(own, keep("long.wav", wav(LONG)))) as played:
        played.heard.wait_for(Buffered)
        (pid,) = children(server_of(own))
        os.kill(pid, signal.SIGPROF)

        error = played.failure().error

    assert str(error) == "Cannot play the song: decoding it takes too long"


def test_a_decoder_that_hangs_before_it_has_opened_is_killed(
    own: DecoderThread, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.airplay.raop.audio.source._GRACE_S", 0.0)
    url = web.serve("/song.wav", lambda exchange: exchange.hold())
    limits = replace(HASTY, open_s=2.0)
    with closing(Played(own, url, limits=limits)) as played:
        web.wait_for_requests(1)
        (pid,) = children(server_of(own))
        os.kill(pid, signal.SIGSTOP)

        error = played.failure().error

        assert str(error) == "Cannot play the song: it did not start in time"
        assert gone(pid)


def test_decoders_are_started_where_forking_is_not_safe(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.airplay.raop.audio.prepared.SERVE", ("decode", "--spawn")
    )
    monkeypatch.setattr(f"{POOL}._SPARE_S", 3600.0)
    own = DecoderThread()
    path = keep("long.wav", wav(LONG))
    with closing(own), closing(Played(own, path)) as played:
        begin = played.take(RATE)
        (pid,) = children(server_of(own))
        with closing(Played(own, path)) as other:
            other.heard.wait_for(Opened)
            (other_pid,) = set(children(server_of(own))) - {pid}
            held = [sockets(each) for each in (pid, other_pid)]
        program = Path(f"/proc/{pid}/cmdline").read_bytes()
        os.kill(pid, signal.SIGKILL)
        rest = played.all()

    assert b"--one" in program
    assert held == [1, 1]
    assert np.array_equal(samples_of(begin + rest), LONG)


def test_a_decoder_has_its_limits_and_no_secrets(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", "/opt/libraries")
    monkeypatch.setattr(f"{POOL}._SPARE_S", 3600.0)
    own = DecoderThread()
    with closing(own), closing(Played(own, keep("long.wav", wav(LONG)))) as played:
        played.heard.wait_for(Opened)
        (pid,) = children(server_of(own))
        folder = Path(f"/proc/{pid}")
        limits = (folder / "limits").read_text()
        soft = {
            line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]
        }
        environment = (folder / "environ").read_bytes()
        opened = [each.readlink() for each in (folder / "fd").iterdir()]

    assert soft["Max address space"] == str(512 << 20)
    assert soft["Max open files"] == "64"
    assert soft["Max core file size"] == "0"
    assert soft["Max file size"] == "0"
    assert b"secret" not in environment
    assert b"PYTHONPATH=/opt/libraries\0" in environment
    # Its socket twice, standard input and output, its errors, and the media.
    assert len(opened) <= 6


def test_a_thousand_plays_leave_nothing(own: DecoderThread, keep: Keep) -> None:
    path = keep("song.wav", wav(LONG[:RATE]))
    with closing(Played(own, path)) as first:
        first.all()
        (pid,) = children(server_of(own)) or [0]
    assert not pid or gone(pid)
    mine, theirs = Path("/proc/self/fd"), Path(f"/proc/{server_of(own)}/fd")

    def held() -> tuple[int, int]:
        return len([*mine.iterdir()]), len([*theirs.iterdir()])

    before = held()

    for number in range(1000):
        played = Played(own, path)
        if number % 100 == 0:
            played.all()
        played.close()

    until = time.monotonic() + PATIENCE_S
    while (children(server_of(own)) or held() != before) and time.monotonic() < until:
        time.sleep(0.01)
    assert children(server_of(own)) == []
    assert held() == before


NO_FORK = f"""
{FIND_CORE}
import errno, os
def fork():
    raise OSError(errno.EAGAIN, "too many processes")
os.fork = fork
from raop.decoder.server import serve
serve([])
"""


def test_a_decoder_that_cannot_be_forked_costs_its_media_only(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "custom_components.airplay.raop.audio.prepared"
    path = keep("song.wav", wav(LONG[:RATE]))
    with monkeypatch.context() as changed:
        changed.setattr(f"{module}.PROGRAM", keep("no_fork.py", NO_FORK.encode()))
        changed.setattr(f"{module}.SERVE", ())
        own = DecoderThread()
        with closing(Played(own, path)) as first:
            assert "its decoder ended" in str(first.failure().error)
        before = len([*Path("/proc/self/fd").iterdir()])
        for _ in range(20):
            with closing(Played(own, path)) as again:
                again.failure()
        # Of the first one, all may not have been closed.
        assert len([*Path("/proc/self/fd").iterdir()]) <= before
        assert not children(server_of(own))
    os.kill(server_of(own), signal.SIGKILL)

    with closing(own), closing(Played(own, path)) as played:
        assert np.array_equal(samples_of(played.all()), LONG[:RATE])


@pytest.fixture
async def pool(socket_enabled: None) -> AsyncIterator[DecoderPool]:
    """Return a pool on the test's event loop."""
    pool = DecoderPool()
    yield pool
    await pool.close()


async def test_nothing_is_left_of_a_process_that_is_being_started(
    pool: DecoderPool,
) -> None:
    _, sock = await pool.open(lambda _: None)
    prepared = pool._prepared
    assert prepared is not None

    await pool.close()

    sock.close()
    assert not Path(f"/proc/{prepared.pid}").exists()
    with pytest.raises(ConnectionAbortedError):
        await pool.open(lambda _: None)


async def test_what_was_prepared_before_is_used_or_ended(socket_enabled: None) -> None:
    used, unused = PreparedProcess.start(), PreparedProcess.start()
    pools = [DecoderPool(used), DecoderPool(unused)]

    _, sock = await pools[0].open(lambda _: None)
    for pool in pools:
        await pool.close()

    sock.close()
    assert [Path(f"/proc/{each.pid}").exists() for each in (used, unused)] == [
        False
    ] * 2


async def test_a_prepared_process_that_has_just_been_killed_is_replaced(
    pool: DecoderPool,
) -> None:
    ended: asyncio.Queue[int | None] = asyncio.Queue()
    _, first = await pool.open(ended.put_nowait)
    first.close()
    assert pool._prepared
    os.kill(pool._prepared.pid, signal.SIGKILL)
    # The event loop does not see the end before the next one is opened.
    assert select.select([pool._prepared.sock], [], [], PATIENCE_S)[0]

    _, sock = await pool.open(ended.put_nowait)

    with sock:
        sock.send(encode_job(Job(url="/no/such/file")))
        while await ended.get() != 0:
            pass


async def test_a_prepared_process_that_hangs_is_ended(pool: DecoderPool) -> None:
    _, sock = await pool.open(lambda _: None)
    sock.close()
    prepared = pool._prepared
    assert prepared
    os.kill(prepared.pid, signal.SIGSTOP)

    async with asyncio.timeout(PATIENCE_S):
        await pool.close()

    assert not Path(f"/proc/{prepared.pid}").exists()


async def test_the_prepared_process_ends_when_it_was_idle_for_long(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{POOL}._IDLE_S", 0.01)
    ended: asyncio.Queue[int | None] = asyncio.Queue()
    _, sock = await pool.open(ended.put_nowait)
    with sock:
        sock.send(encode_job(Job(url="/no/such/file")))
        assert await ended.get() == 0
    prepared = pool._prepared

    assert prepared is None or await asyncio.to_thread(gone, prepared.pid)

    number, sock = await pool.open(ended.put_nowait)
    pool.forget(number)
    sock.close()
