"""How often processes wake up: the voluntary context switches of all their threads.

The kernel counts one whenever a thread gives up its processor to wait, so each is a
wake-up to come. The counts do not depend on the speed of the machine. They are read from
`/proc/PID/task/TID/status` (proc_pid_status(5)).
"""

from collections.abc import Iterable
from contextlib import suppress
import re

from .usage import processes, tasks

_SWITCHES = re.compile(rb"^voluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE)


def switches(pids: Iterable[int]) -> int:
    """Return the switches of processes and of all that they have started, so far."""
    return sum(by_thread(pids).values())


def by_thread(pids: Iterable[int]) -> dict[tuple[int, str], int]:
    """Return the switches of each thread, so far, by process and `TID NAME`."""
    counts: dict[tuple[int, str], int] = {}
    for pid in (each for root in pids for each in processes(root)):
        for task in tasks(pid):
            # A thread may end meanwhile.
            with suppress(OSError):
                found = _SWITCHES.search((task / "status").read_bytes())
                name = (task / "comm").read_text(errors="replace").strip()
                counts[pid, f"{task.name} {name}"] = int(found[1]) if found else 0
    return counts
