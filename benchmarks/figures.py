"""A benchmark's results, each with a peer or a limit of the same run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import math
from pathlib import Path

# The factor of its target above which a figure fails --check.
TOLERANCE = 1.25


@dataclass(frozen=True, slots=True)
class Lab:
    """The folder and extent of the measurement, and the kinds of real receivers."""

    folder: Path
    music: Path
    is_quick: bool
    groups: tuple[tuple[str, ...], ...] = ()
    minutes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result; the target is the maximum ratio, or value if there is no peer."""

    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the peer's."""
        if self.peer_value is None:
            return None
        return self.value / self.peer_value if self.peer_value else math.inf

    def exceeds(self, tolerance: float = 1.0) -> bool:
        """Return whether the target is missed; a missing measurement misses it too."""
        if self.target is None:
            return False
        reached = self.value if self.ratio is None else self.ratio
        return not reached <= self.target * tolerance


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark and its method."""

    name: str
    title: str
    how: str
    run: Callable[[Lab], Awaitable[list[Figure]]]
