"""How precisely AirPlay 2 receivers can follow our clock."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import sys

import numpy as np

from tests.raop.engine.ptp_follower import Follower

from .core import ROOT
from .figures import Benchmark, Figure, Lab

_SECONDS = 20.0
_QUICK_SECONDS = 3.0
_TARGET_US = 200
# The place of the load: beside the sender process, or in its own main thread.
_CASES = (
    ("idle", "idle", "idle"),
    ("Home Assistant held", "held", "idle"),
    ("Home Assistant threads", "threads", "idle"),
    ("sender process threads", "idle", "threads"),
)


@dataclass(frozen=True, slots=True)
class _Measured:
    stamped_percent: float
    measuring_p99_us: float
    listening_p99_us: float
    told_percent: float


async def _run(lab: Lab) -> list[Figure]:
    cases = _CASES[1:2] if lab.is_quick else _CASES
    figures = []
    for name, beside, within in cases:
        found = await _measure(lab, beside, within)
        figures += _figures(name, found, is_ours=within == "idle")
    return figures


async def _measure(lab: Lab, beside: str, within: str) -> _Measured:
    follower = Follower()
    try:
        async with (
            _process("benchmarks.host", "none", beside, lab.music),
            _process("benchmarks.ptp_clock", within, *follower.ports) as clock,
        ):
            follower.heard.clear()
            await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
            told, _ = await clock.communicate(b"\n")
        return _analyse(follower, *map(int, told.split()))
    finally:
        follower.close()


def _analyse(
    follower: Follower, syncs: int, stamped: int, wall_at_zero_ns: int
) -> _Measured:
    pairs = follower.pairs()
    left_ns = np.array([told.time_ns for _, told in pairs]) + wall_at_zero_ns
    came_ns = np.array([sync.arrived_ns for sync, _ in pairs])
    told_ns = np.array([told.arrived_ns for _, told in pairs])
    return _Measured(
        stamped_percent=100 * stamped / syncs,
        measuring_p99_us=float(np.percentile(np.abs(came_ns - left_ns), 99)) / 1e3,
        listening_p99_us=float(np.percentile(np.abs(told_ns - left_ns), 99)) / 1e3,
        told_percent=100 * len(pairs) / len(follower.of(0)),
    )


def _figures(name: str, found: _Measured, *, is_ours: bool) -> list[Figure]:
    """Return a case's rows; a busy sender process has no target."""
    return [
        Figure(
            what=f"{name}: departures that the kernel did not tell",
            value=100 - found.stamped_percent,
            unit="%",
            target=1,
        ),
        Figure(
            what=f"{name}: clock error of one Sync, by its arrival, p99",
            value=found.measuring_p99_us,
            unit="µs",
            target=_TARGET_US,
        ),
        Figure(
            what=f"{name}: clock error of one Sync, by its Follow_Up's, p99",
            value=found.listening_p99_us,
            unit="µs",
            target=_TARGET_US if is_ours else None,
        ),
        Figure(
            what=f"{name}: Follow_Ups left out, as they would be late",
            value=100 - found.told_percent,
            unit="%",
            target=10 if is_ours else None,
        ),
    ]


@asynccontextmanager
async def _process(module: str, *arguments: object) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        *map(str, arguments),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        if not await process.stdout.readline():
            raise RuntimeError(f"{module} ended")
        yield process
    finally:
        if process.returncode is None:
            await process.communicate(b"\n")


BENCHMARK = Benchmark(
    name="ptp",
    title="The clock of AirPlay 2",
    how=(
        "A separate process is the PTP clock of one receiver for "
        f"{_SECONDS:g} s, beside a process that is idle or under load as in `pacing`, "
        "or with three threads that compute in the clock's own process. The receiver "
        "uses the kernel's receive stamps. Its error is that of single messages, without "
        "the filter that every receiver has: once as in receivers that match Sync and "
        "Follow_Up, once as in nqptp, for which only the Follow_Up counts."
    ),
    run=_run,
)
