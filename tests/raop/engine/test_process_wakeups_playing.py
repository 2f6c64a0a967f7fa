"""How often the sender process wakes up while it plays."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from benchmarks.wakeups import switches
from tests.program import RAOP
from tests.sender_fork_server import SenderForkServer
from tests.virtual_receiver import VirtualReceiver

from .harness import member, play, wav
from .sender_process import sender

# For one receiver, and for each further one; with room for a busy machine.
WAKEUPS, WAKEUPS_EACH, ROOM = 22, 2, 1.25
# Sync packets and questions for the time are frequent until then.
SETTLED_S = 2.5
SECONDS = 6


@pytest.mark.parametrize("count", [1, 4])
async def test_a_playing_sender_wakes_up_for_its_packets_only(
    fork_server: SenderForkServer, tmp_path: Path, count: int
) -> None:
    wav(tmp_path / "song.wav", 20)
    async with AsyncExitStack() as room:
        receivers = [
            await room.enter_async_context(
                VirtualReceiver(f"Virtual {each}", receiver_id=f"0A0B0C0D0E{each:02d}")
            )
            for each in range(count)
        ]
        with fork_server.preload(*RAOP):
            running = await room.enter_async_context(sender())
        members = [member(each) for each in receivers]
        command = play(tmp_path / "song.wav", *members, depth_ms=1000, lead_ms=1100)
        assert await running.run(command) is None
        await asyncio.sleep(SETTLED_S)

        before = switches([running.process.pid])
        await asyncio.sleep(SECONDS)
        wakeups = (switches([running.process.pid]) - before) / SECONDS

    assert wakeups <= ROOM * (WAKEUPS + (count - 1) * WAKEUPS_EACH)
    # It plays, indeed.
    assert wakeups > 10
