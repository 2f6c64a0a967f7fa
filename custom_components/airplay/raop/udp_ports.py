"""A range of UDP ports, for firewalls: every session takes its ports from it."""

from dataclasses import dataclass
import re
from typing import Self, override

# Below, only privileged programs may open ports.
LEAST_PORT = 1024
MOST_PORT = 65_535
# Timing, control, and audio; while a session is replaced, both have theirs.
_PORTS_PER_RECEIVER = 2 * 3
# Other programs may use a few.
_LEAST_SIZE = 64

_RANGE = re.compile(r"\s*([0-9]{1,5})\s*[-\u2013]\s*([0-9]{1,5})\s*")


@dataclass(frozen=True, slots=True)
class PortRange:
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse two numbers with a hyphen between them, such as 6001-6100.

        Raises ValueError: it is no range of unprivileged ports.
        """
        found = _RANGE.fullmatch(text)
        first, last = (int(found[1]), int(found[2])) if found else (0, 0)
        if not LEAST_PORT <= first <= last <= MOST_PORT:
            raise ValueError(
                f"not a range of ports from {LEAST_PORT} to {MOST_PORT}: {text[:40]!r}"
            )
        return cls(first, last)

    @property
    def size(self) -> int:
        """The number of ports."""
        return self.last - self.first + 1

    @override
    def __str__(self) -> str:
        """Return the range as `parse` reads it."""
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUdpPorts:
    """The command to open UDP ports from `first` to `last` only, any if both are 0.

    It applies to new sessions; those that are open keep their ports.
    """

    first: int = 0
    last: int = 0

    @property
    def ports(self) -> PortRange | None:
        """The range, or None for any port."""
        return PortRange(self.first, self.last) if self.first else None


def needed_ports(receivers: int) -> int:
    """Return how many ports a range for so many receivers must have."""
    return max(_LEAST_SIZE, receivers * _PORTS_PER_RECEIVER)
