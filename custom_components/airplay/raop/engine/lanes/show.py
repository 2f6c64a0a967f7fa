"""The metadata of the playing media for a receiver's display."""

from dataclasses import dataclass

from ...messages import Tags


@dataclass(frozen=True, slots=True)
class Show:
    """Tags, and timeline frames: the media's start, the current frame, its end."""

    tags: Tags
    duration_ms: int | None
    start: int
    now: int
    end: int
