"""CPU and memory of a stream, compared with pyatv and a C sender."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
import time

from .analysis import Timing, Window, analyse
from .figures import Benchmark, Figure, Lab
from .peers import Peer
from .receivers import Receivers
from .sender_process import SenderProcess
from .usage import cpu_s, memory_mb, processes

_COUNTS = (1, 8, 32)
_QUICK_COUNTS = (8,)
_TIMING_MS = 3000
_LOSS_PERMILLE = 10
_WARM_UP_S, _SECONDS = 2.5, 8.0
_QUICK_WARM_UP_S, _QUICK_SECONDS = 1.0, 2.0
_ROUNDS = 3
_OURS, _C, _PYATV = "ours", "C", "pyatv"
_SENDERS = (_OURS, _C, _PYATV)


@dataclass(frozen=True, slots=True)
class _Case:
    sender: str
    count: int
    encrypts: bool


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU seconds for a minute of audio on one receiver, and memory of all processes."""

    cpu: float
    decoding: float
    idle_mb: float
    memory_mb: float
    timing: Timing


type _Costs = defaultdict[_Case, list[_Cost]]


async def _run(lab: Lab) -> list[Figure]:
    counts = _QUICK_COUNTS if lab.is_quick else _COUNTS
    costs: _Costs = defaultdict(list)
    for number in range(1 if lab.is_quick else _ROUNDS):
        turn = number % len(_SENDERS)
        for count in counts:
            for encrypts in (True,) if lab.is_quick else (False, True):
                for sender in (*_SENDERS[turn:], *_SENDERS[:turn]):
                    case = _Case(sender, count, encrypts)
                    costs[case].append(await _measure(lab, case))
    figures = [
        figure
        for case in costs
        if case.sender == _OURS
        for figure in _cpu_figures(case, costs)
    ]
    return [*figures, *_memory_figures(counts, costs)]


async def _measure(lab: Lab, case: _Case) -> _Cost:
    receivers = await Receivers.start(
        lab.folder, case.count, timing_ms=_TIMING_MS, loss_permille=_LOSS_PERMILLE
    )
    sender, idle_mb = await _start(lab, case, receivers.ports)
    await asyncio.sleep(_QUICK_WARM_UP_S if lab.is_quick else _WARM_UP_S)
    before_s = _cpu_s(sender.pid)
    start_ns = time.time_ns()
    await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
    used_s = [
        now - then for now, then in zip(_cpu_s(sender.pid), before_s, strict=True)
    ]
    window = Window(start_ns, time.time_ns())
    per_minute = 60e9 / (window.end_ns - window.start_ns) / case.count
    held_mb = memory_mb(sender.pid)
    await sender.stop()
    timing = analyse(await receivers.stop(), window)
    whole, decoding = used_s[0] * per_minute, used_s[1] * per_minute
    return _Cost(whole, decoding, idle_mb, held_mb, timing)


def _cpu_s(pid: int) -> tuple[float, float]:
    """Return the CPU time of a sender, and the part of it that its decoders used."""
    decoding = sum(cpu_s(each) for each in processes(pid)[1:])
    return cpu_s(pid) + decoding, decoding


async def _start(
    lab: Lab, case: _Case, ports: list[int]
) -> tuple[SenderProcess | Peer, float]:
    """Return a sender that plays, and its memory before it did."""
    if case.sender == _C:
        peer = await Peer.c_sender(
            lab.folder, ports, encrypts=case.encrypts, stamp="naive"
        )
        return peer, 0.0
    if case.sender == _PYATV:
        return await Peer.pyatv(ports, encrypts=case.encrypts), 0.0
    sender = await SenderProcess.start()
    idle_mb = memory_mb(sender.pid)
    await sender.play(str(lab.music), ports, encrypts=case.encrypts)
    return sender, idle_mb


def _cpu_figures(case: _Case, costs: _Costs) -> list[Figure]:
    """Compare one case; the targets are those for encrypted streams."""
    ours = costs[case]
    c = costs[_Case(_C, case.count, case.encrypts)]
    pyatv = costs[_Case(_PYATV, case.count, case.encrypts)]
    kind = "encrypted" if case.encrypts else "plain"
    what = f"{case.count} receiver{'s' * (case.count > 1)}, {kind}"
    unit = "CPU s a minute and receiver"
    to_c = {1: 1.5, 32: 0.8}.get(case.count)
    to_pyatv = {1: 0.6, 8: 0.25}.get(case.count, 0.15)
    whole = median(each.cpu for each in ours)
    return [
        Figure(
            what=f"{what}: without decoding",
            value=median(each.cpu - each.decoding for each in ours),
            unit=unit,
            peer=f"C, {'AES' if case.encrypts else 'plain'}",
            peer_value=median(each.cpu for each in c),
            target=to_c if case.encrypts else None,
        ),
        Figure(
            what=f"{what}: all processes",
            value=whole,
            unit=unit,
            peer="pyatv, AirPlay 2" if case.encrypts else "pyatv, AirPlay 1",
            peer_value=median(each.cpu for each in pyatv),
            target=to_pyatv if case.encrypts else None,
        ),
        Figure(
            what=f"{what}: decoding",
            value=median(each.decoding for each in ours),
            unit=unit,
            peer="all processes",
            peer_value=whole,
        ),
        Figure(
            what=f"{what}: resend, p99",
            value=median(each.timing.resend_p99_ms for each in ours),
            unit="ms",
            peer="C",
            peer_value=median(each.timing.resend_p99_ms for each in c),
        ),
        Figure(
            what=f"{what}: lost packets not repaired",
            value=max(each.timing.unrepaired for each in ours),
            unit="packets",
            target=0,
        ),
    ]


def _memory_figures(counts: tuple[int, ...], costs: _Costs) -> list[Figure]:
    """Report all processes; encrypted, so that the packets of both formats count."""
    ours = {
        case.count: found
        for case, found in costs.items()
        if case.encrypts and case.sender == _OURS
    }
    figures = [
        Figure(
            what="before anything has played: proportional memory",
            value=median(each.idle_mb for each in ours[counts[0]]),
            unit="MB",
            target=45,
        )
    ]
    for count in counts:
        pyatv = costs[_Case(_PYATV, count, encrypts=True)]
        what = f"{count} receiver{'s' * (count > 1)}: proportional memory"
        value = median(each.memory_mb for each in ours[count])
        peer_mb = median(each.memory_mb for each in pyatv)
        figures += [
            Figure(what=what, value=value, unit="MB", target=80),
            Figure(what=what, value=value, unit="MB", peer="pyatv", peer_value=peer_mb),
        ]
    return figures


BENCHMARK = Benchmark(
    name="cost",
    title="CPU and memory of a stream",
    how=(
        "The sender process plays a WAV file on simulated receivers that lose 1 % of the "
        "packets and request them again. pyatv's own stream clients (with their samples "
        "in memory: no decoding, no RTSP) and a C sender (one packet at a time, one send "
        "per receiver, no decoding) do the same, in rotating order; CPU time "
        f"is the processes' own clock over {_SECONDS:g} s, the median of {_ROUNDS} rounds. "
        "Ours are the sender, the prepared process, and the decoder."
    ),
    run=_run,
)
