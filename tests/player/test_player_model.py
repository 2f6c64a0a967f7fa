"""Commands, failures and losses in any order, and never a false state.

A state may be behind the wire until its report arrives, but not longer; see
`model/consistency.py` for the comparison. Several houses live side by side, each through
one sequence after the other. A failure lists its sequence step by step.

AIRPLAY_MODEL_SEQUENCES, AIRPLAY_MODEL_STEPS and AIRPLAY_MODEL_HOUSES set the number of
tries, AIRPLAY_MODEL_FIRST the first: each sequence has a number to try it again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
import gc
import logging
import os
from pathlib import Path
import secrets
import time
import traceback
from typing import override

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import call, entry_for, play, set_up
from tests.ha.processes import sender_pids
from tests.model.house import House
from tests.model.media import Library, library
from tests.model.plan import Plan, draw_plan
from tests.model.trace import Trace
from tests.raop.engine.harness import open_files, until
from tests.virtual_receiver import VirtualReceiver

SEQUENCES = int(os.environ.get("AIRPLAY_MODEL_SEQUENCES", "6"))
STEPS = int(os.environ.get("AIRPLAY_MODEL_STEPS", "12"))
HOUSES = int(os.environ.get("AIRPLAY_MODEL_HOUSES", "6"))
FIRST = int(os.environ.get("AIRPLAY_MODEL_FIRST", secrets.randbelow(1 << 32)))
# Messages of the integration about failures that are intended here.
EXPECTED = (
    "Sender process ended; restarting it: exit code -9",
    "stopped playing its queue",
)
MOST_TOLD = 5


@dataclass(slots=True)
class World:
    """The shared parts of all houses, and the findings in them."""

    hass: HomeAssistant
    media: Library
    traces: list[Trace] = field(default_factory=list)
    faulty: list[Trace] = field(default_factory=list)
    steps: int = 0
    seconds_in: defaultdict[str, float] = field(
        default_factory=lambda: defaultdict(float)
    )
    refusals: Counter[str] = field(default_factory=Counter)

    async def live(self, number: int, plan: Plan) -> None:
        """Go through one sequence in a new house."""
        trace = Trace(number)
        self.traces.append(trace)
        house = House(self.hass, self.media, number, trace)
        try:
            await house.start()
            for step in plan:
                await step.take(house)
                self.steps += 1
            await house.end()
        except Exception:  # noqa: BLE001 - it is reported at the end
            trace.blame(traceback.format_exc())
        self.traces.remove(trace)
        if trace.faults:
            self.faulty.append(trace)
        self.refusals += house.refusals
        for speaker in house.speakers:
            if speaker.consistency:
                for state, seconds in speaker.consistency.seconds_in.items():
                    self.seconds_in[state] += seconds


class Faults(logging.Handler):
    """Marks every house as failed for forbidden messages in the log."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        is_fault = record.exc_info or record.levelno >= logging.ERROR
        if is_fault and not any(each in text for each in EXPECTED):
            stack = "".join(traceback.format_exception(*record.exc_info or (None,) * 3))
            for trace in [*self._world.traces]:
                trace.blame(f"{record.name}: {text} {stack}")
            return
        for trace in [*self._world.traces]:
            if str(trace.number) in text:
                trace.note(f"log: {text}")


@contextmanager
def heeded(world: World) -> Iterator[None]:
    """Treat every fault in the log as a failure."""
    handler, root = Faults(world), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def open_in_sender() -> list[str]:
    """Return the resources of the sender process: its sockets, and threads of sources."""
    (pid,) = sender_pids()
    folder, found = Path(f"/proc/{pid}"), []
    with suppress(FileNotFoundError):
        found += [str(each.readlink()) for each in (folder / "fd").iterdir()]
        found += [(each / "comm").read_text() for each in (folder / "task").iterdir()]
    return sorted(each for each in found if each.startswith(("socket:", "airplay-")))


def numbers() -> range:
    """Return the numbers of the sequences, by which each can be repeated alone."""
    return range(FIRST, FIRST + SEQUENCES)


async def live_all(world: World) -> None:
    """Go through all sequences, in so many houses at a time."""
    began = time.monotonic()
    # All houses draw from the same numbers.
    waiting = iter([(each, draw_plan(each, STEPS)) for each in numbers()])

    async def live() -> None:
        for number, plan in waiting:
            await world.live(number, plan)

    await asyncio.gather(*(live() for _ in range(HOUSES)))
    seconds = {name: round(each) for name, each in world.seconds_in.items()}
    logging.getLogger(__name__).warning(
        "%d sequences from %d on, %d steps, %.0f s, %d faulty; seconds in %s; refused %s",
        SEQUENCES,
        FIRST,
        world.steps,
        time.monotonic() - began,
        len(world.faulty),
        seconds,
        dict(world.refusals),
    )


@pytest.mark.timeout(60 + 30 * SEQUENCES)
# Hypothesis warns so of its own generator.
@pytest.mark.filterwarnings("ignore:It looks like `register_random`")
async def test_state_is_true_after_any_order_of_commands_and_failures(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with (
        library(hass, tmp_path / "media") as media,
        VirtualReceiver("Hall", receiver_id="0A0B0C0D0E0F") as hall,
    ):
        # One speaker is always there, and with it the sender process.
        entry = entry_for(hall)
        player = await set_up(hass, entry)

        async def visit() -> None:
            await play(hass, player, media.id_of("song.wav"))
            await call(hass, player, "media_stop")

        await visit()
        held, files, tasks = open_in_sender(), open_files(), asyncio.all_tasks()
        world = World(hass, media)
        with heeded(world):
            await live_all(world)
            gc.collect()
        told = [str(trace) for trace in world.faulty[:MOST_TOLD]]
        assert not told, "\n\n".join([f"{len(world.faulty)} sequences fail", *told])
        await visit()
        await until(
            lambda: len(open_in_sender()) <= len(held), "sender", open_in_sender, 10
        )
        await until(lambda: len(open_files()) <= len(files), "files", open_files, 10)
        await until(
            lambda: len(asyncio.all_tasks()) <= len(tasks), "tasks", asyncio.all_tasks
        )
        await hass.config_entries.async_remove(entry.entry_id)
    assert sender_pids() == []
