"""Sender processes of this process."""

import os
from pathlib import Path


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
        # Nothing else that is started has a session of its own.
        if parent == str(os.getpid()) and state != "Z" and session == folder.name:
            found.append(int(folder.name))
    return sorted(found)
