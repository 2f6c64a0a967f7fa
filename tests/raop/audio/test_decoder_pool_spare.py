"""The spare: a decoder process that waits for its job."""

from collections.abc import Iterator
from contextlib import closing
import os
from pathlib import Path
import re
import signal
import time

import numpy as np
import pytest

from custom_components.airplay.raop.audio.events import Buffered, Opened

from .conftest import Keep
from .media import RATE, noise, samples_of, wav
from .recorder import PATIENCE_S, DecoderThread, Played
from .test_decoder_pool import POOL, children, gone, server_of, sockets

pytestmark = pytest.mark.started

SONG = noise(3 * RATE)
# What it does not share with the process that it was forked from: three were measured.
MOST_KB = 8 << 10


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderThread]:
    """Return decoder processes of this test alone, with a spare at once."""
    monkeypatch.setattr(f"{POOL}._SPARE_S", 0.0)
    decoders = DecoderThread()
    yield decoders
    decoders.close()


@pytest.fixture
def song(keep: Keep) -> str:
    """Return a file of three seconds."""
    return keep("song.wav", wav(SONG))


def spare_of(decoders: DecoderThread) -> int:
    """Return the process that waits for a job, after it has played something."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = [each for each in children(server_of(decoders)) if waits(each)]
        if decoders.pool._spare and len(found) == 1 and not decoders.pool._ends:
            return found[0]
        time.sleep(0.002)
    raise AssertionError("there is no spare")


def waits(pid: int) -> bool:
    """Return whether a process waits for its job: it sleeps, with one socket alone."""
    folder = Path(f"/proc/{pid}")
    try:
        held = {str(each.readlink()) for each in (folder / "fd").iterdir()}
        is_asleep = (folder / "stat").read_text().rpartition(") ")[2].startswith("S")
        return (
            is_asleep and sockets(pid) == 1 and not any(".wav" in each for each in held)
        )
    except OSError:
        return False


def play_whole(decoders: DecoderThread, path: str) -> bool:
    """Play a file; return whether all of it came."""
    with closing(Played(decoders, path)) as played:
        return np.array_equal(samples_of(played.all()), SONG)


def test_nothing_waits_before_something_was_played(own: DecoderThread) -> None:
    assert own.pool._prepared is None
    assert own.pool._spare is None


def test_a_spare_does_the_next_job_and_is_replaced(
    own: DecoderThread, song: str, keep: Keep
) -> None:
    assert play_whole(own, song)
    spare = spare_of(own)

    with closing(Played(own, keep("long.wav", wav(noise(20 * RATE))))) as played:
        played.heard.wait_for(Buffered)

        assert spare in children(server_of(own))
    assert gone(spare)
    assert spare_of(own) != spare


def test_a_spare_that_is_killed_costs_nothing(own: DecoderThread, song: str) -> None:
    assert play_whole(own, song)
    spare = spare_of(own)

    os.kill(spare, signal.SIGKILL)
    assert gone(spare)
    until = time.monotonic() + PATIENCE_S
    while own.pool._spare or children(server_of(own)):
        assert time.monotonic() < until
        time.sleep(0.002)

    assert play_whole(own, song)
    assert spare_of(own) != spare


def test_a_spare_ends_with_what_prepared_it(own: DecoderThread, song: str) -> None:
    assert play_whole(own, song)
    spare, server = spare_of(own), server_of(own)

    os.kill(server, signal.SIGKILL)

    assert gone(spare)
    assert play_whole(own, song)
    assert spare_of(own) != spare


def test_a_spare_ends_with_the_pool(own: DecoderThread, song: str) -> None:
    assert play_whole(own, song)
    spare, server = spare_of(own), server_of(own)

    own.wait(own.pool.close())

    assert gone(spare)
    assert gone(server)


def test_a_spare_has_the_limits_of_a_decoder(
    own: DecoderThread, song: str, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{POOL}._SPARE_S", 3600.0)
    path = keep("long.wav", wav(noise(20 * RATE)))
    with closing(Played(own, path)) as played:
        played.heard.wait_for(Opened)
        (first,) = children(server_of(own))
        limits = Path(f"/proc/{first}/limits").read_text()
    monkeypatch.setattr(f"{POOL}._SPARE_S", 0.0)
    assert play_whole(own, song)

    assert Path(f"/proc/{spare_of(own)}/limits").read_text() == limits


def test_a_spare_is_small(own: DecoderThread, song: str) -> None:
    assert play_whole(own, song)
    rollup = Path(f"/proc/{spare_of(own)}/smaps_rollup").read_text()
    (own_kb,) = re.findall(r"^Private_Dirty: +(\d+) kB", rollup, re.MULTILINE)

    assert int(own_kb) <= MOST_KB


def test_plain_music_is_decoded_without_numpy(own: DecoderThread, song: str) -> None:
    with closing(Played(own, song)) as played:
        played.heard.wait_for(Buffered)
        processes = [server_of(own), *children(server_of(own))]
        maps = [Path(f"/proc/{each}/maps").read_text() for each in processes]

    assert len(maps) > 1
    assert not [each for each in maps if "numpy" in each]
    assert "libavcodec" in maps[0]
