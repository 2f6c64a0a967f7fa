"""What the sender process tells its owner."""

from dataclasses import dataclass, field
from enum import StrEnum

from .commands import Tags


class StreamState(StrEnum):
    """What a stream is doing.

    `BUFFERING` also stands for media that stalls while silence is sent. `NEW`, of
    which nothing was reported yet, never goes over the pipe.
    """

    NEW = "new"
    CONNECTING = "connecting"
    BUFFERING = "buffering"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a stream ended: at the end of its media, by a command, or by an error."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class MemberState(StrEnum):
    """What a member of a stream is doing.

    `BUSY`: it plays for another sender and is asked again. `CONNECTED`: our own
    address towards it is known. `STARTED`: its session is open, at its level.
    `PLAYING`: it plays, by a lane. `LOST`: it is connected again while the stream
    plays. `LEFT`: it is not.
    """

    BUSY = "busy"
    CONNECTED = "connected"
    STARTED = "started"
    PLAYING = "playing"
    LOST = "lost"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The process runs and takes commands; receivers reach it at `dacp_port`.

    That is the port of the identity unless it was taken, and 0 where none is free.
    """

    pid: int
    realtime: bool
    segmentation: bool
    dacp_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShared:
    """Whether this machine can be the clock that AirPlay 2 receivers follow.

    Told when it turns out that it cannot, with the code and text of the error in the
    way, and without a code when it can again.
    """

    code: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a command; without a code it was done."""

    id: int
    code: str | None = None
    text: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanged:
    """A stream's state, and why it ended.

    `position_ms` was heard at the Unix time `at`. A stream that failed has an error's
    code, text and status, and the receiver if one was lost.
    """

    stream: str
    state: StreamState
    position_ms: int = 0
    at: float = 0.0
    reason: EndReason | None = None
    code: str | None = None
    text: str = ""
    status: int | None = None
    receiver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The line is set: the first frame of the media is heard at the Unix time `at`."""

    stream: str
    at: float
    first_packet_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaChanged:
    """What plays now: from the file's tags or a radio's titles, under the caller's words."""

    stream: str
    tags: Tags
    item: str = ""
    duration_ms: int | None = None
    is_live: bool = False
    station: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverFound:
    """A picture inside the media (Base64)."""

    stream: str
    picture: str = field(repr=False)
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextFailed:
    """The media that was queued cannot be played; the present one plays on."""

    stream: str
    item: str
    code: str
    text: str
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTaken:
    """The queued media is being sent; another may be queued behind it."""

    stream: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFound:
    """The level at which a receiver stood before its first session here."""

    stream: str
    receiver: str
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """A member's state, and with an error its code.

    `local` is our own address towards it once it is connected, `lane` the way by which
    it plays.
    """

    stream: str
    receiver: str
    state: MemberState
    code: str | None = None
    text: str = ""
    status: int | None = None
    local: str | None = None
    lane: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCommand:
    """A receiver's button, of those in `buttons`; `stream` is what it played last."""

    stream: str
    receiver: str
    command: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProgress:
    """What one receiver's wire shows, counted since its session began.

    `drop_outs` is how often the stream lost it. What follows is known where it
    `is_measured`: `resend_percent` is the share of packets that it asked for again
    lately, `clock_spread_us` how far apart its questions for the time arrive from
    where its clock puts them (None while too few came), `lead_ms` how far ahead of
    being heard its last packet went out.
    """

    receiver: str
    packets: int
    resent: int
    timing_replies: int
    drop_outs: int = 0
    is_measured: bool = False
    resend_percent: float = 0.0
    clock_spread_us: int | None = None
    lead_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Once a second while a stream plays, and when its links are measured."""

    stream: str
    position_ms: int
    at: float
    buffered_ms: int
    silence_ms: int
    worst_lateness_us: int
    members: tuple[MemberProgress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementStarted:
    """A receiver lets the first sample of an announcement be heard, at a Unix time."""

    announcement: str
    stream: str
    receiver: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementFailed:
    """An announcement is not, or not wholly, heard on one of its receivers."""

    announcement: str
    stream: str
    receiver: str
    code: str
    text: str
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the process's log, for the owner's log."""

    level: int
    logger: str
    text: str


type Event = (
    Ready
    | ClockShared
    | Reply
    | StreamChanged
    | Started
    | MediaChanged
    | CoverFound
    | NextFailed
    | NextTaken
    | VolumeFound
    | MemberChanged
    | RemoteCommand
    | MemberProgress
    | Progress
    | AnnouncementStarted
    | AnnouncementFailed
    | LogLine
)
