"""How often the sender process wakes up while nothing plays.

The counts do not depend on the machine. They have room of a quarter above the targets.
"""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path

import pytest

from benchmarks.wakeups import switches
from custom_components.airplay.raop.messages import Pause, Resume, Stop, StreamChanged
from tests.free_ports import port_range
from tests.program import RAOP
from tests.sender_fork_server import SenderForkServer
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts

from .harness import STREAM, member, play, wav
from .lanes.test_airplay2 import BUFFERED, REALTIME, by
from .sender_process import Sender, sender

_SECONDS = 5.0
_SETTLE_S = 1.0
# 0.2 and 4 a second are the targets.
_IDLE, _PAUSED = round(0.25 * _SECONDS), round(5 * _SECONDS)


@pytest.fixture
def ptp(monkeypatch: pytest.MonkeyPatch) -> PtpPorts:
    """Return the PTP ports of a receiver, and keep the sender's off the standard ones."""
    first = port_range(4).first
    sender_event, sender_general, event, general = range(first, first + 4)
    ours_and_theirs = (sender_event, sender_general, event, general)
    monkeypatch.setenv("AIRPLAY_TEST_PTP_PORTS", ",".join(map(str, ours_and_theirs)))
    return PtpPorts(event, general, sender_event, sender_general)


@pytest.fixture
async def running(
    ptp: PtpPorts, fork_server: SenderForkServer
) -> AsyncIterator[Sender]:
    """Return a sender process whose imports are done."""
    with fork_server.preload(*RAOP):
        async with sender() as running:
            yield running


async def wakeups(running: Sender) -> int:
    """Return how often the sender and what it has started wake up from soon on."""
    await asyncio.sleep(_SETTLE_S)
    pids = [running.process.pid]
    before = switches(pids)
    await asyncio.sleep(_SECONDS)
    return switches(pids) - before


async def test_voluntary_switches_of_all_threads_are_counted() -> None:
    before = switches([os.getpid()])
    for _ in range(5):
        await asyncio.to_thread(lambda: None)
        await asyncio.sleep(0.001)

    assert switches([os.getpid()]) - before >= 5


async def test_it_sleeps_while_nothing_is_connected(running: Sender) -> None:
    assert await wakeups(running) <= _IDLE


@pytest.mark.parametrize("lane", ["raop", REALTIME, BUFFERED])
async def test_it_hardly_wakes_up_while_paused_and_not_after_the_stop(
    running: Sender, ptp: PtpPorts, tmp_path: Path, lane: str
) -> None:
    wav(tmp_path / "song.wav", 30)
    is_raop = lane == "raop"
    kind = VirtualReceiver("Den") if is_raop else AirPlay2Receiver("Den", ptp=ptp)
    async with kind as den:
        known = by(den, lane) if isinstance(den, AirPlay2Receiver) else member(den)
        assert await running.run(play(tmp_path / "song.wav", known)) is None
        assert await running.run(Pause(stream=STREAM)) is None

        assert await wakeups(running) <= _PAUSED

        running.events.clear()
        assert await running.run(Resume(stream=STREAM)) is None
        await running.until(StreamChanged, lambda each: each.state == "playing")
        assert await running.run(Stop(stream=STREAM)) is None
        assert not den.violations

        assert await wakeups(running) <= _IDLE
