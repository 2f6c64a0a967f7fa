"""Precision on an overloaded machine."""

import asyncio
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
import sys
import time

from .analysis import Timing, Window, analyse
from .figures import Benchmark, Figure, Lab
from .peers import Peer
from .receivers import Receivers
from .sender_process import SenderProcess

_HOGS = 4
_RECEIVERS = 8
_TIMING_MS = 50
_LOSS_PERMILLE = 10
_SECONDS = 5.0
_QUICK_SECONDS = 1.5
_ROUNDS = 5
_REALTIME, _DEFAULT, _C = "SCHED_FIFO", "default priority", "C"
_SENDERS = (_REALTIME, _DEFAULT, _C)


async def _run(lab: Lab) -> list[Figure]:
    found: defaultdict[str, list[Timing]] = defaultdict(list)
    for _ in range(1 if lab.is_quick else _ROUNDS):
        for kind in _SENDERS:
            found[kind].append(await _measure(lab, kind))
    packets = {
        kind: median(each.lateness_worst_ms for each in timings)
        for kind, timings in found.items()
    }
    replies = {
        kind: median(each.reply_worst_ms for each in timings)
        for kind, timings in found.items()
    }
    worst = max(each.lateness_worst_ms for each in found[_REALTIME])
    return [
        Figure(
            what="SCHED_FIFO: latest packet, median of the rounds",
            value=packets[_REALTIME],
            unit="ms",
            peer="C, default priority",
            peer_value=packets[_C],
            target=0.5,
        ),
        Figure(
            what="SCHED_FIFO: latest packet of all rounds",
            value=worst,
            unit="ms",
            target=4,
        ),
        Figure(
            what="default priority: latest packet, median of the rounds",
            value=packets[_DEFAULT],
            unit="ms",
            peer="C, default priority",
            peer_value=packets[_C],
        ),
        Figure(
            what="SCHED_FIFO: slowest timing reply, median of the rounds",
            value=replies[_REALTIME],
            unit="ms",
            peer="C, default priority",
            peer_value=replies[_C],
        ),
        Figure(
            what="default priority: slowest timing reply, median of the rounds",
            value=replies[_DEFAULT],
            unit="ms",
            peer="C, default priority",
            peer_value=replies[_C],
        ),
    ]


async def _measure(lab: Lab, kind: str) -> Timing:
    receivers = await Receivers.start(
        lab.folder, _RECEIVERS, timing_ms=_TIMING_MS, loss_permille=_LOSS_PERMILLE
    )
    sender = await _start(lab, kind, receivers.ports)
    await asyncio.sleep(1)
    async with _hogs():
        start_ns = time.time_ns()
        await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
        window = Window(start_ns, time.time_ns())
    await sender.stop()
    return analyse(await receivers.stop(), window)


async def _start(lab: Lab, kind: str, ports: list[int]) -> SenderProcess | Peer:
    if kind == _C:
        return await Peer.c_sender(lab.folder, ports, encrypts=False, stamp="naive")
    sender = await SenderProcess.start(is_realtime=kind == _REALTIME)
    await sender.play(str(lab.music), ports)
    return sender


@asynccontextmanager
async def _hogs() -> AsyncIterator[None]:
    """Run processes that load every core."""
    hogs: list[Process] = []
    try:
        for _ in range(_HOGS):
            command = (sys.executable, "-S", "-c", "while True: pass")
            hogs.append(await asyncio.create_subprocess_exec(*command))
        await asyncio.sleep(0.3)
        yield
    finally:
        for hog in hogs:
            hog.kill()
            await hog.wait()


BENCHMARK = Benchmark(
    name="overload",
    title="An overloaded machine",
    how=(
        f"{_HOGS} processes spin while the sender process plays on {_RECEIVERS} "
        "simulated receivers: once with real-time priority for its pacing thread (the "
        "default if it is permitted), once without, and the C sender at default "
        f"priority; {_ROUNDS} rounds of {_SECONDS:g} s in turn."
    ),
    run=_run,
)
