"""User settings of one speaker."""

from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry

from ..const import (
    CONF_ANNOUNCEMENTS,
    CONF_BUTTONS_ACT,
    CONF_DEPTH_MS,
    CONF_KEEP_PAUSED_S,
    CONF_KEEPS_LEVEL,
    CONF_LANE,
    CONF_LOUDNESS,
    CONF_WHEN_BUSY,
)
from ..raop.api import Loudness

DEFAULT_DEPTH_MS = 1000
DEFAULT_KEEP_PAUSED_S = 600

MUSIC_LOWER = "lower"
MUSIC_PAUSE = "pause"
CHIME_OWN = "own"
CHIME_NONE = "none"
SCOPE_ALONE = "alone"
SCOPE_GROUP = "group"
TAKEN_REFUSE = "refuse"
TAKEN_TAKE_OVER = "take_over"
BUSY_REPORT = "report"
BUSY_WAIT = "wait"
BUSY_TAKE_OVER = "take_over"
LANE_AUTOMATIC = "automatic"
# How long requests to a receiver in use by another sender are repeated: some receivers
# drop the other sender at the second request; a party can last long.
PATIENCE_S = {BUSY_WAIT: 600.0, BUSY_TAKE_OVER: 10.0}


@dataclass(slots=True)
class Settings:
    """Stream settings of a speaker; the crossfade entity updates `crossfade` at runtime."""

    depth_ms: int = DEFAULT_DEPTH_MS
    keep_paused_s: int = DEFAULT_KEEP_PAUSED_S
    crossfade_ms: int = 0
    buttons_act: bool = True
    when_busy: str = BUSY_REPORT
    keeps_level: bool = False
    lane: str = LANE_AUTOMATIC
    loudness: Loudness = Loudness.OFF

    @property
    def forced_lane(self) -> str | None:
        """Return the only lane to use, if the user has chosen one."""
        return None if self.lane == LANE_AUTOMATIC else self.lane

    @classmethod
    def from_entry[T](cls, entry: ConfigEntry[T]) -> Self:
        """Read an entry's options; unset options have their defaults."""
        return cls(
            depth_ms=entry.options.get(CONF_DEPTH_MS, DEFAULT_DEPTH_MS),
            keep_paused_s=entry.options.get(CONF_KEEP_PAUSED_S, DEFAULT_KEEP_PAUSED_S),
            buttons_act=entry.options.get(CONF_BUTTONS_ACT, True),
            when_busy=entry.options.get(CONF_WHEN_BUSY, BUSY_REPORT),
            keeps_level=entry.options.get(CONF_KEEPS_LEVEL, False),
            lane=entry.options.get(CONF_LANE, LANE_AUTOMATIC),
            loudness=Loudness(entry.options.get(CONF_LOUDNESS, Loudness.OFF)),
        )


@dataclass(frozen=True, slots=True)
class AnnounceSettings:
    """Announcement settings; the field names match those of the form and the options."""

    volume: float | None = None
    music: str = MUSIC_LOWER
    duck_db: float = 18
    ramp_ms: float = 200
    lead_in_ms: float = 500
    chime: str = CHIME_OWN
    scope: str = SCOPE_ALONE
    taken: str = TAKEN_REFUSE

    @classmethod
    def from_entry[T](cls, entry: ConfigEntry[T]) -> Self:
        """Read an entry's options; without a volume (percent), the current one is used."""
        chosen: dict[str, Any] = entry.options.get(CONF_ANNOUNCEMENTS, {})
        return cls(**chosen)
