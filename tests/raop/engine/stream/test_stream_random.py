"""Commands and losses in any order: nothing fails, nothing stays behind."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import random

import pytest

from custom_components.airplay.raop.messages import (
    Command,
    Media,
    Pause,
    Queue,
    Resume,
    Stop,
)
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, wav
from tests.virtual_receiver import VirtualReceiver

PAUSES_S = (0, 0.01, 0.05, 0.3, 0.7)
COMMANDS = 40


@pytest.mark.parametrize("seed", [0, 4])
async def test_commands_in_any_order_never_fail_internally(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    songs = [tmp_path / f"{at}.wav" for at in range(4)]
    for at, song in enumerate(songs):
        wav(song, 0.2 + 0.25 * at, seed=at + 1)

    def start() -> Command:
        return play(chance.choice([*songs, tmp_path / "none.wav"]), member(kitchen))

    def follow() -> Command:
        media = Media(url=str(chance.choice(songs)), name="next", item="next")
        return Queue(stream=STREAM, media=media)

    def pause() -> Command:
        return Pause(stream=STREAM, keep_s=chance.choice([0.1, 600.0]))

    makers: list[Callable[[], Command]] = [start, start, follow, pause]
    makers.append(lambda: Resume(stream=STREAM, lead_ms=300))
    makers.append(lambda: Stop(stream=STREAM))
    numbers = []
    for _ in range(COMMANDS):
        if chance.random() < 0.05:
            kitchen.disconnect()
        numbers.append(harness.submit(chance.choice(makers)()))
        await asyncio.sleep(chance.choice(PAUSES_S))

    codes = {(await harness.reply(number, 20)).code for number in numbers}
    await harness.stop()

    assert "failed" not in codes
    assert harness.states()[-1] == "ended"
    assert await harness.run(play(songs[1], member(kitchen))) is None
