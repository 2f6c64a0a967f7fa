"""Precision of packets and timing replies while Home Assistant is busy."""

import asyncio
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
import sys
import time

from .analysis import Timing, Window, analyse
from .core import ROOT
from .figures import Benchmark, Figure, Lab
from .loads import LOADS
from .peers import Peer
from .receivers import Receivers

_RECEIVERS = 8
_TIMING_MS = 50
_LOSS_PERMILLE = 10
_SECONDS = 8.0
_QUICK_SECONDS = 1.5
_ROUNDS = 2
_PROCESS, _LOOP, _C, _C_STAMPED = "process", "loop", "C", "C, kernel stamps"


async def _run(lab: Lab) -> list[Figure]:
    loads = ("held",) if lab.is_quick else LOADS
    cells: defaultdict[tuple[str, str], list[Timing]] = defaultdict(list)
    for _ in range(1 if lab.is_quick else _ROUNDS):
        for load in loads:
            for model in (_PROCESS, _LOOP, _C):
                cells[load, model].append(await _measure(lab, load, model))
        cells["idle", _C_STAMPED].append(await _measure(lab, "idle", _C_STAMPED))
    worst = {cell: _worst(timings) for cell, timings in cells.items()}
    return [figure for load in loads for figure in _figures(load, worst)]


async def _measure(lab: Lab, load: str, model: str) -> Timing:
    receivers = await Receivers.start(
        lab.folder, _RECEIVERS, timing_ms=_TIMING_MS, loss_permille=_LOSS_PERMILLE
    )
    async with _streaming(lab, load, model, receivers.ports):
        start_ns = time.time_ns()
        await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
        window = Window(start_ns, time.time_ns())
    return analyse(await receivers.stop(), window)


@asynccontextmanager
async def _streaming(
    lab: Lab, load: str, model: str, ports: list[int]
) -> AsyncIterator[None]:
    """Run a sender beside, or inside, a process under load."""
    peer: Peer | None = None
    if model in (_C, _C_STAMPED):
        stamp = "kernel" if model == _C_STAMPED else "naive"
        peer = await Peer.c_sender(lab.folder, ports, encrypts=False, stamp=stamp)
    host = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.host"),
        *("none" if peer else model, load, lab.music),
        *map(str, ports),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )
    assert host.stdout is not None
    if not await host.stdout.readline():
        raise RuntimeError("the process that replaces Home Assistant ended")
    try:
        yield
    finally:
        if peer:
            await peer.stop()
        await host.communicate()


def _worst(timings: list[Timing]) -> Timing:
    """Return the worst value of every quantity over the rounds."""
    return Timing(
        **{
            each.name: max(getattr(timing, each.name) for timing in timings)
            for each in fields(Timing)
        }
    )


def _figures(load: str, worst: dict[tuple[str, str], Timing]) -> list[Figure]:
    ours, loop, c = (worst[load, model] for model in (_PROCESS, _LOOP, _C))
    is_idle = load == "idle"
    late, error = ours.lateness_worst_ms, ours.clock_error_p99_us
    packet, reply = f"{load}: latest packet", f"{load}: clock error of a reply, p99"
    return [
        Figure(what=packet, value=late, unit="ms", target=20),
        Figure(
            what=packet,
            value=late,
            unit="ms",
            peer="C",
            peer_value=c.lateness_worst_ms,
            target=5,
        ),
        Figure(
            what=packet,
            value=late,
            unit="ms",
            peer="same pacing in the loop",
            peer_value=loop.lateness_worst_ms,
            target=None if is_idle else 0.05,
        ),
        Figure(what=reply, value=error, unit="µs", target=50),
        Figure(
            what=reply,
            value=error,
            unit="µs",
            peer="C, one clock read",
            peer_value=c.clock_error_p99_us,
            target=0.1,
        ),
        Figure(
            what=reply,
            value=error,
            unit="µs",
            peer="loop, one clock read",
            peer_value=loop.clock_error_p99_us,
            target=None if is_idle else 0.001,
        ),
        Figure(
            what=f"{load}: sync error of two receivers, p99",
            value=ours.sync_error_p99_us,
            unit="µs",
            target=11,
        ),
        Figure(
            what=f"{load}: sync error of two receivers, p99",
            value=ours.sync_error_p99_us,
            unit="µs",
            peer="C at rest, kernel stamps",
            peer_value=worst["idle", _C_STAMPED].sync_error_p99_us,
            target=3,
        ),
        Figure(
            what=f"{load}: lost packets not repaired",
            value=ours.unrepaired,
            unit="packets",
            target=0,
        ),
    ]


BENCHMARK = Benchmark(
    name="pacing",
    title="Precision while Home Assistant is busy",
    how=(
        f"The sender process plays on {_RECEIVERS} simulated receivers (1 % loss, each "
        f"asks for the time every {_TIMING_MS} ms) and gets its commands over pipes from "
        "a process that is idle, or whose loop sleeps for 50 to 500 ms at a time "
        "(blocked), or in which C calls keep the GIL for 100 to 500 ms (held), or "
        "three threads compute (threads). Receivers use the kernel's receive stamps; "
        "lateness is relative to the schedule in the sender's own sync packets. "
        "Compared with it, in turn: the same pacing inside that loop, and the C sender "
        "beside that process. The worst of the rounds counts."
    ),
    run=_run,
)
