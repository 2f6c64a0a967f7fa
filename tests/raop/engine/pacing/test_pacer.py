"""The pacing thread."""

import asyncio
from collections.abc import Iterator
import os
import resource
import signal
import socket
import threading
import time

import pytest

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.pacing.pacer import Pacer, arm_fuse
from tests.raop.engine.harness import open_files

MS = 1_000_000


@pytest.fixture
def pacer() -> Iterator[Pacer]:
    """Return a pacer that runs."""
    running = Pacer()
    running.start()
    yield running
    running.stop()


class Turns:
    """Notes its turns and wants the next one at given times."""

    def __init__(self, *after_ns: int) -> None:
        self._after_ns = list(after_ns)
        self.wanted_ns: list[int] = []
        self.turns_ns: list[int] = []
        self.threads: set[str] = set()
        self.done = threading.Event()

    def pump(self, now_ns: int) -> int:
        """Take a turn."""
        self.threads.add(threading.current_thread().name)
        if self.wanted_ns and now_ns < self.wanted_ns[-1]:
            return self.wanted_ns[-1]
        self.turns_ns.append(now_ns)
        if not self._after_ns:
            self.done.set()
            return now_ns + 3600 * 1000 * MS
        self.wanted_ns.append(now_ns + self._after_ns.pop(0))
        return self.wanted_ns[-1]


async def test_turns_come_when_they_are_wanted_and_never_before(pacer: Pacer) -> None:
    turns = Turns(5 * MS, 5 * MS, 20 * MS, 0)

    await pacer.run(lambda: pacer.add(turns))
    assert await asyncio.to_thread(turns.done.wait, 5)

    late = [
        turn - wanted
        for turn, wanted in zip(turns.turns_ns[1:], turns.wanted_ns, strict=True)
    ]
    assert min(late) >= 0
    assert min(late) < 5 * MS
    assert turns.threads == {"pacing"}


async def test_a_removed_stream_gets_no_more_turns(pacer: Pacer) -> None:
    turns = Turns(*[MS] * 10_000)
    await pacer.run(lambda: pacer.add(turns))

    await pacer.run(lambda: pacer.remove(turns))
    count = len(turns.turns_ns)
    await pacer.run(lambda: None)

    assert len(turns.turns_ns) == count


async def test_jobs_pass_on_their_results_and_errors(
    pacer: Pacer,
) -> None:
    assert await pacer.run(lambda: threading.current_thread().name) == "pacing"
    with pytest.raises(ZeroDivisionError):
        await pacer.run(lambda: 1 / 0)
    assert await pacer.run(lambda: 5) == 5


async def test_a_job_without_waiters_does_no_harm(pacer: Pacer) -> None:
    gate = threading.Event()
    waiting = asyncio.create_task(pacer.run(lambda: gate.wait(5)))
    await asyncio.sleep(0)

    waiting.cancel()
    gate.set()

    assert await pacer.run(lambda: 5) == 5


async def test_a_stream_that_fails_is_removed_and_the_others_continue(
    pacer: Pacer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        turns = 0

        def pump(self, _now_ns: int) -> int:
            self.turns += 1
            raise ValueError("broken")

    broken, healthy = Broken(), Turns(MS, MS)

    def add() -> None:
        pacer.add(broken)
        pacer.add(healthy)

    await pacer.run(add)
    assert await asyncio.to_thread(healthy.done.wait, 5)

    assert broken.turns == 1
    assert "removed from the schedule" in caplog.text


async def test_a_job_and_a_handler_that_fail_stop_nothing(
    pacer: Pacer, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard = threading.Event()

    def handle() -> None:
        if one.recv(10) == b"bad":
            raise ValueError("bad")
        heard.set()

    pacer.post(lambda: pacer.listen(one, handle))
    pacer.post(lambda: 1 / 0)  # type: ignore[arg-type]
    other.send(b"bad")
    other.send(b"good")
    assert await asyncio.to_thread(heard.wait, 5)

    def forget() -> None:
        pacer.forget(one)
        pacer.forget(one)

    await pacer.run(forget)
    assert caplog.text.count("Unexpected error on the pacing thread") == 2
    one.close()
    other.close()


def test_a_pacer_leaves_neither_thread_nor_file() -> None:
    threads, files = threading.active_count(), len(open_files())

    pacer = Pacer()
    pacer.start()
    pacer.stop()

    assert threading.active_count() == threads
    assert len(open_files()) == files


def test_without_the_right_to_real_time_it_works_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    pacer = Pacer()
    pacer.start()
    done = threading.Event()
    pacer.post(done.set)

    assert done.wait(5)
    assert not pacer.is_realtime
    pacer.stop()


def test_a_thread_that_runs_away_loses_its_priority(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost: list[tuple[int, int]] = []

    def note(task: int, policy: int, _param: object) -> None:
        lost.append((task, policy))
        raise PermissionError

    limits: list[object] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *a: limits.append(a))
    before = signal.getsignal(signal.SIGXCPU)
    try:
        arm_fuse()
        monkeypatch.setattr(os, "sched_setscheduler", note)
        signal.raise_signal(signal.SIGXCPU)
    finally:
        signal.signal(signal.SIGXCPU, before)

    assert (os.getpid(), os.SCHED_OTHER) in lost
    assert len(limits) == 1
    assert "lost its real-time priority" in caplog.text


def test_a_timer_that_was_read_already_is_no_error(pacer: Pacer) -> None:
    pacer._read_timer()


async def test_a_turn_in_the_past_comes_immediately(pacer: Pacer) -> None:
    turns = Turns(-clock.now_ns(), 0)
    begun = time.monotonic()

    await pacer.run(lambda: pacer.add(turns))

    assert await asyncio.to_thread(turns.done.wait, 5)
    assert time.monotonic() - begun < 4
