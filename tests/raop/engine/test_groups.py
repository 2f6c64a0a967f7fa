"""One stream on several receivers: who begins, joins and leaves, and when."""

from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.messages import Join, Leave, MemberChanged
from tests.virtual_receiver import VirtualReceiver

from .stage import STREAM, Desk, member, play, receiver, wav

SONG_S = 4.0
ALIKE_NS = 50_000


async def speakers(desk: Desk, count: int, **details: object) -> list[VirtualReceiver]:
    """Start so many receivers."""
    return [
        await desk.add(
            receiver(f"Speaker {at}", receiver_id=f"0A0B0C0D0E{at:02}", **details)
        )
        for at in range(1, count + 1)
    ]


def join(of: VirtualReceiver, **details: object) -> Join:
    """Return a command by which a receiver joins."""
    return Join(stream=STREAM, member=member(of, **details))


def leave(of: VirtualReceiver) -> Leave:
    """Return a command by which a receiver leaves."""
    return Leave(stream=STREAM, receiver=of.receiver_id.lower())


def states(desk: Desk, of: VirtualReceiver) -> list[str]:
    """Return what was told of a receiver."""
    return [
        each.state
        for each in desk.told(MemberChanged)
        if each.receiver == of.receiver_id.lower()
    ]


def are_alike(one: VirtualReceiver, other: VirtualReceiver) -> bool:
    """Whether two receivers played what both have played at the same time."""
    first, second = one.play_times(), other.play_times()
    both = first.keys() & second.keys()
    apart = sorted(abs(first[rtptime] - second[rtptime]) for rtptime in both)
    return apart[len(apart) // 2] < ALIKE_NS


def heard_frames(of: VirtualReceiver) -> int:
    """Return how many frames of sound a receiver has played, without silence."""
    return sum(1 for at in range(0, len(of.pcm), 4) if of.pcm[at : at + 4] != b"\0" * 4)


def is_tail(of: VirtualReceiver, pcm: bytes) -> bool:
    """Whether a receiver has played the end of a song, and nothing else."""
    heard = of.pcm.strip(b"\0")
    return 0 < len(heard) < len(pcm) and pcm.endswith(heard)


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Return a file that is long enough to join and leave."""
    wav(tmp_path / "tune.wav", SONG_S)
    return tmp_path / "tune.wav"


async def test_who_joins_hears_the_running_music_in_time_and_the_others_lose_nothing(
    desk: Desk, tune: Path
) -> None:
    pcm = tune.read_bytes()[44:]
    first, second = await speakers(desk, 2)
    assert await desk.run(play(tune, member(first), depth_ms=1000)) is None
    begun = time.monotonic()

    assert await desk.run(join(second)) is None

    assert time.monotonic() - begun < 1.0
    assert second.first_frame_ns is not None
    assert states(desk, second) == ["connected", "started", "playing"]
    assert (await desk.ended()).reason == "finished"
    assert first.heard(pcm).is_complete
    assert is_tail(second, pcm)
    assert len(second.played) == 1
    assert are_alike(first, second)
    assert second.violations == []
    assert second.stats.missing == 0


async def test_who_leaves_is_free_and_the_others_lose_nothing(
    desk: Desk, tune: Path
) -> None:
    pcm = tune.read_bytes()[44:]
    group = await speakers(desk, 3)
    assert await desk.run(play(tune, *map(member, group))) is None

    assert await desk.run(leave(group[0])) is None

    assert not group[0].has_session
    assert states(desk, group[0])[-1] == "left"
    assert (await desk.ended()).reason == "finished"
    assert all(each.heard(pcm).is_complete for each in group[1:])
    assert are_alike(group[1], group[2])


async def test_the_last_one_that_leaves_ends_the_stream(desk: Desk, tune: Path) -> None:
    group = await speakers(desk, 2)
    assert await desk.run(play(tune, *map(member, group))) is None

    assert await desk.run(leave(group[0])) is None
    assert await desk.run(leave(group[1])) is None

    assert (await desk.ended()).reason == "stopped"
    assert not any(each.has_session for each in group)
