"""Bodies of SET_PARAMETER and GET_PARAMETER: volume and progress.

Scale: 0 dB is full, -30 dB the minimum, -144 dB mute. shairport-sync accepts values
between -144 and -30 and above 0 and falls silent (measured), so none is ever sent.
"""

from dataclasses import dataclass
import re

_MUTE_DB = -144.0
_LEAST_DB = -30.0
DB_PER_PERCENT = -_LEAST_DB / 100
_VOLUME = re.compile(
    rb"^[ \t]*volume:[ \t]*(-?[0-9]{1,4}(?:\.[0-9]{0,20})?)[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume in percent, 0 to 100, or None while it is unknown; muted or not."""

    percent: float | None = None
    is_muted: bool = False


def volume_db(percent: float, *, is_muted: bool = False) -> float:
    """Return the volume in dB for a percentage, from -30 to 0; -144 is mute."""
    if is_muted or not percent > 0:
        return _MUTE_DB
    return _LEAST_DB - _LEAST_DB * min(percent, 100) / 100


def percent_of_db(level_db: float) -> float:
    """Return the percentage, 0 to 100, for a volume in dB."""
    if not level_db > _LEAST_DB:
        return 0.0
    return min(100.0, 100 - level_db * 100 / _LEAST_DB)


def volume_body(level_db: float) -> bytes:
    """Write a volume; one outside the scale becomes mute or full."""
    level_db = min(level_db, 0.0) if level_db >= _LEAST_DB else _MUTE_DB
    # Adding zero after rounding turns -0.0, which receivers may not read, into 0.0.
    return f"volume: {round(level_db, 6) + 0.0:.6f}\r\n".encode()


def progress_body(start: int, now: int, end: int) -> bytes:
    """Write the RTP times of the track's start, current position, and end."""
    times = "/".join(str(time & 0xFFFFFFFF) for time in (start, now, end))
    return f"progress: {times}\r\n".encode()


def parse_volume_db(body: bytes) -> float | None:
    """Parse the volume in dB of an answer, which some receivers wrap in empty lines."""
    found = _VOLUME.search(body)
    return float(found[1]) + 0.0 if found else None
