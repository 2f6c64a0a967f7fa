"""Cost on a quiet machine: what counts there is how often a process wakes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
import sys
import time

from . import calls
from .figures import Benchmark, Figure, Lab
from .peers import Peer
from .receivers import Receivers
from .sender_process import SenderProcess
from .usage import cpu_s, processes
from .wakeups import switches

_OURS, _PYATV, _MINIMAL, _C = "ours", "pyatv", "minimal Python sender", "C"
_SENDERS = (_OURS, _PYATV, _MINIMAL, _C)
_COLD, _WARM = "cold", "warm"
_ROUNDS = 3
_SECONDS, _QUICK_SECONDS = 10.0, 3.0
_REST_S = 5.0
_WARM_UP_S = 3.0
# Larger than any cache of the last level.
_SWEEP_BYTES = 64 << 20
# As shairport-sync asks for the time.
_TIMING_MS = 3000
_MANY = 8
_WAKEUPS = 22
_WAKEUPS_EACH = 2
_RESTING_WAKEUPS = 4
_TO_PYATV, _TO_MINIMAL = 0.6, 1.0
_SPIN = "import os\nos.nice(19)\nwhile True: pass"


@dataclass(frozen=True, slots=True)
class _Usage:
    """CPU seconds for a minute, and wake-ups a second, of all processes."""

    cpu: float
    wakeups: float


type _Usages = defaultdict[tuple[str, str], list[_Usage]]


async def _run(lab: Lab) -> list[Figure]:
    usages: _Usages = defaultdict(list)
    for number in range(1 if lab.is_quick else _ROUNDS):
        turn = number % len(_SENDERS)
        for heat in (_COLD, _WARM):
            for sender in (*_SENDERS[turn:], *_SENDERS[:turn]):
                async with _beside(heat, lab):
                    usages[sender, heat].append(await _measure(lab, sender))
    many = await _measure(lab, _OURS, _MANY)
    return [
        *_figures(usages, many),
        *[await _calls(lab, count) for count in (1, _MANY)],
        *await _resting(lab),
    ]


@asynccontextmanager
async def _beside(heat: str, lab: Lab) -> AsyncIterator[None]:
    """Rest and empty the caches, or keep a loop running that keeps them warm."""
    if heat == _COLD:
        if not lab.is_quick:
            await asyncio.sleep(_REST_S)
        bytearray(_SWEEP_BYTES).count(1)
        yield
        return
    loop = await asyncio.create_subprocess_exec(sys.executable, "-c", _SPIN)
    try:
        yield
    finally:
        loop.kill()
        await loop.wait()


async def _measure(lab: Lab, kind: str, count: int = 1) -> _Usage:
    receivers = await Receivers.start(
        lab.folder, count, timing_ms=_TIMING_MS, loss_permille=0
    )
    sender = await _start(lab, kind, receivers.ports)
    await asyncio.sleep(_WARM_UP_S)
    usage = await _use(sender.pid, lab)
    await sender.stop()
    await receivers.stop()
    return usage


async def _use(pid: int, lab: Lab) -> _Usage:
    """Return what a process and all that it has started use for a while."""
    before_s, before, since_s = _cpu_s(pid), switches([pid]), time.monotonic()
    await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
    passed_s = time.monotonic() - since_s
    return _Usage(
        (_cpu_s(pid) - before_s) * 60 / passed_s,
        (switches([pid]) - before) / passed_s,
    )


async def _calls(lab: Lab, count: int) -> Figure:
    """Count the Python functions that the sender enters while it plays."""
    receivers = await Receivers.start(
        lab.folder, count, timing_ms=_TIMING_MS, loss_permille=0
    )
    file = lab.folder / "calls"
    program = (sys.executable, str(Path(calls.__file__)), str(file))
    sender = await SenderProcess.start(within=program)
    await sender.play(str(lab.music), receivers.ports)
    await asyncio.sleep(_WARM_UP_S)
    before, since_s = (
        await asyncio.to_thread(calls.ask, sender.pid, file),
        time.monotonic(),
    )
    await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
    after, passed_s = (
        await asyncio.to_thread(calls.ask, sender.pid, file),
        time.monotonic() - since_s,
    )
    await sender.stop()
    await receivers.stop()
    return Figure(
        what=f"{count} receiver{'s' * (count > 1)}: Python calls of the sender",
        value=(after - before) / passed_s,
        unit="a second",
    )


def _cpu_s(pid: int) -> float:
    return sum(cpu_s(each) for each in processes(pid))


async def _start(lab: Lab, kind: str, ports: list[int]) -> SenderProcess | Peer:
    if kind == _PYATV:
        return await Peer.pyatv(ports, encrypts=False)
    if kind == _C:
        return await Peer.c_sender(lab.folder, ports, encrypts=False, stamp="naive")
    if kind == _MINIMAL:
        return await Peer.minimal(ports[0])
    sender = await SenderProcess.start()
    await sender.play(str(lab.music), ports)
    return sender


async def _resting(lab: Lab) -> list[Figure]:
    """Measure a sender that was never used, and one that is paused."""
    receivers = await Receivers.start(
        lab.folder, 1, timing_ms=_TIMING_MS, loss_permille=0
    )
    sender = await SenderProcess.start()
    await asyncio.sleep(_WARM_UP_S)
    idle = await _use(sender.pid, lab)
    await sender.play(str(lab.music), receivers.ports)
    await asyncio.sleep(_WARM_UP_S)
    await sender.pause()
    await asyncio.sleep(_WARM_UP_S)
    paused = await _use(sender.pid, lab)
    await sender.stop()
    await receivers.stop()
    return [
        Figure(
            what="idle: wake-ups of the sender",
            value=idle.wakeups,
            unit="a second",
            target=0.2,
        ),
        Figure(
            what="paused: wake-ups of the sender",
            value=paused.wakeups,
            unit="a second",
            target=_RESTING_WAKEUPS,
        ),
        Figure(
            what="paused: CPU of the sender",
            value=paused.cpu / 60 * 100,
            unit="% of a core",
            target=0.3,
        ),
    ]


def _figures(usages: _Usages, many: _Usage) -> list[Figure]:
    figures = []
    for heat in (_COLD, _WARM):
        ours = median(each.cpu for each in usages[_OURS, heat])
        limits = {_PYATV: _TO_PYATV, _MINIMAL: _TO_MINIMAL} if heat == _COLD else {}
        figures += [
            Figure(
                what=f"1 receiver, {heat}: all processes",
                value=ours,
                unit="CPU s a minute",
                peer=peer,
                peer_value=median(each.cpu for each in usages[peer, heat]),
                target=limits.get(peer),
            )
            for peer in _SENDERS[1:]
        ]
    return [
        *figures,
        *(
            Figure(
                what=f"1 receiver: wake-ups, {sender}",
                value=median(each.wakeups for each in usages[sender, _COLD]),
                unit="a second",
                target=_WAKEUPS if sender == _OURS else None,
            )
            for sender in _SENDERS
        ),
        Figure(
            what=f"{_MANY} receivers: wake-ups, {_OURS}",
            value=many.wakeups,
            unit="a second",
            target=_WAKEUPS + (_MANY - 1) * _WAKEUPS_EACH,
        ),
    ]


BENCHMARK = Benchmark(
    name="quiet",
    title="Cost on a quiet machine",
    how=(
        "The sender process plays a WAV file on one simulated receiver, not encrypted; "
        "pyatv's stream client, a minimal Python sender (one packet at a time), and the "
        f"C sender do the same in rotating order, {_ROUNDS} times {_SECONDS:g} s each. "
        f"Cold: {_REST_S:g} s of rest and a sweep over {_SWEEP_BYTES >> 20} MB before, "
        "and nothing beside. Warm: a loop of the lowest priority beside. Only ours "
        "decodes and speaks RTSP. Python calls are entries of functions, counted by the "
        "interpreter in a sender of its own. Wake-ups are the voluntary context switches of all "
        "threads of all processes."
    ),
    run=_run,
)
