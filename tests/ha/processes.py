"""Sender processes of this process."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
from unittest.mock import patch

from custom_components.airplay.sender import process


def sender_pids() -> list[int]:
    """Return the sender processes that this process has started and that live."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, _, session = stat[:4]
        # No other started process has its own session.
        if parent == str(os.getpid()) and state != "Z" and session == folder.name:
            found.append(int(folder.name))
    return sorted(found)


@contextmanager
def running(code: str) -> Generator[None]:
    """Have sender processes run this code."""
    with patch.object(process, "_ARGUMENTS", ("-c", code)):
        yield


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and that live."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return [each for each in found if is_alive(each)]


def is_alive(pid: int) -> bool:
    """Return whether a process has neither ended nor been reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def prepared_pids() -> list[int]:
    """Return the processes that start decoders, one for each sender at most."""
    return [each for sender in sender_pids() for each in children(sender)]


def decoder_pids() -> list[int]:
    """Return the decoder processes of all senders."""
    return [each for prepared in prepared_pids() for each in children(prepared)]


def held_by(pid: int) -> tuple[int, int]:
    """Return how many descriptors and threads a process has."""
    folder = Path(f"/proc/{pid}")
    return len([*(folder / "fd").iterdir()]), len([*(folder / "task").iterdir()])
