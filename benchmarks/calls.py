"""Runs the sender and counts the Python functions that it enters.

    python benchmarks/calls.py FILE PYTHON -P PROGRAM ARGUMENTS...

On SIGUSR1 it writes how many there were into FILE, which is there when all is written.
"""

from collections.abc import Callable
import itertools
import os
from pathlib import Path
import runpy
import signal
import sys
import time
from types import CodeType

_MONITORING = sys.monitoring
_TOOL = _MONITORING.PROFILER_ID
_START = _MONITORING.events.PY_START
_PATIENCE_S = 5.0


def ask(pid: int, file: Path) -> int:
    """Return how many functions a process that counts has entered.

    Raises TimeoutError: it does not answer.
    """
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    until_s = time.monotonic() + _PATIENCE_S
    while not file.exists():
        if time.monotonic() > until_s:
            raise TimeoutError("the sender does not tell its calls")
        time.sleep(0.01)
    return int(file.read_text())


def _count() -> Callable[[], int]:
    """Count the entries of all threads; return what tells their number."""
    entered = itertools.count()

    def note(_code: CodeType, _offset: int) -> None:
        next(entered)

    _MONITORING.use_tool_id(_TOOL, "calls")
    _MONITORING.register_callback(_TOOL, _START, note)
    _MONITORING.set_events(_TOOL, _START)
    return lambda: next(entered)


def main(file: Path, program: str, arguments: list[str]) -> None:
    """Run a program and tell its calls."""
    told = _count()

    def tell(_number: int, _frame: object) -> None:
        part = file.with_suffix(".part")
        part.write_text(str(told()))
        part.rename(file)

    signal.signal(signal.SIGUSR1, tell)
    sys.argv = [program, *arguments]
    # The folder of this file would shadow nothing of the program's.
    sys.path.pop(0)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[4], sys.argv[5:])
