"""How far off real receivers' clocks are, on a machine that has too much to do."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.program import RAOP

from .compare import compare, read_pcm, read_wav
from .conftest import StartShairport
from .shairport_lab import Lab
from .songs import song_fixture

_SECONDS = 12
_HOGS = 3
_LIMIT_NS = 200_000
# nqptp's version, then twice: whose clock, when it was measured (CLOCK_MONOTONIC_RAW),
# the offset to that clock's time, and since when it is followed.
_CLOCK = struct.Struct("=QQqQ")
_CLOCK_AT = 8
_LOOK_S = 0.02
# nqptp sleeps after our first Announce, and treats messages from that time as new.
_SETTLED_NS = 1_000_000_000


song = song_fixture(_SECONDS)


@contextmanager
def hogs() -> Iterator[None]:
    """Run processes that want every core."""
    spin = [sys.executable, "-S", "-c", "while True: pass"]
    running = [subprocess.Popen(spin) for _ in range(_HOGS)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def read_together(first: int, second: int) -> int:
    """Return how far one of the machine's clocks is ahead of another."""
    looks = []
    for _ in range(20):
        before = time.clock_gettime_ns(second)
        at = time.clock_gettime_ns(first)
        after = time.clock_gettime_ns(second)
        looks.append((after - before, at - (before + after) // 2))
    return min(looks)[1]


class Watch:
    """Collects a receiver's data about the sender's clock."""

    def __init__(self, path: Path) -> None:
        """Treat all earlier data as old."""
        self._path = path
        self._seen_ns = self._read()[1]
        self.errors_ns: list[int] = []

    def look(self, session_ahead_ns: int) -> None:
        """Collect new data."""
        clock_id, at_ns, offset_ns, since_ns = self._read()
        if not clock_id or at_ns == self._seen_ns:
            return
        self._seen_ns = at_ns
        if at_ns - since_ns > _SETTLED_NS:
            raw = time.CLOCK_MONOTONIC_RAW
            drift_ns = read_together(time.CLOCK_MONOTONIC, raw)
            self.errors_ns.append(offset_ns - drift_ns - session_ahead_ns)

    def _read(self) -> tuple[int, int, int, int]:
        while True:
            shared = self._path.read_bytes()
            known = _CLOCK.unpack_from(shared, _CLOCK_AT)
            if known == _CLOCK.unpack_from(shared, _CLOCK_AT + _CLOCK.size):
                return known


@pytest.mark.parametrize("lane", ["airplay2-realtime", "airplay2-buffered"])
def test_receivers_clocks_are_right_while_the_machine_is_busy(
    lab: Lab, shairport: StartShairport, song: Path, lane: str
) -> None:
    receivers = [shairport("ap2") for _ in range(2)]
    watches = [Watch(receiver.clock_path) for receiver in receivers]
    targets = [word for each in receivers for word in ("--receiver", each.address)]
    command = [*RAOP, "play", str(song), *targets, "--lane", lane, "--json"]

    ahead_ns = read_together(time.CLOCK_REALTIME, time.CLOCK_MONOTONIC)
    with hogs():
        playing = lab.popen_in_sender_namespace(command, stdout=subprocess.PIPE)
        while playing.poll() is None:
            for watch in watches:
                watch.look(ahead_ns)
            time.sleep(_LOOK_S)
    told, _ = playing.communicate()
    stepped_ns = read_together(time.CLOCK_REALTIME, time.CLOCK_MONOTONIC) - ahead_ns

    assert playing.returncode == 0, told
    assert json.loads(told.splitlines()[-1])["event"] == "ended"
    for receiver, watch in zip(receivers, watches, strict=True):
        assert compare(read_wav(song), read_pcm(receiver.pcm_path)).is_exact
        assert len(watch.errors_ns) > 20
        worst_ns = np.percentile(np.abs(watch.errors_ns), 99)
        assert worst_ns < _LIMIT_NS + abs(stepped_ns)
