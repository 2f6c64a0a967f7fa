"""Announcements for tests, and the sound that played."""

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from custom_components.airplay.raop.messages import (
    Addressee,
    Announce,
    AnnouncementStarted,
    Media,
    StreamChanged,
    Target,
)
from tests.virtual_receiver import VirtualReceiver

from .harness import STREAM, EngineHarness, member, play
from .stereo_marks import Samples, music, voice


def announce(
    path: Path, *targets: Target, announcement: str = "bell", **details: object
) -> Announce:
    """Return a command whose ramps and lead-in are short."""
    known: dict[str, object] = {"lead_in_ms": 200, "ramp_ms": 50}
    return Announce(
        announcement=announcement,
        targets=targets,
        clips=(Media(url=str(path), name=path.name),),
        **{**known, **details},  # type: ignore[arg-type]
    )


def addressee(of: VirtualReceiver, volume: float | None = None) -> Addressee:
    """Return a receiver as one that is to speak."""
    return Addressee(member=member(of, volume=30), volume=volume)


def target(
    *of: VirtualReceiver,
    stream: str = STREAM,
    volume: float | None = None,
    is_alone: bool = False,
) -> Target:
    """Return receivers of a stream, all to announce at one volume."""
    return Target(
        stream=stream,
        addressees=tuple(addressee(each, volume) for each in of),
        depth_ms=400,
        is_alone=is_alone,
    )


async def playing(
    harness: EngineHarness, path: Path, *on: VirtualReceiver, **more: Any
) -> None:
    """Play at a volume of 30 until the sound starts."""
    command = play(path, *(member(each, volume=30) for each in on), **more)
    assert (await harness.reply(harness.submit(command))).code is None


class Scene:
    """A song and a bell, and the speakers that play the one and announce the other."""

    def __init__(self, harness: EngineHarness, folder: Path) -> None:
        self.harness = harness
        self.folder = folder

    def song(self, seconds: float) -> Samples:
        """Make the song, and return its left side."""
        return music(self.folder / "song.wav", seconds)

    def bell(self, seconds: float) -> Samples:
        """Create the announcement, and return its right side."""
        return voice(self.folder / "bell.wav", seconds)

    async def play(self, *on: VirtualReceiver, **more: Any) -> None:
        """Play the song until its sound starts."""
        await playing(self.harness, self.folder / "song.wav", *on, **more)

    def order(self, *to: Target, **details: Any) -> Announce:
        """Return the command to announce it."""
        return announce(self.folder / "bell.wav", *to, **details)

    async def say(self, *to: Target, **details: Any) -> str | None:
        """Announce it to its end, and return the error's code."""
        return await self.harness.run(self.order(*to, **details))

    async def begin(self, *to: Target, **details: Any) -> int:
        """Announce it until it plays, and return the number of the command."""
        number = self.harness.submit(self.order(*to, **details))
        await self.harness.until(AnnouncementStarted)
        return number

    async def end(self, *of: VirtualReceiver) -> StreamChanged:
        """Wait until the song was played to its end, by these to the last frame."""
        ended = await self.harness.ended()
        for each in of:
            await each.drain()
        return ended


def volumes(of: VirtualReceiver) -> list[float]:
    """Return the volumes that it was set to, without repetitions."""
    levels = [round((each.volume_db + 30) / 0.3) for each in of.volumes]
    return [level for level, _ in groupby(levels)]


def voice_began_ns(of: VirtualReceiver) -> int:
    """Return the instant at which a voice started."""
    for packet in of.recording.packets:
        right = np.frombuffer(packet.sound, "<i2").reshape(-1, 2)[:, 1]
        if right.any():
            frame = int(np.flatnonzero(right)[0])
            return packet.play_ns + frame * 1_000_000_000 // 44_100
    raise AssertionError("nothing was said")
