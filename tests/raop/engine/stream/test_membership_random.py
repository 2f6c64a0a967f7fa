"""Receivers join and leave in any order: each member plays every sample.

AIRPLAY_GROUP_STEPS is the number of joins and leaves, 12 by default.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
import os
from pathlib import Path
import random
from statistics import median

import numpy as np
import pytest

from custom_components.airplay.raop.messages import Join, Leave, Reply
from tests.raop.engine.fakes import MS, PACKET_NS
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, receiver, wav
from tests.raop.engine.timing_errors import SessionLine, p99
from tests.virtual_receiver import PlayedPacket, VirtualReceiver, monotonic_ns
from tests.virtual_receiver.playback.recording import runs

STEPS = int(os.environ.get("AIRPLAY_GROUP_STEPS", "12"))
SPEAKERS = 5
PAUSES_S = (0.0, 0.02, 0.2, 0.5)
# One after the other, and sometimes all at once.
PATIENCE = 0.7
_STEP_S = 2.0
_HEARD_WITHIN_S = 1.0
_FRAME_BYTES = 4


@dataclass
class Stay:
    """A receiver that plays from one instant on and, after a leave, until another."""

    speaker: VirtualReceiver
    asked: int
    joined_ns: int | None = None
    left_ns: int | None = None


@dataclass
class House:
    """Speakers of which some play, and when each of them did."""

    harness: EngineHarness
    speakers: list[VirtualReceiver]
    stays: list[Stay] = field(default_factory=list)
    present: list[Stay] = field(default_factory=list)
    connected_ns: dict[str, list[int]] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def note(self, speaker: VirtualReceiver, what: str, number: int) -> None:
        """Record an action for the report of a failure."""
        self.story.append(f"{monotonic_ns() / 1e9:.3f} {speaker.name} {what} {number}")

    def of(self, speaker: VirtualReceiver, at_ns: int) -> str:
        """Return the actions on a receiver around an instant."""
        near = [
            line for line in self.story if abs(float(line.split()[0]) - at_ns / 1e9) < 5
        ]
        return "\n".join([f"{speaker.name} at {at_ns / 1e9:.3f}", *near])

    def watch(self) -> None:
        """Note when each receiver is connected to."""
        for speaker in self.speakers:
            times = self.connected_ns.setdefault(speaker.name, [])

            speaker.subscribe(partial(_note_record, times))

    def enter(self, speaker: VirtualReceiver, asked: int = 0) -> Stay:
        """Record that a receiver is a member from the answer on."""
        stay = Stay(speaker, asked)
        self.stays.append(stay)
        self.present.append(stay)
        return stay

    def join(self, chance: random.Random) -> int:
        """Let a receiver join that is no member."""
        there = [stay.speaker for stay in self.present]
        speaker = chance.choice([each for each in self.speakers if each not in there])
        number = self.harness.submit(Join(stream=STREAM, member=member(speaker)))
        self.note(speaker, "join", number)
        self.enter(speaker, number)
        return number

    def leave(self, stay: Stay) -> int:
        """Let a member leave."""
        self.present.remove(stay)
        stay.left_ns = monotonic_ns()
        receiver_id = stay.speaker.receiver_id.lower()
        number = self.harness.submit(Leave(stream=STREAM, receiver=receiver_id))
        self.note(stay.speaker, "leave", number)
        return number

    def step(self, chance: random.Random) -> int:
        """Let a receiver join or leave, or the first one leave; two stay."""
        can_join = len(self.present) < len(self.speakers)
        what = chance.choice(
            ("join", "leave", "lead") if can_join else ("leave", "lead")
        )
        if what == "join" or len(self.present) <= 2:
            return self.join(chance)
        return self.leave(
            self.present[0] if what == "lead" else chance.choice(self.present[1:])
        )

    async def answered(self, number: int) -> None:
        """Wait for an answer, and record when a receiver played."""
        reply = await self.harness.reply(number, 20)
        self.story.append(f"{monotonic_ns() / 1e9:.3f} answered {number} {reply.code}")
        for stay in self.stays:
            if stay.asked == number:
                stay.joined_ns = self._joined_ns(reply, stay)

    def _joined_ns(self, reply: Reply, stay: Stay) -> int | None:
        assert reply.code is None or stay.left_ns, reply
        return monotonic_ns() if reply.code is None else None


@pytest.mark.timeout(90 + 4 * STEPS)
@pytest.mark.parametrize("seed", [1, 2])
async def test_members_play_every_sample_while_others_join_and_leave(
    harness: EngineHarness,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(seed)
    pcm = wav(tmp_path / "song.wav", 8 + STEPS * _STEP_S, seed=seed)
    speakers = [
        await harness.add(
            receiver(
                f"Speaker {at}",
                receiver_id=f"0A0B0C0D0E{at:02}",
                clock_offset_ns=at * 1_000_000_007,
            )
        )
        for at in range(SPEAKERS)
    ]
    house = House(harness, speakers)
    house.watch()
    first = speakers[:2]
    command = play(tmp_path / "song.wav", *map(member, first), depth_ms=1000)
    assert await harness.run(command) is None
    for speaker in first:
        house.enter(speaker).joined_ns = monotonic_ns()

    answers: list[asyncio.Task[None]] = []
    for _ in range(STEPS):
        answers.append(asyncio.create_task(house.answered(house.step(chance))))
        if chance.random() < PATIENCE:
            await asyncio.gather(*answers)
        await asyncio.sleep(chance.choice(PAUSES_S))
    await asyncio.gather(*answers)
    await asyncio.sleep(0.2)
    end_ns = monotonic_ns()
    # The sound played so far counts, not the part that the end cuts off.
    for speaker in speakers:
        speaker.poll()
    assert harness.states()[-1] == "playing"
    line = SessionLine(house.present[0].speaker)
    begin = line.first_rtptime(await harness.started())
    await harness.stop()

    for stay in house.stays:
        check(house, stay, line, begin, pcm, end_ns)
    record_property("heard_after_s", sorted(house.waits_s))
    # One by one it depends on the other load of this machine.
    assert median(house.waits_s) < _HEARD_WITHIN_S


async def test_a_member_that_leaves_and_joins_at_once_plays_again(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 20)
    stays, returns = [
        await harness.add(receiver(f"Speaker {at}", receiver_id=f"0A0B0C0D0E{at:02}"))
        for at in range(2)
    ]
    name = returns.receiver_id.lower()
    command = play(tmp_path / "song.wav", member(stays), member(returns))
    assert await harness.run(command) is None
    before = returns.connections

    left = harness.submit(Leave(stream=STREAM, receiver=name))
    joined = harness.submit(Join(stream=STREAM, member=member(returns)))
    assert (await harness.reply(left)).code is None
    assert (await harness.reply(joined)).code is None

    assert returns.connections > before
    assert returns.has_session
    await returns.wait_playing()


def check(
    house: House, stay: Stay, line: SessionLine, begin: int, pcm: bytes, end_ns: int
) -> None:
    """Check that a member played each sample at its instant during its membership."""
    speaker, left_ns = stay.speaker, stay.left_ns or end_ns
    if stay.joined_ns is None or left_ns - stay.joined_ns < PACKET_NS:
        return  # It had to leave before it had played a whole packet.
    found = [
        run
        for run in runs(speaker.recording.packets)
        if run[0].play_ns <= stay.joined_ns and run[-1].play_ns >= stay.joined_ns
    ]
    assert len(found) == 1, house.of(speaker, stay.joined_ns)
    (heard,) = found
    assert _end_ns(heard[-1]) >= left_ns, house.of(speaker, _end_ns(heard[-1]))
    for before, packet in zip([None, *heard[:-1]], heard, strict=True):
        assert not packet.is_missing, house.of(speaker, packet.play_ns)
        if before:
            assert packet.rtptime == before.rtptime + before.frames & 0xFFFFFFFF
        assert packet.sound == _sound(pcm, packet, begin), speaker.name
    errors_ms = np.array([line.error_ns(packet) for packet in heard]) / MS
    assert p99(errors_ms) < 1, speaker.name
    if stay.asked:
        connected_ns = house.connected_ns[speaker.name]
        last_ns = max(at for at in connected_ns if at < heard[0].play_ns)
        house.waits_s.append((heard[0].play_ns - last_ns) / 1e9)


def _sound(pcm: bytes, packet: PlayedPacket, begin: int) -> bytes:
    """Return the expected sound of a packet: the song, and silence in front of it."""
    frame = (packet.rtptime - begin + (1 << 31)) % (1 << 32) - (1 << 31)
    silence = bytes(min(max(-frame, 0), packet.frames) * _FRAME_BYTES)
    start = max(frame, 0) * _FRAME_BYTES
    return silence + pcm[start : start + packet.frames * _FRAME_BYTES - len(silence)]


def _note_record(times: list[int], event: str, details: Mapping[str, object]) -> None:
    if event == "request" and details["method"] == "RECORD":
        times.append(monotonic_ns())


def _end_ns(packet: PlayedPacket) -> int:
    return packet.play_ns + packet.frames * 1_000_000_000 // packet.rate
