"""The volume is restored if the owner or the sender is killed while it is raised.

Set AIRPLAY_KILLS to try more than a few.
"""

import asyncio
import os
from pathlib import Path
from random import Random

from custom_components.airplay.raop.messages import (
    Addressee,
    Announce,
    Media,
    RestoreVolume,
    Started,
    Target,
)
from tests.raop.engine.harness import STREAM, member, play, receiver
from tests.raop.engine.sender_process import sender
from tests.raop.engine.stereo_marks import music, voice
from tests.virtual_receiver import VirtualReceiver

KILLS = int(os.environ.get("AIRPLAY_KILLS", "4"))
AT_ONCE = 4
USUAL, RAISED = 30, 60


def levels(of: VirtualReceiver) -> list[int]:
    return [round((each.volume_db + 30) / 0.3) for each in of.volumes]


def announce(path: Path, on: VirtualReceiver) -> Announce:
    addressee = Addressee(member=member(on, volume=USUAL), volume=RAISED)
    target = Target(stream=STREAM, addressees=(addressee,), depth_ms=400)
    clips = (Media(url=str(path), name=path.name),)
    return Announce(announcement="bell", targets=(target,), clips=clips)


async def kill_once(number: int, folder: Path) -> None:
    random = Random(number)
    is_owner, is_musical = random.choice([True, False]), random.choice([True, False])
    identity = f"0A0B0C0D{number >> 8:02X}{number & 0xFF:02X}"
    async with receiver(receiver_id=identity) as kitchen:
        async with sender() as running:
            if is_musical:
                running.submit(play(folder / "song.wav", member(kitchen, volume=USUAL)))
                await running.until(Started)
            running.submit(announce(folder / "voice.wav", kitchen))
            await kitchen.wait_until(lambda: RAISED in levels(kitchen), 15)
            await asyncio.sleep(random.uniform(0, 0.5))
            if is_owner:
                running.hang_up()
                await running.exit_code()
            else:
                running.process.kill()
        if not is_owner:
            await kitchen.wait_idle(10)
            async with sender() as another:
                command = RestoreVolume(
                    stream=STREAM, member=member(kitchen, volume=USUAL)
                )
                assert await another.run(command) is None
        await kitchen.wait_idle(10)
        assert levels(kitchen)[-1] == USUAL, (is_owner, is_musical)


async def test_volume_is_restored_if_owner_or_sender_is_killed(tmp_path: Path) -> None:
    music(tmp_path / "song.wav", 6)
    voice(tmp_path / "voice.wav", 4)
    left = iter(range(KILLS))

    async def work() -> None:
        for number in left:
            await kill_once(number, tmp_path)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, KILLS)):
            group.create_task(work())
