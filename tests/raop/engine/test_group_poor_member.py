"""One receiver with a bad clock, link or both: it stays in sync, the others untouched."""

from pathlib import Path

import pytest

from tests.virtual_receiver import Quirks, VirtualReceiver

from .session_line import SessionLine, p99
from .stage import Desk, member, play, receiver, wav

_SECONDS = 8
_LIMIT_MS = 1.0

# Delays both ways, each by itself, in queues that seldom fill: no receiver can tell
# the time better than by half of the shortest round trip that it has seen.
_JITTER = Quirks(jitter_s=0.05, jitters_timing=True, jitter_rarity=8)
# A buffer in front of audio alone may as well be full all the time.
_AUDIO_JITTER = Quirks(jitter_s=0.05)
_LOSS = Quirks(loss=0.05)
_ALL = Quirks(jitter_s=0.05, jitters_timing=True, jitter_rarity=8, loss=0.05)

POOR: dict[str, tuple[float, Quirks]] = {
    "fast": (100, Quirks()),
    "slow": (-100, Quirks()),
    "jitter": (0, _JITTER),
    "jitter of audio": (0, _AUDIO_JITTER),
    "loss": (0, _LOSS),
    "all of it, fast": (100, _ALL),
    "all of it, slow": (-100, _ALL),
}


@pytest.mark.parametrize("name", POOR)
async def test_a_poor_member_stays_in_sync_and_moves_nobody(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    drift_ppm, quirks = POOR[name]
    pcm = wav(tmp_path / "song.wav", _SECONDS)
    poor = await _add(desk, 1, clock_drift_ppm=drift_ppm, quirks=quirks)
    others = [await _add(desk, number) for number in (2, 3)]
    command = play(
        tmp_path / "song.wav",
        *(member(each) for each in (poor, *others)),
        depth_ms=1000,
        lead_ms=700,
    )

    assert await desk.run(command) is None
    await desk.ended()

    line = SessionLine(others[0])
    for each in (poor, *others):
        assert each.heard(pcm).is_complete, (each.name, each.stats)
        assert p99(line.errors_ms(each)) < _LIMIT_MS, each.name
    for each in others:
        assert (each.stats.missing, each.stats.resend_asked) == (0, 0)


async def _add(desk: Desk, number: int, **details: object) -> VirtualReceiver:
    of = receiver(
        f"Receiver {number}",
        receiver_id=f"0A0B0C0D0E{number:02}",
        clock_offset_ns=number * 3_000_000_007,
        **details,
    )
    return await desk.add(of)
