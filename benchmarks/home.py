"""What the integration costs Home Assistant: its start, a queue that plays, and rest."""

import asyncio
from asyncio.subprocess import PIPE
import json
import sys

from .core import ROOT
from .figures import Benchmark, Figure, Lab
from .music import write_wav
from .receivers import Receivers

_RECEIVERS = 16
_TIMING_MS = 3000
_SONGS, _SONG_S = 4, 10
_SECONDS, _QUICK_SECONDS = 30, 5
# Each figure of the program with its description, unit, and target.
_FIGURES: dict[str, tuple[str, str, float | None]] = {
    "start_cpu_s": ("start with 16 receivers: CPU", "s", 0.8),
    "start_s": ("start with 16 receivers: time to all states", "s", 5),
    "sender_start_cpu_s": (
        "start with 16 receivers: CPU of the sender process",
        "s",
        None,
    ),
    "idle_wakeups": ("idle: wake-ups, sender and integration", "a second", 0.2),
    "idle_cpu_percent": ("idle: CPU, sender and integration", "% of a core", None),
    "queue_cpu_ms": ("a queue plays: CPU of the integration", "ms a second", 3),
    "queue_wakeups": ("a queue plays: wake-ups of the integration", "a second", None),
    "queue_changed": ("a queue plays: states written", "a minute", None),
    "queue_unchanged": (
        "a queue plays: states written that have not changed",
        "",
        0,
    ),
    "paused_wakeups": ("paused: wake-ups, sender and integration", "a second", 4),
    "paused_cpu_percent": ("paused: CPU, sender and integration", "% of a core", 0.3),
}


async def _run(lab: Lab) -> list[Figure]:
    for number in range(_SONGS):
        write_wav(lab.folder / f"song{number}.wav", _SONG_S)
    receivers = await Receivers.start(
        lab.folder, _RECEIVERS, timing_ms=_TIMING_MS, loss_permille=0
    )
    seconds = _QUICK_SECONDS if lab.is_quick else _SECONDS
    words = (lab.folder, _SONGS, seconds, *receivers.ports)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.home_program", *map(str, words)),
        stdout=PIPE,
        cwd=ROOT,
    )
    told, _ = await process.communicate()
    await receivers.stop()
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return [
        Figure(what=what, value=found[name], unit=unit, target=target)
        for name, (what, unit, target) in _FIGURES.items()
    ]


BENCHMARK = Benchmark(
    name="home",
    title="The integration within Home Assistant",
    how=(
        "A Home Assistant of the tests, in which everything that the integration depends "
        f"on is set up already, sets up {_RECEIVERS} entries whose receivers are "
        f"simulated by another process. Then it rests, plays a queue of {_SONG_S} s long "
        f"songs on one receiver, and pauses, for {_SECONDS} s each. CPU time is that of "
        "the process, imports included; what it uses before the entries are set up is "
        "subtracted. Wake-ups are voluntary context switches of all threads. At rest and "
        "paused, the sender process counts too."
    ),
    run=_run,
)
