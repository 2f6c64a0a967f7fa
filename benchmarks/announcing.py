"""The time from an announcement's command to its first audible sample."""

import asyncio
from pathlib import Path
import random
import wave

import numpy as np

from tests.virtual_receiver.receiver import VirtualReceiver

from .figures import Benchmark, Figure, Lab
from .sender_process import SenderProcess

_RATE = 44_100
_RUNS = 40
_QUICK_RUNS = 4
_VOICE_S = 0.5
_MUSIC_S = 240
_DEPTH_MS = 1000
_OVER_MUSIC_MS = _DEPTH_MS + 150
_IDLE_MS = 1000
_LEFT, _RIGHT = 0, 1


async def _run(lab: Lab) -> list[Figure]:
    voice = _write(lab.folder / "voice.wav", _VOICE_S, _RIGHT)
    music = _write(lab.folder / "left.wav", _MUSIC_S, _LEFT)
    runs = _QUICK_RUNS if lab.is_quick else _RUNS
    sender = await SenderProcess.start()
    try:
        over_music_ms = await _over_music(sender, music, voice, runs)
        idle_ms = await _idle(sender, voice, runs)
    finally:
        await sender.stop()
    return [
        *_figures("over music", over_music_ms, _OVER_MUSIC_MS),
        *_figures("idle", idle_ms, _IDLE_MS),
    ]


def _figures(what: str, times_ms: list[float], limit_ms: int) -> list[Figure]:
    return [
        Figure(
            what=f"{what}: command to first sample heard, median",
            value=float(np.median(times_ms)),
            unit="ms",
        ),
        Figure(
            what=f"{what}: command to first sample heard, p95",
            value=float(np.percentile(times_ms, 95)),
            unit="ms",
            target=limit_ms,
        ),
    ]


async def _over_music(
    sender: SenderProcess, music: Path, voice: Path, runs: int
) -> list[float]:
    times_ms = []
    async with VirtualReceiver("Benchmark", host="127.0.0.1") as receiver:
        await sender.play(str(music), [receiver.port])
        for _ in range(runs):
            await asyncio.sleep(random.uniform(0.5, 1))
            times_ms.append(await _announced(sender, voice, receiver))
        await sender.stop_stream()
    return times_ms


async def _idle(sender: SenderProcess, voice: Path, runs: int) -> list[float]:
    times_ms = []
    for _ in range(runs):
        async with VirtualReceiver("Benchmark", host="127.0.0.1") as receiver:
            times_ms.append(await _announced(sender, voice, receiver))
    return times_ms


async def _announced(
    sender: SenderProcess, voice: Path, receiver: VirtualReceiver
) -> float:
    receiver.clear()
    commanded_ns = await sender.announce(str(voice), receiver.port)
    for packet in receiver.recording.packets:
        frames = np.frombuffer(packet.sound, "<i2").reshape(-1, 2)[:, _RIGHT]
        if frames.any():
            ahead_ns = int(np.flatnonzero(frames)[0]) * 1_000_000_000 // _RATE
            return (packet.play_ns + ahead_ns - commanded_ns) / 1e6
    return float("inf")


def _write(path: Path, seconds: float, side: int) -> Path:
    """Write noise on one side, so that voice and music can be distinguished."""
    frames = np.zeros((round(seconds * _RATE), 2), "<i2")
    frames[:, side] = np.random.default_rng(side).integers(1, 9000, len(frames))
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, _RATE, 0, "NONE", ""))
        file.writeframes(frames.tobytes())
    return path


BENCHMARK = Benchmark(
    name="announcing",
    title="Announcing",
    how=(
        "A running sender process announces a local WAV file on the tests' virtual "
        f"receiver, {_RUNS} times over music that is sent {_DEPTH_MS} ms ahead, and "
        f"{_RUNS} times on an idle receiver, each with its own session. The time is from "
        "just before the command is written to the pipe to the instant at which the "
        "receiver plays the first sample of the announcement."
    ),
    run=_run,
)
