"""The time to the first packet, and the error of the announced start."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
import time

import numpy as np

from tests.virtual_receiver.playback.find_sound import find
from tests.virtual_receiver.receiver import VirtualReceiver

from .analysis import first_audio_ns
from .core import RAOP, messages
from .figures import Benchmark, Figure, Lab
from .music import pcm_of
from .receivers import Receivers, Seen
from .sender_process import SenderProcess

_RUNS = 40
_QUICK_RUNS = 5
_HEARD_RUNS = 10
_QUICK_HEARD_RUNS = 2
_HEARD_S = 0.4
# Nobody starts music several times a second; the sender makes ready for the next.
_AFTER_START_S = 1.5
_MEDIAN_LIMIT_MS = 150
_HEARD_LIMIT_MS = 2
_PROGRAM_RUNS = 20
_QUICK_PROGRAM_RUNS = 3
_PROGRAM_LIMIT_MS = 500


async def _run(lab: Lab) -> list[Figure]:
    programs_ms = await _programs(lab)
    sender = await SenderProcess.start()
    try:
        starts_ms = await _first_packets(lab, sender)
        errors_ms = await _heard_errors(lab, sender)
    finally:
        await sender.stop()
    return [
        Figure(
            what="command to first packet, median",
            value=float(np.median(starts_ms)),
            unit="ms",
            target=_MEDIAN_LIMIT_MS,
        ),
        Figure(
            what="command to first packet, p95",
            value=float(np.percentile(starts_ms, 95)),
            unit="ms",
        ),
        Figure(
            what="start of `raop play` to first packet, median",
            value=float(np.median(programs_ms)),
            unit="ms",
            target=_PROGRAM_LIMIT_MS,
        ),
        Figure(
            what="announced instant to first frame heard, median",
            value=float(np.median(np.abs(errors_ms))),
            unit="ms",
        ),
        Figure(
            what="announced instant to first frame heard, worst",
            value=float(np.max(np.abs(errors_ms))),
            unit="ms",
            target=_HEARD_LIMIT_MS,
        ),
    ]


async def _first_packets(lab: Lab, sender: SenderProcess) -> list[float]:
    receivers = await Receivers.start(lab.folder, 1, timing_ms=1000, loss_permille=0)
    commands_ns = []
    for _ in range(_QUICK_RUNS if lab.is_quick else _RUNS):
        commanded_ns, _ = await sender.play(str(lab.music), receivers.ports)
        commands_ns.append(commanded_ns)
        await asyncio.sleep(_AFTER_START_S)
        await sender.stop_stream()
    return _first_after(commands_ns, await receivers.stop())


async def _programs(lab: Lab) -> list[float]:
    """Start the command line, which ends when it has told that it plays."""
    receivers = await Receivers.start(lab.folder, 1, timing_ms=1000, loss_permille=0)
    place = f"127.0.0.1:{receivers.ports[0]}"
    command = (*RAOP, "play", str(lab.music), "--receiver", place, "--json")
    starts_ns = []
    for _ in range(_QUICK_PROGRAM_RUNS if lab.is_quick else _PROGRAM_RUNS):
        starts_ns.append(time.time_ns())
        process = await asyncio.create_subprocess_exec(
            *command, stdout=PIPE, stderr=DEVNULL
        )
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if b'"started"' in line:
                break
        await asyncio.sleep(_AFTER_START_S)
        process.terminate()
        await process.communicate()
    return _first_after(starts_ns, await receivers.stop())


def _first_after(begun_ns: list[int], seen: Seen) -> list[float]:
    """Return the ms from each instant to the first packet after it."""
    arrivals_ns = first_audio_ns(seen)
    first = arrivals_ns[np.searchsorted(arrivals_ns, begun_ns)]
    return [float(each) / 1e6 for each in first - np.array(begun_ns)]


async def _heard_errors(lab: Lab, sender: SenderProcess) -> list[float]:
    """Compare `Started.at` with when the receiver plays the first frame."""
    sound = pcm_of(lab.music)
    errors_ms = []
    for _ in range(_QUICK_HEARD_RUNS if lab.is_quick else _HEARD_RUNS):
        async with VirtualReceiver("Benchmark", host="127.0.0.1") as receiver:
            _, started = await sender.play(str(lab.music), [receiver.port])
            await asyncio.sleep(started.at - time.time() + _HEARD_S)
            await sender.stop_stream()
            errors_ms.append(_error_ms(started, receiver, sound))
    return errors_ms


def _error_ms(
    started: messages.Started, receiver: VirtualReceiver, sound: bytes
) -> float:
    heard = find(sound, receiver.recording.packets)
    if heard.first_frame_ns is None:
        return float("inf")
    heard_s = (heard.first_frame_ns + time.time_ns() - time.monotonic_ns()) / 1e9
    return (heard_s - started.at) * 1e3


BENCHMARK = Benchmark(
    name="start",
    title="Start",
    how=(
        "A running sender process plays a local WAV file on one receiver, "
        f"{_RUNS} times, each with its own session. The time is from just before "
        "the command is written to the pipe to the kernel's receive stamp of the first "
        "audio packet. The same is measured from the start of the command line, "
        f"`raop play`, {_PROGRAM_RUNS} times, which asks the receiver for its records "
        "first. The instant that the process announces for the first frame is "
        f"compared with that at which the tests' virtual receiver plays it, {_HEARD_RUNS} "
        "times."
    ),
    run=_run,
)
