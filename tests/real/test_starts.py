"""How soon real receivers play after a command, and whether the first frame does.

The receiver was played to before, so its lead is known. Times are those at which its
output plays a frame, by the recorder's notes of the blocks that leave it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import os
from pathlib import Path
import time
import wave

import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.airplay.raop.messages import (
    Media,
    Member,
    Pause,
    Play,
    Reply,
    Resume,
    Started,
    Stop,
)
from tests.raop.engine.sender_process import Sender, sender

from .clicks import BUFFER_S
from .compare import Frames, read_pcm
from .conftest import StartShairport
from .shairport_lab import Shairport

RATE = 44_100
SONG_S = 40
ROUNDS = int(os.environ.get("AIRPLAY_STARTS", "6"))
SOON_S = 0.45
# So much of each start is compared with the song.
COMPARED = RATE // 4
STREAM = "real"
OPEN = {"am": "ShairportSync", "et": "0,1", "cn": "0,1", "tp": "UDP"}


@dataclass(frozen=True, slots=True)
class Start:
    """A command, and the recording's length at it."""

    kind: str
    at_s: float
    since: int
    line_s: float
    first_frame: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """When the first frame of a start played, and how much of it did not."""

    kind: str
    heard_ms: float
    line_ms: float
    missing: int


@dataclass(slots=True)
class Player:
    """A sender that plays one song on one receiver, and its commands."""

    process: Sender
    receiver: Shairport
    member: Member
    song: Path
    starts: list[Start] = field(default_factory=list)

    async def play(self, kind: str, second: int) -> None:
        """Play the song from a second on."""
        media = Media(url=str(self.song), name="song", position_ms=second * 1000)
        command = Play(stream=STREAM, members=(self.member,), media=media)
        await self._start(kind, command, second * RATE)

    async def resume(self) -> None:
        """Play on after a pause."""
        await self._start("resume", Resume(stream=STREAM), None)

    async def _start(
        self, kind: str, command: Play | Resume, first: int | None
    ) -> None:
        path = self.receiver.pcm_path
        since = path.stat().st_size // 4 if path.exists() else 0
        self.process.events.clear()
        at_s = time.monotonic()
        number = self.process.submit(command)
        started = await self.process.until(Started)
        line_s = started.at - time.time() + time.monotonic()
        self.starts.append(Start(kind, at_s, since, line_s, first))
        # What is compared, and until a spare decoder waits for the next command.
        await asyncio.sleep(line_s - time.monotonic() + 1.2)
        reply = await self.process.until(Reply, lambda each: each.id == number)
        assert reply.code is None, (kind, reply)


def write_noise(path: Path) -> Frames:
    """Write a song without two equal frames nearby, and return it."""
    random = np.random.default_rng(5)
    noise = random.integers(1, 1 << 32, SONG_S * RATE, np.uint32)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(noise.astype("<u4").tobytes())
    return noise


def outcomes(player: Player, song: Frames) -> list[Outcome]:
    """Find the first frame of each start in the recording."""
    recorded = read_pcm(player.receiver.pcm_path)
    lines = player.receiver.index_path.read_text().splitlines()
    rows = [line.split() for line in lines if line.count(" ") == 2]
    index = np.array(rows, np.int64)
    ends = [each.since for each in player.starts[1:]] + [len(recorded)]
    found = []
    for start, end in zip(player.starts, ends, strict=True):
        played = recorded[start.since : end]
        place, first = _first_frame(played, song, start.first_frame)
        heard_s = _instant_s(index, start.since + place)
        run = played[place : place + COMPARED]
        missing = COMPARED - int((run == song[first : first + len(run)]).sum())
        found.append(
            Outcome(
                start.kind,
                (heard_s + BUFFER_S - start.at_s) * 1000,
                (start.line_s - start.at_s) * 1000,
                missing,
            )
        )
    return found


def _instant_s(index: NDArray[np.int64], frame: int) -> float:
    """Return when a frame left the receiver by the earliest of the blocks after it.

    A block can be late, as all processes here wait for a processor, but never early.
    """
    places = index[:, 1] // 4
    after = index[(places >= frame) & (places < frame + COMPARED)]
    left_s = after[:, 0] / 1e9 - (after[:, 1] // 4 - frame) / RATE
    return float(left_s.min())


def _first_frame(played: Frames, song: Frames, wanted: int | None) -> tuple[int, int]:
    """Return where a start plays, and with which frame of the song.

    After a seek the old sound may leave the output for some milliseconds. A resume has
    no wanted frame: it plays the song from the one that played at the pause.
    """
    if wanted is not None:
        places = np.flatnonzero(played == song[wanted])
        assert len(places), "the first frame did not play"
        return int(places[0]), wanted
    place = int(np.flatnonzero(played)[0])
    return place, int(np.flatnonzero(song == played[place])[0])


def report(found: Sequence[Outcome], kind: str) -> dict[str, object]:
    """Sum up the starts of a kind."""
    of = [each for each in found if each.kind == kind]
    heard = sorted(each.heard_ms for each in of)
    return {
        "starts": len(of),
        "complete": sum(not each.missing for each in of),
        "soon": sum(each <= SOON_S * 1000 for each in heard),
        "median_ms": round(float(np.median(heard)), 1),
        "worst_ms": round(heard[-1], 1),
        "line_ms": round(float(np.median([each.line_ms for each in of])), 1),
    }


@pytest.mark.parametrize(
    ("mode", "lane"),
    [
        ("ap1", "raop"),
        ("ap1mid", "raop"),
        ("ap1old", "raop"),
        ("ap2", "airplay2-realtime"),
        ("ap2", "airplay2-buffered"),
    ],
)
async def test_starts_seeks_and_resumes_are_soon_and_complete(
    shairport: StartShairport,
    sender_namespace: None,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    mode: str,
    lane: str,
) -> None:
    receiver = shairport(mode, name="Den")
    await asyncio.sleep(1.2)
    song = write_noise(tmp_path / "song.wav")
    is_modern = mode == "ap2"
    member = Member(
        receiver=receiver.address,
        name="Den",
        host=receiver.host,
        port=receiver.port,
        txt={} if is_modern else OPEN,
        lane=lane,
        first_way=f"{lane} ntp none lead=400" if lane == "raop" else None,
    )
    async with sender() as process:
        player = Player(process, receiver, member, tmp_path / "song.wav")
        # The first round prepares what the others use, such as decoders.
        for number in range(ROUNDS + 1):
            second = 1 + 3 * (number % 12)
            await player.play("start", second)
            await player.play("seek", second + 1)
            await process.run(Pause(stream=STREAM))
            await asyncio.sleep(0.3)
            await player.resume()
            await process.run(Stop(stream=STREAM))
            await asyncio.sleep(0.1)

    found = outcomes(player, song)[3:]
    for kind in ("start", "seek", "resume"):
        told = report(found, kind)
        record_property(kind, told)
        assert told["complete"] == ROUNDS, told
        if not (is_modern and kind == "start"):
            # A cold clock of AirPlay 2 needs 0.85 s.
            assert float(str(told["median_ms"])) <= SOON_S * 1000, told
