"""Events of a source about the media that it decodes."""

from dataclasses import dataclass, field

from ..errors import MediaError
from ..media import Tags


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture inside the media, as it is stored there."""

    data: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class Found:
    """The media is audio and its first frame is decoded, as a decoder process says it.

    The pieces of the cover came before, if it has a content type.
    """

    duration_ms: int | None
    is_live: bool
    can_seek: bool
    tags: Tags
    station: str | None = None
    cover_type: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The media is audio and its first frame is decoded; sent once."""

    duration_ms: int | None
    is_live: bool
    can_seek: bool
    tags: Tags
    station: str | None = None
    cover: Cover | None = None


@dataclass(frozen=True, slots=True)
class Buffered:
    """There is enough PCM to start, or all of it; sent once."""


@dataclass(frozen=True, slots=True)
class Retitled:
    """The media has a new title, from the given frame of this source on."""

    tags: Tags
    at_frame: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """The media cannot be played any further: the error's code, reason, and status."""

    code: str
    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The media cannot be played any further; decoded PCM can still be read."""

    error: MediaError


@dataclass(frozen=True, slots=True)
class Ended:
    """All of the media is decoded; sent once."""


type SourceEvent = Opened | Buffered | Retitled | Failed | Ended
