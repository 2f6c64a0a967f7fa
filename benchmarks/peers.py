"""Other senders with the same interface: the C reference, a minimal one, and pyatv."""

from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from pathlib import Path
import sys
from typing import Self

from .core import ROOT
from .introduction import Introduction, Ports
from .native import build


class Peer:
    """A program that prints its ports, reads those of the receivers, and streams."""

    def __init__(self, process: Process, introduction: Introduction) -> None:
        self._process = process
        self._introduction = introduction

    @classmethod
    async def c_sender(
        cls, folder: Path, receivers: list[int], *, encrypts: bool, stamp: str
    ) -> Self:
        """Start the C sender; the stamp is `kernel` or `naive`."""
        kind = "aes" if encrypts else "plain"
        program = build("sender", folder)
        return await cls._start(receivers, program, str(len(receivers)), kind, stamp)

    @classmethod
    async def pyatv(cls, receivers: list[int], *, encrypts: bool) -> Self:
        """Start pyatv's own sender: AirPlay 2 if it encrypts, else AirPlay 1."""
        version = "2" if encrypts else "1"
        module = ("-m", "benchmarks.pyatv_sender")
        return await cls._start(
            receivers, sys.executable, *module, str(len(receivers)), version
        )

    @classmethod
    async def minimal(cls, receiver: int) -> Self:
        """Start the minimal Python sender for one receiver."""
        module = ("-m", "benchmarks.minimal_sender")
        return await cls._start([receiver], sys.executable, *module)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    async def stop(self) -> None:
        """End the program."""
        self._introduction.close()
        await self._process.communicate()

    @classmethod
    async def _start(cls, receivers: list[int], *command: str | Path) -> Self:
        process = await create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, cwd=ROOT
        )
        assert process.stdin is not None
        assert process.stdout is not None
        introduction = Introduction()
        for receiver in receivers:
            timing, control = (await process.stdout.readline()).split()
            await introduction.meet(receiver, Ports(int(timing), int(control)))
        for target in introduction.targets:
            process.stdin.write(f"{target.audio} {target.control}\n".encode())
        await process.stdin.drain()
        return cls(process, introduction)
