"""A benchmark's results, each beside a peer or a limit of the same run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import math
from pathlib import Path

# How far beyond its target a figure may be before --check fails.
TOLERANCE = 1.25


@dataclass(frozen=True, slots=True)
class Lab:
    """Where and how thoroughly to measure, and of what kinds real receivers are."""

    folder: Path
    music: Path
    is_quick: bool
    groups: tuple[tuple[str, ...], ...] = ()
    minutes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result; the target is the largest ratio, or without a peer the largest value."""

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
        """Tell whether the target is missed; what was not measured is missed too."""
        if self.target is None:
            return False
        reached = self.value if self.ratio is None else self.ratio
        return not reached <= self.target * tolerance


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something to measure and how it is done."""

    name: str
    title: str
    how: str
    run: Callable[[Lab], Awaitable[list[Figure]]]
