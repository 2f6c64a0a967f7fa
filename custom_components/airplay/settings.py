"""What a user may choose for one speaker."""

from dataclasses import dataclass
from typing import Self

from homeassistant.config_entries import ConfigEntry

from .const import CONF_DEPTH_MS, CONF_KEEP_PAUSED_S

DEFAULT_DEPTH_MS = 1000
DEFAULT_KEEP_PAUSED_S = 600


@dataclass(slots=True)
class Settings:
    """How a speaker's streams are sent; crossfade follows its entity while it runs."""

    depth_ms: int = DEFAULT_DEPTH_MS
    keep_paused_s: int = DEFAULT_KEEP_PAUSED_S
    crossfade_ms: int = 0

    @classmethod
    def from_entry[T](cls, entry: ConfigEntry[T]) -> Self:
        """Read an entry's options; what was never chosen has its default."""
        return cls(
            depth_ms=entry.options.get(CONF_DEPTH_MS, DEFAULT_DEPTH_MS),
            keep_paused_s=entry.options.get(CONF_KEEP_PAUSED_S, DEFAULT_KEEP_PAUSED_S),
        )
