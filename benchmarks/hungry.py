"""Precision beside a source that uses all the processor time it gets."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
import struct
import time

from .analysis import Timing, Window, analyse
from .core import messages
from .figures import Benchmark, Figure, Lab
from .receivers import Receivers
from .sender_process import SenderProcess
from .usage import cpu_s, processes

_RECEIVERS = 8
_TIMING_MS = 50
_LOSS_PERMILLE = 10
_SECONDS = 6.0
_QUICK_SECONDS = 1.5
_ROUNDS = 5
_SETTLE_S = 1.5
_IDLE, _HUNGRY = "idle", "hungry"
_RATE = 48_000
_HOURS = 20
_BYTES = _RATE * 3600 * _HOURS
_CHUNK = bytes([128]) * 65_536


async def _run(lab: Lab) -> list[Figure]:
    found: defaultdict[str, list[Timing]] = defaultdict(list)
    used: list[float] = []
    async with _served() as url:
        for _ in range(1 if lab.is_quick else _ROUNDS):
            for kind in (_IDLE, _HUNGRY):
                media = url if kind == _HUNGRY else None
                timing, percent = await _measure(lab, media)
                found[kind].append(timing)
                if media:
                    used.append(percent)

    def worst(kind: str) -> float:
        return median(each.lateness_worst_ms for each in found[kind])

    return [
        Figure(
            what="latest packet, median of the rounds",
            value=worst(_HUNGRY),
            unit="ms",
            peer="beside an idle source",
            peer_value=worst(_IDLE),
            target=2,
        ),
        Figure(
            what="slowest timing reply, median of the rounds",
            value=median(each.reply_worst_ms for each in found[_HUNGRY]),
            unit="ms",
            peer="beside an idle source",
            peer_value=median(each.reply_worst_ms for each in found[_IDLE]),
        ),
        Figure(
            what="processor time of the decoder",
            value=median(used),
            unit="% of a core",
        ),
    ]


async def _measure(lab: Lab, hungry: str | None) -> tuple[Timing, float]:
    """Return the timing of music, and what a second source uses meanwhile."""
    receivers = await Receivers.start(
        lab.folder, _RECEIVERS, timing_ms=_TIMING_MS, loss_permille=_LOSS_PERMILLE
    )
    other = await Receivers.start(lab.folder, 1, timing_ms=_TIMING_MS, loss_permille=0)
    sender = await SenderProcess.start()
    await sender.play(str(lab.music), receivers.ports)
    await asyncio.sleep(_SETTLE_S)
    if hungry:
        # Its server has no ranges: all before the position is decoded and dropped.
        media = messages.Media(
            url=hungry, name="hungry", position_ms=(_HOURS * 3600 - 60) * 1000
        )
        sender.open(media, other.ports[0])
        await asyncio.sleep(_SETTLE_S)
    before = {each: cpu_s(each) for each in processes(sender.pid)}
    start_ns = time.time_ns()
    await asyncio.sleep(_QUICK_SECONDS if lab.is_quick else _SECONDS)
    window = Window(start_ns, time.time_ns())
    alive = set(processes(sender.pid)) & set(before) - {sender.pid}
    most_s = max((cpu_s(each) - before[each] for each in alive), default=0.0)
    await sender.stop()
    await other.stop()
    timing = analyse(await receivers.stop(), window)
    return timing, most_s * 1e11 / (window.end_ns - window.start_ns)


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    """Serve hours of silence, as fast as they are read, without ranges."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            head = (
                "HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n"
                f"Content-Length: {_BYTES + 44}\r\n\r\n"
            )
            form = struct.pack("<IHHIIHH", 16, 1, 1, _RATE, _RATE, 1, 8)
            writer.write(head.encode() + b"RIFF" + struct.pack("<I", _BYTES + 36))
            writer.write(b"WAVEfmt " + form + b"data" + struct.pack("<I", _BYTES))
            for _ in range(_BYTES // len(_CHUNK)):
                writer.write(_CHUNK)
                await writer.drain()
        except OSError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/silence.wav"


BENCHMARK = Benchmark(
    name="hungry",
    title="Beside a source that uses all the processor time it gets",
    how=(
        f"The sender process plays on {_RECEIVERS} simulated receivers. In turn, alone "
        f"and while another stream opens {_HOURS} hours of sound at their end, from a "
        "server that cannot start there, so that all before is decoded and dropped; "
        f"{_ROUNDS} rounds of {_SECONDS:g} s."
    ),
    run=_run,
)
