"""The sync error of a group of virtual or real receivers."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import combinations
import sys
import time

import numpy as np

from tests.real.clicks import Sync, Track, heard_clicks, measure
from tests.real.shairport_lab import WAKEUPS_PER_S, Lab as Network, LabError, Shairport
from tests.virtual_receiver.receiver import VirtualReceiver

from .core import messages
from .figures import Benchmark, Figure, Lab
from .sender_process import SenderProcess

_VIRTUAL = (2, 8, 32)
_QUICK_VIRTUAL = (8,)
_VIRTUAL_S = 30.0
_QUICK_VIRTUAL_S = 3.0
_VIRTUAL_LIMIT_US = 50
# Very different clocks, as on machines that never set them.
_CLOCK_STEP_NS = 1_000_000_007
_REAL_LIMIT_MS = 1
_OLD_EVERY = 4
_SETTLE_S = 8
_BORN_S = 1.2
_CLASSIC_TXT = {"cn": "0,1", "et": "0,1"}
LANES = {"ap1": "raop", "ap1old": "raop", "ap2": "airplay2-realtime"}
"""The kinds of real receivers, and the lane for each."""


async def _run(lab: Lab) -> list[Figure]:
    counts = _QUICK_VIRTUAL if lab.is_quick else _VIRTUAL
    figures = [await _virtual(lab, count) for count in counts]
    if lab.is_quick:
        return figures
    for kinds in lab.groups:
        try:
            figures += await _real(lab, kinds)
        except LabError as err:
            print(f"skipped: {err}", file=sys.stderr)
            break
    return figures


async def _virtual(lab: Lab, count: int) -> Figure:
    """Compare the instants at which virtual receivers play each packet."""
    seconds = _QUICK_VIRTUAL_S if lab.is_quick else _VIRTUAL_S
    async with AsyncExitStack() as room:
        receivers = [
            await room.enter_async_context(
                VirtualReceiver(
                    f"Receiver {number}",
                    clock_offset_ns=number * _CLOCK_STEP_NS,
                    decode=False,
                )
            )
            for number in range(count)
        ]
        sender = await SenderProcess.start()
        room.push_async_callback(sender.stop)
        ports = [each.port for each in receivers]
        _, started = await sender.play(str(lab.music), ports)
        await asyncio.sleep(started.at - time.time() + seconds)
        played = [each.play_times() for each in receivers]
    frames = set.intersection(*(set(each) for each in played))
    times = np.array([[each[frame] for frame in frames] for each in played])
    spread_us = (times.max(0) - times.min(0)) / 1e3
    return Figure(
        what=f"{count} virtual receivers: first to last, p99",
        value=float(np.percentile(spread_us, 99)) if len(spread_us) else float("nan"),
        unit="µs",
        target=_VIRTUAL_LIMIT_US,
    )


def classic_kinds(count: int) -> tuple[str, ...]:
    """Return a group without AirPlay 2; every fourth one is of the old version."""
    return tuple("ap1old" if at % _OLD_EVERY == 1 else "ap1" for at in range(count))


async def _real(lab: Lab, kinds: Sequence[str]) -> list[Figure]:
    """Play clicks on real receivers and compare when each of them played them."""
    seconds = round(lab.minutes * 60) + _SETTLE_S
    track = Track.write(lab.folder / "clicks.wav", seconds)
    network = Network()
    network.up()
    try:
        receivers = [network.start(kind, {}) for kind in kinds]
        # The AirPlay 2 build can crash on a session within its first second.
        await asyncio.sleep(_BORN_S)
        line_s = await _play(network, receivers, kinds, track)
        heard = [heard_clicks(each, track) for each in receivers]
    finally:
        network.down()
        track.path.unlink()
    whole = measure(heard, line_s, settle_s=_SETTLE_S)
    figures = _figures(whole, _name(kinds), track.seconds - _SETTLE_S)
    if "ap2" in kinds:
        for one, other in combinations(range(len(kinds)), 2):
            pair = measure([heard[one], heard[other]], line_s, settle_s=_SETTLE_S)
            names = f"{kinds[one]} {one + 1} and {kinds[other]} {other + 1}"
            figures += _apart(pair, f"{_name(kinds)}: {names}")
    return figures


def _name(kinds: Sequence[str]) -> str:
    if "ap2" in kinds:
        return f"real receivers {', '.join(kinds)}"
    return f"{len(kinds)} real receivers"


async def _play(
    network: Network, receivers: Sequence[Shairport], kinds: Sequence[str], track: Track
) -> float:
    """Play a track to its end; return when its first frame was due, monotonic."""
    members = [
        messages.Member(
            receiver=each.address,
            name=f"{kind} at {each.host}",
            host=each.host,
            port=each.port,
            txt=_CLASSIC_TXT if kind != "ap2" else {},
            lane=LANES[kind],
        )
        for each, kind in zip(receivers, kinds, strict=True)
    ]
    with network.awake(receivers):
        sender = await SenderProcess.start(within=network.in_sender_namespace([]))
        try:
            _, started = await sender.play_on(str(track.path), members)
            line_s = started.at - time.time() + time.monotonic()
            await sender.finished()
        finally:
            await sender.stop()
    return line_s


def _figures(found: Sync, who: str, clicks: int) -> list[Figure]:
    what = f"{who}, {clicks} clicks"
    apart, line = found.spread, found.line
    rows: list[tuple[str, float, float | None]] = [
        ("first to last, p50", apart.p50_ms, None),
        ("first to last, p99", apart.p99_ms, _REAL_LIMIT_MS),
        ("first to last, max", apart.max_ms, None),
        ("each to the line, p50", line.p50_ms, None),
        ("each to the line, p99", line.p99_ms, _REAL_LIMIT_MS),
        ("each to the line, max", line.max_ms, None),
        ("the lab's own resolution, p50", found.resolution.p50_ms, None),
        ("the lab's own resolution, p99", found.resolution.p99_ms, None),
        ("single blocks, late by, p99", found.blocks.p99_ms, None),
    ]
    figures = [
        Figure(what=f"{what}: {name}", value=value, unit="ms", target=target)
        for name, value, target in rows
    ]
    unheard = clicks - found.clicks
    figures.append(Figure(what=f"{what}: not measured", value=unheard, unit="clicks"))
    return figures


def _apart(found: Sync, who: str) -> list[Figure]:
    """Return the figures of how far apart two of a group are."""
    apart = found.spread
    rows = (("p50", apart.p50_ms), ("p99", apart.p99_ms), ("max", apart.max_ms))
    return [
        Figure(what=f"{who} apart, {name}", value=value, unit="ms")
        for name, value in rows
    ]


BENCHMARK = Benchmark(
    name="sync",
    title="A group in sync",
    how=(
        "The sender process plays on groups of the tests' virtual receivers, whose "
        "clocks are seconds apart, and which ask for the sender's time as often as "
        "shairport-sync does: how far apart the first and the last of them play each "
        f"packet within {_VIRTUAL_S:g} s. Then it plays a track with a click at every "
        "second on real shairport-sync receivers in their own network namespaces "
        "(5.x, every fourth one 3.3.8; ap2 is 5.x with nqptp and AirPlay 2's realtime "
        "lane, ap1 uses RAOP): a click played when the blocks around it left the "
        "receiver, at the earliest instant by one of those within 1 s. The lab's own "
        "resolution is how far apart two halves of one receiver's blocks place the same "
        f"click; the receivers are woken {WAKEUPS_PER_S} times a second and run at "
        "real-time priority, because without a sound card they otherwise look for due "
        "blocks only when packets arrive, four at a time. A click is not measured if "
        "no processor was free for that wakeup. "
        f"The first {_SETTLE_S} s are omitted."
    ),
    run=_run,
)
