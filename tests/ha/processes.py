"""Sender processes of this process."""

from collections.abc import Generator
from contextlib import contextmanager
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
