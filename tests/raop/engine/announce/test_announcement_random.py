"""Announcements in random situations: the voice whole, the music to the sample.

Set AIRPLAY_ANNOUNCEMENTS to try more than a few.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from custom_components.airplay.raop.messages import (
    Addressee,
    Announce,
    AnnouncementStarted,
    Media,
    Pause,
    Play,
    Resume,
    StreamChanged,
    Target,
)
from tests.raop.engine.harness import EngineHarness, member, play, receiver
from tests.raop.engine.stereo_marks import (
    Samples,
    heard_sides,
    is_said_whole,
    music,
    pieces,
    voice,
)
from tests.virtual_receiver import VirtualReceiver

COUNT = int(os.environ.get("AIRPLAY_ANNOUNCEMENTS", "16"))
AT_ONCE = 8
# As many belong to one test: the events of an engine are kept until its end.
PART = 50
SONG_S = 4.0
VOICE_S = 0.7
LEVEL = 30
# Around a change of the level: two ramps and the silence between them.
MUTED = round(0.75 * 44_100)


@dataclass
class Sounds:
    """The song and the voice."""

    song_file: Path
    song: Samples
    voice_file: Path
    voice: Samples


class Room:
    """One stream with one or two receivers, and the events on it."""

    def __init__(
        self, harness: EngineHarness, name: str, sounds: Sounds, random: Random
    ) -> None:
        self.harness = harness
        self.name = name
        self.sounds = sounds
        self.random = random
        self.receivers: list[VirtualReceiver] = []
        self._announced = 0

    async def furnish(self, number: int) -> None:
        """Put receivers into the room."""
        for each in range(2):
            receiver_id = f"0A0B0C0D{number:02X}{each:02X}"
            added = receiver(f"{self.name} {each}", receiver_id=receiver_id)
            self.receivers.append(await self.harness.add(added))

    def clear(self) -> None:
        """Forget everything that was played."""
        for each in self.receivers:
            each.clear()

    def play(self, *on: VirtualReceiver, position_ms: int = 0) -> Play:
        """Return the command to play the song."""
        path = self.sounds.song_file
        media = Media(url=str(path), name=path.name, position_ms=position_ms)
        members = (member(each, volume=LEVEL) for each in on)
        return play(path, *members, stream=self.name, media=media)

    def announce(self, *on: VirtualReceiver, **details: object) -> Announce:
        """Return the command to announce, with or without its own volume."""
        self._announced += 1
        path = self.sounds.voice_file
        level = self.random.choice([None, None, 55.0, 20.0])
        target = Target(
            stream=self.name,
            addressees=tuple(
                Addressee(member=member(each, volume=LEVEL), volume=level)
                for each in on
            ),
            depth_ms=400,
        )
        return Announce(
            announcement=f"{self.name} {self._announced}",
            targets=(target,),
            clips=(Media(url=str(path), name=path.name),),
            lead_in_ms=self.random.choice([0, 200, 500]),
            ramp_ms=self.random.choice([0, 50, 200]),
            **details,  # type: ignore[arg-type]
        )

    async def speak(self, *on: VirtualReceiver, **details: object) -> None:
        """Announce, and wait until the voice has played."""
        assert await self.harness.run(self.announce(*on, **details)) is None

    async def begun(self, command: Announce) -> int:
        """Announce, and wait until the voice plays."""
        number = self.harness.submit(command)
        name = command.announcement
        await self.harness.until(
            AnnouncementStarted, lambda each: each.announcement == name
        )
        return number

    async def ended(self, since: int) -> None:
        """Wait until the stream has ended."""
        await self.harness.until(
            StreamChanged,
            lambda each: (
                each.stream == self.name
                and each.state == "ended"
                and self.harness.events.index(each) >= since
            ),
            20,
        )

    async def drain(self) -> None:
        """Wait until everything was played and the sessions are closed."""
        for each in self.receivers:
            await each.wait_idle(10)
            await each.drain()

    async def moment(self) -> None:
        """Let a little time pass, no matter how much."""
        await asyncio.sleep(self.random.uniform(0, 0.6))


async def idle(room: Room) -> None:
    await room.speak(room.receivers[0])


async def idle_twice_at_once(room: Room) -> None:
    on = room.receivers[0]
    await asyncio.gather(room.speak(on), room.speak(on))


async def playing(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    await room.moment()
    await room.speak(room.receivers[0])


async def waiting(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    await room.moment()
    await room.speak(room.receivers[0], pauses_music=True)


async def grouped(room: Room) -> None:
    await room.harness.run(room.play(*room.receivers))
    await room.moment()
    await room.speak(*room.receivers)


async def one_of_a_group(room: Room) -> None:
    await room.harness.run(room.play(*room.receivers))
    await room.moment()
    await room.speak(room.receivers[0])


async def twice_at_once(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    await room.moment()
    await asyncio.gather(room.speak(room.receivers[0]), room.speak(room.receivers[0]))


async def while_connecting(room: Room) -> None:
    number = room.harness.submit(room.play(room.receivers[0]))
    await asyncio.sleep(room.random.uniform(0, 0.1))
    await room.speak(room.receivers[0])
    assert (await room.harness.reply(number)).code is None


async def at_the_end_of_a_song(room: Room) -> None:
    start_ms = round(SONG_S * 1000) - room.random.randrange(300, 900)
    await room.harness.run(room.play(room.receivers[0], position_ms=start_ms))
    await room.moment()
    await room.speak(room.receivers[0])


async def paused(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    await room.moment()
    await room.harness.run(Pause(stream=room.name))
    await room.speak(room.receivers[0])
    await room.harness.run(Resume(stream=room.name))


async def paused_under_it(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    number = await room.begun(room.announce(room.receivers[0]))
    await room.moment()
    await room.harness.run(Pause(stream=room.name))
    assert (await room.harness.reply(number)).code is None
    await room.harness.run(Resume(stream=room.name))


async def resumed_under_it(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    await room.harness.run(Pause(stream=room.name))
    number = await room.begun(room.announce(room.receivers[0]))
    await room.moment()
    await room.harness.run(Resume(stream=room.name))
    assert (await room.harness.reply(number)).code is None


async def seek_under_it(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    number = await room.begun(room.announce(room.receivers[0]))
    await room.moment()
    await room.harness.run(room.play(room.receivers[0], position_ms=2000))
    assert (await room.harness.reply(number)).code is None


async def during_a_seek(room: Room) -> None:
    await room.harness.run(room.play(room.receivers[0]))
    number = room.harness.submit(room.play(room.receivers[0], position_ms=1500))
    await asyncio.sleep(room.random.uniform(0, 0.05))
    await room.speak(room.receivers[0])
    await room.harness.reply(number)


async def music_begins_under_it(room: Room) -> None:
    number = await room.begun(room.announce(room.receivers[0]))
    await room.harness.run(room.play(room.receivers[0]))
    assert (await room.harness.reply(number)).code is None


# The event, how many announcements play, and how the song plays: from its beginning,
# from its beginning with one pause, from a later position, with a leap to its end, or
# not at all.
SITUATIONS: list[tuple[Callable[[Room], Awaitable[None]], int, str]] = [
    (idle, 1, "nothing"),
    (idle_twice_at_once, 2, "nothing"),
    (playing, 1, "whole"),
    (waiting, 1, "in parts"),
    (grouped, 1, "whole"),
    (one_of_a_group, 1, "whole"),
    (twice_at_once, 2, "whole"),
    (while_connecting, 1, "whole"),
    (at_the_end_of_a_song, 1, "the rest"),
    (paused, 1, "in parts"),
    (paused_under_it, 1, "in parts"),
    (resumed_under_it, 1, "in parts"),
    (seek_under_it, 1, "its end"),
    (during_a_seek, 1, "its end"),
    (music_begins_under_it, 1, "whole"),
]


async def one(room: Room) -> None:
    situation, times, song = room.random.choice(SITUATIONS)
    room.clear()
    since = len(room.harness.events)
    await situation(room)
    if song != "nothing":
        await room.ended(since)
    await room.drain()
    try:
        # Beside the loop, on which the others play.
        speaking = room.receivers[: 2 if situation is grouped else 1]
        await asyncio.to_thread(look_at, speaking, room.sounds, times, song)
        if situation is one_of_a_group:
            await asyncio.to_thread(look_at_other, room.receivers[1], room.sounds)
    except AssertionError as err:
        raise AssertionError(f"{situation.__name__}: {err}") from err


def look_at_other(of: VirtualReceiver, sounds: Sounds) -> None:
    left, right = heard_sides(of.recording.packets)
    assert not right.any(), "a voice where nobody speaks"
    first = int(np.flatnonzero(left)[0])
    heard = left[first : first + len(sounds.song)]
    assert len(heard) == len(sounds.song), "the other's song"
    assert (heard == sounds.song).all(), "the other's song"


def look_at(
    speaking: Iterable[VirtualReceiver], sounds: Sounds, times: int, song: str
) -> None:
    for each in speaking:
        right = heard_sides(each.recording.packets)[1]
        said = np.concatenate([sounds.voice] * times)
        assert len(np.flatnonzero(right)) == len(said), "samples of the voice"
        assert (right[right != 0] == said).all(), "the voice"
        assert times > 1 or is_said_whole(each, sounds.voice), "gaps in the voice"
        look_at_song(each, sounds.song, song)
        assert not each.violations
        level = round((each.volumes[-1].volume_db + 30) / 0.3)
        assert level == LEVEL, f"level {level}"


def look_at_song(of: VirtualReceiver, song: Samples, how: str) -> None:
    """Compare the played part of a song; silence around a volume change may hide some."""
    if how == "its end":
        left = heard_sides(of.recording.packets)[0]
        last = int(np.flatnonzero(left)[-1]) + 1
        factors = left[last - 8820 : last] / song[-8820:]
        assert (factors > -0.001).all(), "the song's end"
    if how in ("nothing", "its end"):
        return
    found = pieces(of, song)
    # It may come to its end while it is muted.
    assert len(song) - found[-1].stop <= MUTED, "the song's end"
    assert how == "the rest" or found[0].start == 0, "the song's beginning"
    if how == "whole":
        for before, after in pairwise(found):
            silence = after.place - before.place - len(before.gains)
            assert after.start - before.stop == silence, "the song stood still"


@pytest.mark.parametrize("first", range(0, COUNT, PART))
async def test_voice_is_whole_and_music_continues_in_any_situation(
    harness: EngineHarness, tmp_path: Path, first: int
) -> None:
    count = min(PART, COUNT - first)
    sounds = Sounds(
        song_file=tmp_path / "song.wav",
        song=music(tmp_path / "song.wav", SONG_S),
        voice_file=tmp_path / "voice.wav",
        voice=voice(tmp_path / "voice.wav", VOICE_S),
    )
    rooms = [
        Room(harness, f"room {number}", sounds, Random(first + number))
        for number in range(min(AT_ONCE, count))
    ]
    left = iter(range(count))

    async def use(number: int, room: Room) -> None:
        await room.furnish(number)
        for _ in left:
            await one(room)

    async with asyncio.TaskGroup() as group:
        for number, room in enumerate(rooms):
            group.create_task(use(number, room))
