"""Receivers with a bad clock, link or both stay in sync, and the others untouched."""

from pathlib import Path

from tests.raop.engine.harness import EngineHarness, member, play, receiver, wav
from tests.raop.engine.timing_errors import SessionLine, p99
from tests.virtual_receiver import Quirks, VirtualReceiver

_SECONDS = 8
_LIMIT_MS = 1.0

# Delays both ways, each on its own, in queues that seldom fill: no receiver can know
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


async def test_poor_members_stay_in_sync_and_affect_no_others(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", _SECONDS)
    good = [await _add(harness, f"good {at}", at) for at in range(2)]
    poor = [
        await _add(harness, name, at, clock_drift_ppm=drift_ppm, quirks=quirks)
        for at, (name, (drift_ppm, quirks)) in enumerate(POOR.items(), len(good))
    ]
    members = [member(each) for each in (*poor, *good)]
    # Some packet in a few thousand is lost four times in a row.
    command = play(tmp_path / "song.wav", *members, depth_ms=1800, lead_ms=1800)

    assert await harness.run(command) is None
    await harness.ended()

    line = SessionLine(good[0])
    for each in (*good, *poor):
        assert each.heard(pcm).is_complete, (each.name, each.stats)
        assert p99(line.errors_ms(each)) < _LIMIT_MS, each.name
    for each in good:
        assert (each.stats.missing, each.stats.resend_asked) == (0, 0)


async def _add(
    harness: EngineHarness, name: str, number: int, **details: object
) -> VirtualReceiver:
    of = receiver(
        name,
        receiver_id=f"0A0B0C0D0E{number:02}",
        clock_offset_ns=number * 3_000_000_007,
        **details,
    )
    return await harness.add(of)
