"""One receiver's delay, set while two play: measured by the times of their clicks."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sys
import time

import numpy as np
import pytest

from custom_components.airplay.raop.messages import Media, Member, Play, Started, Tune
from tests.raop.engine.sender_process import sender

from .clicks import Click, Track, heard_clicks
from .conftest import StartShairport
from .shairport_lab import Lab, Shairport

_WAKEUPS = Path(__file__).parent / "lab" / "wakeups.py"
# Receivers can be woken by packets of this age, and show their clicks only then.
_FIRST_S = 7
_LISTEN_S = 3
# A change is audible a second later at most.
_STEP_S = 5


@contextmanager
def wakeups(lab: Lab, *receivers: Shairport) -> Iterator[None]:
    """Wake receivers without a sound card often enough to output in time."""
    hosts = [each.host for each in receivers]
    process = lab.popen_in_sender_namespace(
        [sys.executable, _WAKEUPS, "eth0", "500", *hosts]
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def member(of: Shairport) -> Member:
    """Return a receiver as a member of a stream."""
    return Member(
        receiver=of.name, name=of.name, host=of.host, port=of.port, volume=100
    )


def origin_s(clicks: dict[int, Click], begin: int) -> float:
    """Return when second 0 would have come by the clicks from a second on."""
    seconds = [each for each in range(begin, begin + _LISTEN_S) if each in clicks]
    return float(np.median([clicks[each].at_s - each for each in seconds]))


async def test_one_receiver_moves_and_the_other_stays(
    lab: Lab, shairport: StartShairport, sender_namespace: None, tmp_path: Path
) -> None:
    moving, staying = shairport("ap1", name="Lab One"), shairport("ap1old", name="Two")
    starts = [_FIRST_S + number * _STEP_S for number in range(3)]
    track = Track.write(tmp_path / "clicks.wav", starts[-1] + _STEP_S)
    media = Media(url=str(track.path), name="clicks")
    members = (member(moving), member(staying))

    with wakeups(lab, moving, staying):
        async with sender() as process:
            play = Play(stream="den", members=members, media=media)
            assert await process.run(play) is None
            begun_at = (await process.until(Started)).at
            for start, delay_ms in zip(starts[1:], (100, -100), strict=True):
                await asyncio.sleep(begun_at + start - 1.6 - time.time())
                tune = Tune(receiver=moving.name, delay_ms=delay_ms)
                assert await process.run(tune) is None
            await asyncio.sleep(begun_at + starts[-1] + _LISTEN_S - time.time())

    for receiver, expected_ms in ((moving, [0, 100, -100]), (staying, [0, 0, 0])):
        clicks = heard_clicks(receiver, track)
        first_s = origin_s(clicks, starts[0])
        moved_ms = [1000 * (origin_s(clicks, start) - first_s) for start in starts]
        assert moved_ms == pytest.approx(expected_ms, abs=2), receiver.name
