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
    """Return the decoder processes that have opened media, without spare ones."""
    return [
        each
        for prepared in prepared_pids()
        for each in children(prepared)
        if _has_media(each)
    ]


def spare_pids() -> list[int]:
    """Return the decoder processes that wait for a job, or have not opened it yet."""
    at_work = decoder_pids()
    return [
        each
        for prepared in prepared_pids()
        for each in children(prepared)
        if each not in at_work
    ]


def _has_media(pid: int) -> bool:
    """Return whether a process has a file or a connection beside that to its owner."""
    links: list[str] = []
    with suppress(OSError):
        links = [
            str(each.readlink())
            for each in Path(f"/proc/{pid}/fd").iterdir()
            if int(each.name) > 2
        ]
    sockets = {each for each in links if each.startswith("socket:")}
    return len(sockets) > 1 or any(each.startswith("/") for each in links)


def held_by(pid: int) -> tuple[int, int]:
    """Return how many descriptors and threads a process has.

    What stays for the next time is not counted: the threads of the event loop's
    executor, and a library that keeps itself open.
    """
    folder = Path(f"/proc/{pid}")
    names = [(each / "comm").read_text() for each in (folder / "task").iterdir()]
    threads = [each for each in names if not each.startswith("asyncio_")]
    links = [str(each.readlink()) for each in (folder / "fd").iterdir()]
    return len([each for each in links if ".so" not in each]), len(threads)
