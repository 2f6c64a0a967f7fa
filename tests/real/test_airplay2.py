"""AirPlay 2 on real receivers that follow our clock: the played sound, and its delay."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
import time

import numpy as np
import pytest

from custom_components.airplay.raop.engine.engine import Engine
from custom_components.airplay.raop.messages import (
    Event,
    Identity,
    Media,
    Member,
    Pause,
    Play,
    Resume,
    StreamChanged,
)

from .command_line import raop
from .compare import Comparison, compare, read_pcm, read_wav
from .conftest import StartShairport
from .shairport_lab import Lab, Shairport
from .songs import song_fixture

REALTIME, BUFFERED = "airplay2-realtime", "airplay2-buffered"
LANES = [REALTIME, BUFFERED]
STREAM = "real"
RATE = 44_100
SECONDS = 12
SEEK_S = 6
# The receiver outputs a block so long before it plays.
BACKEND_NS = 200_000_000
MS = 1_000_000
# shairport-sync can die of a SETUP within the first second of its life, before it has
# published its record (measured); nothing shows when that is over.
SETTLED_S = 1.2


song = song_fixture(SECONDS)


@pytest.fixture
def start(shairport: StartShairport) -> StartShairport:
    """Start receivers that accept a SETUP from the beginning."""

    def settled(*modes: str, **options: object) -> Shairport:
        receiver = shairport(*modes, **options)
        time.sleep(SETTLED_S)
        return receiver

    return settled


class Commander:
    """An engine on the sender's side, and its events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.engine = Engine(Identity(dacp_id="A1B2C3D4E5F60718"), self._take)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def finished(self) -> None:
        """Wait until everything was played."""
        async with asyncio.timeout(SECONDS + 10):
            while not any(
                isinstance(event, StreamChanged) and event.reason == "finished"
                for event in self.events
            ):
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def commander(sender_namespace: None) -> AsyncIterator[Commander]:
    """Return an engine that ends with the test."""
    commander = Commander()
    commander.engine.start()
    yield commander
    await commander.engine.close()


def member(of: Shairport, lane: str) -> Member:
    """Return a receiver as a member that is played to on a lane."""
    return Member(
        receiver=of.address, name=of.name, host=of.host, port=of.port, lane=lane
    )


def play(song: Path, members: Sequence[Member], position_ms: int = 0) -> Play:
    """Return a command whose start is as soon as the receivers allow."""
    media = Media(url=str(song), name=song.name, position_ms=position_ms)
    return Play(stream=STREAM, members=tuple(members), media=media)


def heard(
    receiver: Shairport, song: Path, since: int = 0, start: int = 0
) -> Comparison:
    """Compare the recording from a place on with the song."""
    played = read_pcm(receiver.pcm_path)[since:]
    return compare(read_wav(song)[start:], played)


def place(receiver: Shairport, song: Path, frame: int, since: int) -> int | None:
    """Return the place in a recording at which a frame of the song played."""
    wanted = read_wav(song)[frame : frame + 64]
    played = read_pcm(receiver.pcm_path)[since:]
    found = np.flatnonzero(played == wanted[0])
    for each in found:
        if np.array_equal(played[each : each + len(wanted)], wanted):
            return since + int(each)
    return None


def heard_ns(receiver: Shairport, place: int) -> int:
    """Return the CLOCK_MONOTONIC at which a place of a recording was played."""
    for line in receiver.index_path.read_text().splitlines():
        at_ns, before, size = map(int, line.split())
        if before <= place * 4 < before + size:
            return at_ns + BACKEND_NS
    pytest.fail("that was not recorded")


async def time_of(receiver: Shairport, song: Path, frame: int, since: int) -> int:
    """Wait until a frame of the song was played; return when it was played."""
    async with asyncio.timeout(5):
        while (found := place(receiver, song, frame, since)) is None:
            await asyncio.sleep(0.1)
    return heard_ns(receiver, found)


def frames(receiver: Shairport) -> int:
    """Return how much a receiver has played until now."""
    path = receiver.pcm_path
    return path.stat().st_size // 4 if path.exists() else 0


def standstill_ns(receiver: Shairport, end: int) -> int:
    """Return the longest time without a block, of those before a frame.

    The first half second is omitted: it is output at once.
    """
    rows = [line.split() for line in receiver.index_path.read_text().splitlines()]
    blocks = [int(at) for at, place, _ in rows if RATE * 2 < int(place) < end * 4]
    return int(np.diff(blocks).max(initial=0))


