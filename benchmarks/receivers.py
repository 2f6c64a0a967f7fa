"""Start the simulated receivers and read their records."""

import asyncio
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
import secrets
from typing import Self

import numpy as np
import numpy.typing as npt

from .native import build

_RECORD = np.dtype(
    [("kind", "<u4"), ("receiver", "<u4"), *((name, "<i8") for name in "abcd")]
)


class Kind(IntEnum):
    """The kind of a record; the columns are those of native/receivers.c."""

    AUDIO = 1
    TIME = 2
    RESEND = 3
    SYNC = 4
    REQUEST = 5
    LOST = 6


@dataclass(frozen=True, slots=True)
class Seen:
    """All records of the receivers."""

    records: npt.NDArray[np.void]

    def of(self, kind: Kind) -> npt.NDArray[np.void]:
        """Return the records of a kind."""
        chosen: npt.NDArray[np.void] = self.records[self.records["kind"] == kind]
        return chosen


class Receivers:
    """A process with simulated receivers."""

    def __init__(self, process: Process, ports: list[int], records: Path) -> None:
        self._process = process
        self._records = records
        self.ports = ports

    @classmethod
    async def start(
        cls, folder: Path, count: int, *, timing_ms: int, loss_permille: int
    ) -> Self:
        """Start this many receivers."""
        records = folder / f"seen-{secrets.token_hex(4)}"
        numbers = (count, timing_ms, loss_permille)
        process = await asyncio.create_subprocess_exec(
            build("receivers", folder),
            *map(str, numbers),
            records,
            stdin=PIPE,
            stdout=PIPE,
        )
        assert process.stdout is not None
        ports = [int(await process.stdout.readline()) for _ in range(count)]
        return cls(process, ports, records)

    async def stop(self) -> Seen:
        """Stop the receivers and return their records."""
        await self._process.communicate(b"")
        seen = np.fromfile(self._records, _RECORD)
        self._records.unlink()
        return Seen(seen)
