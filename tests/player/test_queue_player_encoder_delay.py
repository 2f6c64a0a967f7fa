"""The padding of encoders is omitted on the timeline of a queue."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import play
from tests.ha.sound import RATE, write_wav
from tests.ha.watch import Watch
from tests.raop.audio.media import Samples, encode, samples_of
from tests.virtual_receiver import VirtualReceiver


async def test_mp3_and_aac_play_for_exactly_their_own_duration(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "media"
    source = low_noise(3 * RATE)
    # So long that a slow machine too has opened the next item before they end.
    marks = [low_noise(2 * RATE, seed=at) for at in (1, 2, 3)]
    for at, mark in enumerate(marks):
        write_wav(folder / f"mark{at}.wav", mark.tobytes())
    (folder / "sound.mp3").write_bytes(encode("mp3", "libmp3lame", source))
    (folder / "sound.m4a").write_bytes(encode("ipod", "aac", source))
    order = ["mark0.wav", "sound.mp3", "mark1.wav", "sound.m4a", "mark2.wav"]
    (folder / "list.m3u").write_text("\n".join(order))
    watch = Watch(hass, player)

    await play(hass, player, song.replace("song.wav", "list.m3u"))
    await watch.until_is("idle")

    starts = [kitchen.heard(mark.tobytes()).first_frame_ns or 0 for mark in marks]
    frames = [round((next_ns - ns) * RATE / 1e9) for ns, next_ns in pairwise(starts)]
    # By the receiver's clock, which it knows to some microseconds; below to the frame.
    assert frames == pytest.approx([len(marks[0]) + len(source)] * 2, abs=4)
    # No frames are missing in front in exchange for extra ones behind.
    tape = samples_of(kitchen.pcm)
    begin = int(np.argmax(np.all(tape == marks[0][0], axis=1))) + len(marks[0])
    for _ in ("mp3", "m4a"):
        assert shift_of(tape[begin : begin + len(source)], source) == 0
        begin += len(source) + len(marks[0])


def low_noise(frames: int, seed: int = 0) -> Samples:
    """Return noise of which encoders keep nearly all, as it is low."""
    white = np.random.default_rng(seed).normal(0, 1500, (frames + 15, 2))
    low = [np.convolve(side, np.ones(16), "valid") for side in white.T]
    noise: Samples = np.rint(np.stack(low, 1)).astype("<i2")
    return noise


def shift_of(heard: Samples, source: Samples, reach: int = 2500) -> int:
    """Return by how many frames the played sound is later than its source."""
    here = heard[: RATE + 2 * reach, 0].astype(float)
    middle = source[reach : reach + RATE, 0].astype(float)
    return int(np.argmax(np.correlate(here, middle))) - reach
