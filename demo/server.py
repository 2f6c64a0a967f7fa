"""The process of a real Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import ctypes
import os
from pathlib import Path
import signal
import sys

from .progress import CheckError

_STOP_S = 30
_ORPHANS_S = 3
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STUBS = Path(__file__).with_name("stubs")
_libc = ctypes.CDLL(None)


class HomeAssistantProcess:
    """Home Assistant and the processes that it started."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        """Wrap a running process."""
        self._process = process
        self.log = log

    @property
    def has_ended(self) -> bool:
        """Whether Home Assistant has ended on its own."""
        return self._process.returncode is not None

    def log_lines(self) -> list[str]:
        """Return the lines of its log."""
        return self.log.read_text(errors="replace").splitlines()

    async def stop(self) -> list[str]:
        """Stop it in order; return the processes that it left running, and end them."""
        if not self.has_ended:
            self._process.terminate()
        left: list[str] = []
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            left.append("Home Assistant itself")
            self._process.kill()
            await self._process.wait()
        # Its children notice its end and need a moment to end too.
        for _ in range(_ORPHANS_S * 10):
            if not self._orphans():
                break
            await asyncio.sleep(0.1)
        for pid, name in self._orphans().items():
            left.append(name)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def _orphans(self) -> dict[int, str]:
        """Return the processes that it left: the kernel made them our children."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pid, _, rest = stat.read_text().partition(" (")
                name, _, fields = rest.rpartition(") ")
                state, parent, _group, session, *_ = fields.split()
                is_ours = int(parent) == os.getpid() and int(session) != os.getsid(0)
                if is_ours and state != "Z":
                    found[int(pid)] = name
        return found


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistantProcess]:
    """Run Home Assistant in a folder; it and all its children end with the block."""
    log = folder / "console.log"
    environment = os.environ | {"PYTHONPATH": str(_STUBS)}
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("hass")),
            *("--config", str(folder), "--skip-pip", "--log-no-color"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            env=environment,
            # Ctrl-C must reach only this process, which then stops it in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    running = HomeAssistantProcess(process, log)
    try:
        yield running
    finally:
        await asyncio.shield(running.stop())


def _end_with_parent() -> None:
    """Make the kernel end it if the demo is killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def require_running(server: HomeAssistantProcess) -> None:
    """Check that Home Assistant is running. Raises CheckError: it has ended."""
    if server.has_ended:
        raise CheckError(f"Home Assistant has ended; its log is {server.log}")
