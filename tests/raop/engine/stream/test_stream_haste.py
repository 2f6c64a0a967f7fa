"""Commands that come before the one before them is carried out."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.messages import Pause
from tests.virtual_receiver import VirtualReceiver

from ..harness import STREAM, EngineHarness, member, play, wav


async def test_a_pause_in_the_middle_of_a_pause_sends_flush(
    tmp_path: Path,
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Packets have stopped already: without FLUSH, what was sent would play on."""
    wav(tmp_path / "song.wav", 20)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None
    run, has_stopped, may_go_on = Pacer.run, asyncio.Event(), asyncio.Event()

    async def run_slowly(pacer: Pacer, job: Callable[[], object]) -> object:
        result = await run(pacer, job)
        has_stopped.set()
        await may_go_on.wait()
        return result

    monkeypatch.setattr(Pacer, "run", run_slowly)
    harness.submit(Pause(stream=STREAM))
    await has_stopped.wait()
    second = harness.submit(Pause(stream=STREAM))
    # It interrupts the first one in its own task.
    for _ in range(10):
        await asyncio.sleep(0)
    may_go_on.set()

    assert (await harness.reply(second)).code is None
    assert "FLUSH" in [each.method for each in kitchen.requests]
