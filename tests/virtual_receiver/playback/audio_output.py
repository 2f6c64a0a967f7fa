"""Play a receiver's sound on this machine."""

import asyncio
from collections.abc import Sequence
import contextlib
import shutil

_LIMIT_BYTES = 1_000_000
_PROGRAMS: Sequence[Sequence[str]] = (
    ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", "44100", "-c", "2"),
    ("paplay", "--raw", "--format=s16le", "--rate=44100", "--channels=2"),
    ("ffplay", "-nodisp", "-loglevel", "quiet", "-f", "s16le", "-ar", "44100",
     "-ch_layout", "stereo", "-i", "-"),
)  # fmt: skip


class Speaker:
    """A program of this machine that plays raw sound from its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Wrap the running program."""
        self._process = process

    @classmethod
    async def open(cls) -> Speaker | None:
        """Start the first program that is there, if any."""
        for command in _PROGRAMS:
            if shutil.which(command[0]) is not None:
                return cls(
                    await asyncio.create_subprocess_exec(
                        *command,
                        stdin=asyncio.subprocess.PIPE,
                        stdout=asyncio.subprocess.DEVNULL,
                        stderr=asyncio.subprocess.DEVNULL,
                    )
                )
        return None

    def play(self, pcm: bytes) -> None:
        """Play frames; a program that does not keep up loses some."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            return
        if stdin.transport.get_write_buffer_size() < _LIMIT_BYTES:
            stdin.write(pcm)

    async def finish(self) -> None:
        """Wait until the program has played everything."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def close(self) -> None:
        """End the program."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
