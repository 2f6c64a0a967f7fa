"""The lead of starts, as it is learned from one to the next: by the sound that plays."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.stream import output, progress
from custom_components.airplay.raop.engine.stream.sound_proof import SoundProof
from custom_components.airplay.raop.messages import (
    Media,
    Member,
    MemberChanged,
    Pause,
    Play,
    Resume,
    Started,
    Stop,
)
from custom_components.airplay.raop.session import lead
from tests.raop.engine.harness import (
    STREAM,
    EngineHarness,
    heard_at,
    member,
    play,
    read_wav,
    receiver,
    until,
)
from tests.virtual_receiver import Quirks, VirtualReceiver

SONG_S = 8
RATE = 44_100
FRAME_BYTES = 4
SHORT = "raop ntp none lead=400"


@pytest.fixture(autouse=True)
def quick_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge a start soon after its first frame, and be patient before it."""
    monkeypatch.setattr(output, "_FIRST_REQUEST_NS", 1_000_000_000)
    monkeypatch.setattr(lead, "_JUDGED_NS", 50_000_000)
    monkeypatch.setattr(progress, "_REPORT_NS", 100_000_000)


def song(tune: Path, *members: Member, position_ms: int = 0) -> Play:
    """Return a command that plays a song from a position on, as soon as possible."""
    command = play(tune, *members, lead_ms=None, depth_ms=1000)
    media = Media(url=str(tune), name=tune.name, position_ms=position_ms)
    return replace(command, media=media)


@pytest.fixture
def leads_ms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the leads of all starts, exactly: a busy machine moves the commands."""
    found: list[int] = []
    watch = SoundProof.watch_starts

    def watch_starts(proof: SoundProof, heard_ns: int, lead_ms: int) -> None:
        found.append(lead_ms)
        watch(proof, heard_ns, lead_ms)

    monkeypatch.setattr(SoundProof, "watch_starts", watch_starts)
    return found


def ways(harness: EngineHarness) -> Sequence[str]:
    """Return all ways that receivers have been reported to play by."""
    return [each.way for each in harness.events_of(MemberChanged) if each.way]


async def learned(harness: EngineHarness, detail: str) -> None:
    """Wait until a way with a detail has been reported."""
    await harness.until(MemberChanged, lambda each: detail in f"{each.way} ")


def rest(tune: Path, position_ms: int, seconds: float = 0.4) -> bytes:
    """Return the first sound after a position of the song."""
    start = position_ms * RATE // 1000 * FRAME_BYTES
    return read_wav(tune)[start : start + round(seconds * RATE) * FRAME_BYTES]


async def test_each_start_without_a_loss_makes_the_next_one_sooner(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tune: Path,
    leads_ms: list[int],
) -> None:
    den = member(kitchen)

    assert await harness.run(song(tune, den)) is None
    await learned(harness, "lead=600 ")
    assert await harness.run(song(tune, den, position_ms=1000)) is None
    await learned(harness, "lead=500 ")
    await harness.run(Pause(stream=STREAM))
    assert await harness.run(Resume(stream=STREAM)) is None
    await learned(harness, "lead=400 ")
    await harness.run(Stop(stream=STREAM))
    # A new session of a receiver that was played to before.
    assert await harness.run(song(tune, den, position_ms=2000)) is None
    await kitchen.drain()

    assert leads_ms == [700, 600, 500, 400]


async def test_what_was_learned_before_counts_from_the_first_start_on(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tune: Path,
    leads_ms: list[int],
) -> None:
    den = member(kitchen, first_way=SHORT)

    assert await harness.run(song(tune, den)) is None
    assert await harness.run(song(tune, den, position_ms=3000)) is None
    sound = rest(tune, 3000)
    await until(
        lambda: kitchen.heard(sound).is_complete, "sound", lambda: kitchen.heard(sound)
    )

    assert leads_ms == [400, 400]
    at = harness.events_of(Started)[-1].at
    assert heard_at(kitchen, sound) == pytest.approx(at, abs=0.01)
    least_ns = kitchen.stats.min_lead_ns
    # 209 ms are left for the first silent packet, less what a busy machine needs.
    assert least_ns is not None
    assert least_ns > 100_000_000
    # Nothing new was learned.
    assert set(ways(harness)) == {SHORT}


async def test_the_first_frame_waits_for_the_time(
    harness: EngineHarness,
    tune: Path,
    leads_ms: list[int],
) -> None:
    late = await harness.add(receiver("Late", quirks=Quirks(asks_time_after_s=0.1)))
    never = await harness.add(
        receiver("Slow", receiver_id="0A0B0C0D0E03", quirks=Quirks(asks_time_after_s=3))
    )

    assert await harness.run(song(tune, member(late, first_way=SHORT))) is None
    usual = song(tune, member(never, first_way=SHORT))
    assert await harness.run(replace(usual, stream="slow")) is None

    assert leads_ms == [400, 700]


async def test_a_loss_at_a_start_makes_the_next_ones_later(
    harness: EngineHarness,
    tune: Path,
    leads_ms: list[int],
) -> None:
    poor = await harness.add(receiver("Poor", quirks=Quirks(loss=0.1)))
    den = member(poor, first_way=SHORT)

    assert await harness.run(song(tune, den)) is None
    await learned(harness, "lead=600 calm=20 ")
    # While the link is lossy, even longer.
    assert await harness.run(song(tune, den, position_ms=1000)) is None

    assert leads_ms == [400, 700]


async def test_a_start_that_is_cut_short_shows_nothing(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tune: Path,
    monkeypatch: pytest.MonkeyPatch,
    leads_ms: list[int],
) -> None:
    monkeypatch.setattr(lead, "_JUDGED_NS", 10_000_000_000)
    den = member(kitchen)

    for second in range(3):
        command = song(tune, den, position_ms=1000 * second)
        assert await harness.run(command) is None

    assert leads_ms == [700, 700, 700]
    assert not any("lead=" in each for each in ways(harness))


@pytest.mark.parametrize("other", [None, SHORT])
async def test_a_group_starts_when_all_of_it_can(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tune: Path,
    other: str | None,
    leads_ms: list[int],
) -> None:
    bath = await harness.add(receiver("Bath", receiver_id="0A0B0C0D0E02"))
    members = member(kitchen, first_way=SHORT), member(bath, first_way=other)

    assert await harness.run(song(tune, *members)) is None

    assert leads_ms == [500 if other else 700]


async def test_a_receiver_of_an_unknown_kind_keeps_the_usual_lead(
    harness: EngineHarness,
    tune: Path,
    leads_ms: list[int],
) -> None:
    unknown = await harness.add(receiver("Unknown", txt={"am": "Radio"}))

    assert await harness.run(song(tune, member(unknown, first_way=SHORT))) is None

    assert leads_ms == [700]


async def test_a_lead_that_was_ordered_teaches_nothing(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tune: Path,
    leads_ms: list[int],
) -> None:
    command = replace(song(tune, member(kitchen)), lead_ms=900)

    assert await harness.run(command) is None
    await kitchen.wait_frames(RATE)

    assert leads_ms == [900]
    assert ways(harness)
    assert not any("lead=" in each for each in ways(harness))