@pytest.mark.parametrize("lane", LANES)
def test_every_frame_arrives_with_and_without_password_and_loss(
    lab: Lab, start: StartShairport, song: Path, lane: str
) -> None:
    receivers = [
        start("ap2", name="Open"),
        start("ap2", name="Closed", password="1234"),
        start("ap2", name="Far"),
    ]
    if lane == REALTIME:
        receivers[2].set_loss(5)
    where = [word for each in receivers for word in ("--receiver", each.address)]

    done = raop(lab, "play", song, *where, "--lane", lane, "--password", "1234")

    assert done.returncode == 0, done.stderr
    for each in receivers:
        found = heard(each, song)
        assert found.is_exact, (each.name, found)
        assert found.frames_equal == SECONDS * RATE


def test_a_wrong_password_and_a_missing_one_are_reported(
    lab: Lab, start: StartShairport, song: Path
) -> None:
    receiver = start("ap2", name="Closed", password="1234")
    play_it = ("play", song, "--receiver", receiver.address, "--lane", REALTIME)

    wrong = raop(lab, *play_it, "--password", "guess")
    missing = raop(lab, *play_it)

    assert (wrong.returncode, missing.returncode) == (4, 4)
    assert wrong.stderr.splitlines()[-1] == "the receiver refused the password"
    assert missing.stderr.splitlines()[-1] == "the receiver requires a password"
    assert not frames(receiver)


@pytest.mark.parametrize("lane", LANES)
async def test_start_pause_resume_and_seek_are_soon_and_lose_nothing(
    commander: Commander,
    start: StartShairport,
    song: Path,
    lane: str,
    record_property: Callable[[str, object], None],
) -> None:
    receiver = start("ap2", name="Den")
    members = [member(receiver, lane)]
    run = commander.engine.run

    asked_ns = time.monotonic_ns()
    await run(play(song, members))
    cold_ns = await time_of(receiver, song, 0, 0) - asked_ns
    await asyncio.sleep(1)

    asked_ns = time.monotonic_ns()
    await run(Pause(stream=STREAM))
    await asyncio.sleep(0.7)
    before = frames(receiver)
    paused_ns = heard_ns(receiver, before - 1) - asked_ns
    played = heard(receiver, song)
    assert played.first_offset == 0
    assert played.frames_equal == played.frames_compared > RATE, played

    asked_ns = time.monotonic_ns()
    await run(Resume(stream=STREAM))
    await asyncio.sleep(1)
    resumed = heard(receiver, song, before)
    # A pause longer than the receiver's buffer loses the sound that was due.
    stood_ms = standstill_ns(receiver, before) // MS
    twice = played.frames_equal - resumed.first_offset
    assert 0 <= twice < RATE // 2, f"the receiver stood still for {stood_ms} ms"
    assert resumed.frames_equal == resumed.frames_compared > RATE // 2, resumed
    again = resumed.first_offset
    warm_ns = await time_of(receiver, song, again, before) - asked_ns

    since, asked_ns = frames(receiver), time.monotonic_ns()
    await run(play(song, members, SEEK_S * 1000))
    sought_ns = await time_of(receiver, song, SEEK_S * RATE, since) - asked_ns
    await commander.finished()
    sought = heard(receiver, song, since, SEEK_S * RATE)
    assert sought.missing == 0, sought
    assert sought.frames_equal == (SECONDS - SEEK_S) * RATE

    for name, took_ns in (
        ("cold", cold_ns),
        ("paused", paused_ns),
        ("warm", warm_ns),
        ("sought", sought_ns),
    ):
        record_property(f"{name}_ms", took_ns // MS)
    assert cold_ns < 1300 * MS
    assert paused_ns < 300 * MS
    assert warm_ns < 500 * MS
    assert sought_ns < 600 * MS


async def test_a_mixed_group_is_one(
    commander: Commander, start: StartShairport, song: Path
) -> None:
    lanes = {"ap1": "raop", "ap2": REALTIME}
    receivers = [start(mode, name=mode) for mode in ("ap1", "ap2", "ap2")]
    members = [
        member(each, lane)
        for each, lane in zip(receivers, [*lanes.values(), BUFFERED], strict=True)
    ]

    await commander.engine.run(play(song, members))
    await commander.finished()

    assert all(heard(each, song).is_exact for each in receivers)
    middle = SECONDS * RATE // 2
    instants = []
    for each in receivers:
        found = place(each, song, middle, 0)
        assert found is not None
        instants.append(heard_ns(each, found))
    # Whole blocks are recorded at once, of up to 16 ms; their clocks are compared apart.
    assert max(instants) - min(instants) < 40 * MS
