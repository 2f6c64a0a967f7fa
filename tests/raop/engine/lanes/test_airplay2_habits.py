"""Receivers of AirPlay 2 that write RTSP or property lists in their own way."""

from pathlib import Path
import plistlib

import pytest

from tests.raop.engine.harness import EngineHarness, play
from tests.virtual_receiver.network.habits import HABITS, LISTS, Rewrite, of_list

from .test_airplay2 import BUFFERED, LANES, REALTIME, by, finished, speaker

CASES = [
    *((lane, name, rewrite) for name, rewrite in LISTS.items() for lane in LANES),
    *((LANES[at % 2], *habit) for at, habit in enumerate(HABITS.items())),
]


@pytest.mark.parametrize(
    ("lane", "rewrite"),
    [(lane, rewrite) for lane, _, rewrite in CASES],
    ids=[f"{lane}-{name}" for lane, name, _ in CASES],
)
async def test_habits_of_receivers_cost_no_sound(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str, rewrite: Rewrite
) -> None:
    den = await speaker(harness, rewrite=rewrite)

    assert await harness.run(play(song, by(den, lane), lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert den.violations == []


def _without(key: str) -> Rewrite:
    """Leave a key out of the stream's answer."""

    def change(table: dict[str, object]) -> bytes:
        if isinstance(streams := table.get("streams"), list):
            table["streams"] = [
                {name: value for name, value in each.items() if name != key}
                for each in streams
            ]
        return plistlib.dumps(table, fmt=plistlib.FMT_BINARY)

    return of_list(change)


@pytest.mark.parametrize("key", ["controlPort", "dataPort"])
async def test_a_port_that_is_missing_is_named(
    harness: EngineHarness, song: Path, key: str
) -> None:
    den = await speaker(harness, rewrite=_without(key))

    reply = await harness.reply(
        harness.submit(play(song, by(den, REALTIME), lead_ms=None))
    )

    assert reply.code == "protocol"
    assert f"no {key}" in reply.text


async def test_a_buffered_stream_needs_no_control_port(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness, rewrite=_without("controlPort"))

    assert await harness.run(play(song, by(den, BUFFERED), lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
