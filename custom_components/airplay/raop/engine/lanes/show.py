"""What a receiver with a display shows of the media that plays."""

from dataclasses import dataclass

from ...messages import Tags


@dataclass(frozen=True, slots=True)
class Show:
    """Words, and frames of the timeline: the media's start, the present, its end."""

    tags: Tags
    duration_ms: int | None
    start: int
    now: int
    end: int
