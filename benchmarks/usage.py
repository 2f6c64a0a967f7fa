"""CPU time and memory of a process, read from outside."""

from dataclasses import dataclass
from pathlib import Path
import time

_CPUCLOCK_SCHED = 2


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident and proportional memory in MB."""

    rss_mb: float
    pss_mb: float


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process with all its threads, to the nanosecond.

    The clock's id is computed as in clock_getcpuclockid(3).
    """
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def thread_cpu_s(pid: int) -> dict[str, float]:
    """Return the CPU time of each living thread, by its name."""
    used: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
        name = "main" if task.name == str(pid) else name
        used[name] = used.get(name, 0.0) + spent
    return used


def memory(pid: int) -> Memory:
    """Return the current memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)
