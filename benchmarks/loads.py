"""Loads that keep a Home Assistant process busy."""

import asyncio
from collections.abc import Callable, Coroutine
import json
import random
import re
import threading
import time

LOADS = ("idle", "blocked", "held", "threads")

_SHORTEST_S, _LONGEST_S = 0.05, 0.5
_PAUSE_S = 0.1
_THREADS = 3
_STATES = [
    {"id": number, "state": str(number), "attributes": {"name": "x" * 10}}
    for number in range(50_000)
]
# Backtracks in C while it holds the GIL; each more letter doubles the time.
_SLOW_PATTERN = re.compile(r"(a+)+$")
_GIL_HELD_S = 0.12


async def run(name: str) -> None:
    """Load this process, its loop included, until cancelled."""
    loads: dict[str, Callable[[], Coroutine[None, None, None]]] = {
        "idle": _idle,
        "blocked": _blocked,
        "held": _held,
        "threads": _threads,
    }
    await loads[name]()


async def _idle() -> None:
    await asyncio.Event().wait()


async def _blocked() -> None:
    """Sleep in the loop, as a careless integration does; the GIL is free."""
    chance = random.Random(5)
    while True:
        time.sleep(chance.uniform(_SHORTEST_S, _LONGEST_S))  # noqa: ASYNC251 - the load
        await asyncio.sleep(_PAUSE_S)


async def _held() -> None:
    """Have C code of the standard library keep the GIL for 100 to 500 ms."""
    chance = random.Random(5)
    letters = _letters_for(_GIL_HELD_S)
    numbers = [chance.random() for _ in range(300_000)]
    holders: tuple[Callable[[], object], ...] = (
        lambda: _SLOW_PATTERN.match("a" * letters + "b"),
        lambda: _SLOW_PATTERN.match("a" * (letters + 1) + "b"),
        lambda: json.dumps(_STATES),
        lambda: sorted(numbers),
    )
    while True:
        chance.choice(holders)()
        await asyncio.sleep(_PAUSE_S)


async def _threads() -> None:
    """Make executor threads compute all the time and take turns with the GIL."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            json.loads(json.dumps(_STATES[:100]))
            sum(number * number for number in range(10_000))

    threads = [threading.Thread(target=compute, daemon=True) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    try:
        await _idle()
    finally:
        stop.set()


def _letters_for(seconds: float) -> int:
    """Return how many letters keep the pattern busy for a time."""
    letters = 14
    while True:
        before = time.perf_counter()
        _SLOW_PATTERN.match("a" * letters + "b")
        if time.perf_counter() - before > seconds:
            return letters
        letters += 1
