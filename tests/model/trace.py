"""The events of one sequence, in order: the text of a failure."""

from datetime import datetime
import time
from typing import override


class Trace:
    """Lines with the seconds since the beginning, including the failures."""

    def __init__(self, number: int) -> None:
        """Begin now."""
        self.number = number
        self.faults: list[str] = []
        self._began_s = time.monotonic()
        # Kept as they come: most traces have no fault and are never read.
        self._lines: list[tuple[float, str]] = []

    @property
    def seconds(self) -> float:
        """Return how long it has lasted."""
        return time.monotonic() - self._began_s

    def note(self, text: str) -> None:
        """Record an event."""
        self._lines.append((self.seconds, text))

    def blame(self, fault: str) -> None:
        """Record a failure."""
        self.faults.append(fault)
        self.note(f"!!! {fault}")

    @override
    def __str__(self) -> str:
        """Return the whole trace."""
        began = datetime.now().astimezone().timestamp() - self.seconds
        at = datetime.fromtimestamp(began).astimezone().isoformat(" ", "milliseconds")
        told = [f"{seconds:8.3f}  {text}" for seconds, text in self._lines]
        return "\n".join([f"Sequence {self.number}, begun at {at}", *told])
