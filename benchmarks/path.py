"""The program parts that a play command crosses: `python -m benchmarks.path MUSIC`."""

import asyncio
from asyncio.subprocess import PIPE
import json
from pathlib import Path
import sys

from tests.virtual_receiver.receiver import VirtualReceiver

from .core import ROOT
from .crossing import (
    CALLS_TO_PIPE,
    MODULES_TO_DATAGRAM,
    MODULES_TO_PIPE,
    Crossing,
    cross_to_datagram,
    cross_to_pipe,
)
from .figures import Benchmark, Figure, Lab

type Counts = dict[str, int]

_WAYS: dict[str, dict[str, int]] = {
    "action to command on the pipe": {
        "modules": MODULES_TO_PIPE,
        "function calls": CALLS_TO_PIPE,
        "states written before": 0,
    },
    "command to first datagram": {"modules": MODULES_TO_DATAGRAM},
}


async def _run(lab: Lab) -> list[Figure]:
    command = (sys.executable, "-m", "benchmarks.path", str(lab.music))
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=ROOT)
    told, _ = await process.communicate()
    counts: list[Counts] = json.loads(told.splitlines()[-1])
    return [
        Figure(
            what=f"{way}: {what}", value=count[what], unit="", target=limits.get(what)
        )
        for count, (way, limits) in zip(counts, _WAYS.items(), strict=True)
        for what in count
    ]


def _counts(crossing: Crossing) -> Counts:
    return {
        "modules": len(crossing.modules),
        "function calls": len(crossing.calls),
        "different functions": len(crossing.functions),
    }


async def _to_datagram(music: Path) -> Counts:
    async with VirtualReceiver("Benchmark", host="127.0.0.1") as receiver:
        crossing = await cross_to_datagram(receiver.port, receiver.txt, music)
    return _counts(crossing)


async def _to_pipe(music: Path) -> Counts:
    """Cross a Home Assistant of the tests, with its own sender process."""
    from pytest_homeassistant_custom_component.common import async_test_home_assistant

    from homeassistant import loader
    from tests.ha.players import call, entry_for, play, set_up

    async with (
        async_test_home_assistant() as hass,
        VirtualReceiver("Warm", receiver_id="0A0B0C0D0E01") as warm,
        VirtualReceiver("Cold", receiver_id="0A0B0C0D0E02") as cold,
    ):
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        hass.config.media_dirs["local"] = str(music.parent)
        media = f"media-source://media_source/local/{music.name}"
        try:
            warmed, player = [
                await set_up(hass, entry_for(each)) for each in (warm, cold)
            ]
            # Both share the sender process, which is ready from here on.
            await play(hass, warmed, media)
            await call(hass, warmed, "media_stop")
            crossing = await cross_to_pipe(hass, player, media)
            await call(hass, player, "media_stop")
        finally:
            await hass.async_stop(force=True)
    return _counts(crossing) | {"states written before": len(crossing.states)}


async def _main(music: Path) -> None:
    from pytest_homeassistant_custom_component.common import mock_storage

    from tests.ha.network import quiet_network

    to_datagram = await _to_datagram(music)
    with quiet_network(), mock_storage():
        to_pipe = await _to_pipe(music)
    print(json.dumps([to_pipe, to_datagram]))


BENCHMARK = Benchmark(
    name="path",
    title="The path of a play command",
    how=(
        "The part of the program that a play command crosses, counted by "
        "`sys.monitoring`: in Home Assistant from the entry of the player "
        "(`async_play_media`) until the command is written to the sender process, in "
        "that process's engine from the command (`Engine.run`) to the first datagram of "
        "audio. A module counts if one of its functions is entered, a function at every "
        "entry; lambdas and generator expressions belong to the function around them. "
        "States are those of entities that are written before the command, changed or "
        "not."
    ),
    run=_run,
)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
