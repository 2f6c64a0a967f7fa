"""Events that the sender process sends to its owner."""

from dataclasses import dataclass, field
from enum import StrEnum

from .diagnosis import Diagnosed, DiagnosisProgress
from .media import Tags


class StreamState(StrEnum):
    """The state of a stream.

    `BUFFERING` also covers media that stalls while silence is sent. `NEW` precedes
    the first report and is never sent.
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
    """The state of a member of a stream.

    `BUSY`: it plays for another sender and is tried again. `CONNECTED`: our own
    address toward it is known. `STARTED`: its session is open and its volume set.
    `PLAYING`: it plays, by a lane. `LOST`: it is reconnected while the stream plays.
    `LEFT`: it is not reconnected.
    """

    BUSY = "busy"
    CONNECTED = "connected"
    STARTED = "started"
    PLAYING = "playing"
    LOST = "lost"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The process accepts commands; receivers reach it at `dacp_port`.

    That is the port of the identity unless it is in use, and 0 if none is free.
    """

    pid: int
    realtime: bool
    segmentation: bool
    dacp_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShared:
    """Whether this machine can be the clock that AirPlay 2 receivers follow.

    Sent when it cannot, with the code and text of the error, and without a code when
    it can again.
    """

    code: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a command; without a code it succeeded."""

    id: int
    code: str | None = None
    text: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanged:
    """A stream's state, and why it ended.

    `position_ms` played at the Unix time `at`. A failed stream has an error's code,
    text, and status, and the receiver if one was lost.
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
    """The line is set: the first frame of the media plays at the Unix time `at`."""

    stream: str
    at: float
    first_packet_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaChanged:
    """New tags of the playing media, of the file or radio; the caller's tags win."""

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
    """The queued media cannot be played; the current item plays on."""

    stream: str
    item: str
    code: str
    text: str
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTaken:
    """The queued media is being sent; the next one may be queued."""

    stream: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFound:
    """The volume of a receiver before its first session here."""

    stream: str
    receiver: str
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """A member's state, and the code of an error.

    `local` is our own address toward it and `remote` that of its own that answered,
    once it is connected. `lane` is the lane by which it plays, and `way` all that
    worked, for `Member.first_way`. Unless `is_confirmed`, it is of a kind that never
    shows that it plays.
    """

    stream: str
    receiver: str
    state: MemberState
    code: str | None = None
    text: str = ""
    status: int | None = None
    local: str | None = None
    remote: str | None = None
    lane: str | None = None
    way: str | None = None
    is_confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCommand:
    """A button of a receiver, see `buttons`; `stream` is the stream it played last."""

    stream: str
    receiver: str
    command: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProgress:
    """Measurements of one receiver's link since its session began.

    `drop_outs` is how often the stream lost it. The other fields are known if
    `is_measured`: `resend_percent` is the recent share of packets that it requested
    again, `clock_spread_us` how unevenly its timing requests arrive compared with its
    clock (None while there are too few), `lead_ms` how far ahead of playing its last
    packet was sent, or over TCP the least of this since the report before.
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
    """Sent once a second while a stream plays, and when its links are measured."""

    stream: str
    position_ms: int
    at: float
    buffered_ms: int
    silence_ms: int
    worst_lateness_us: int
    members: tuple[MemberProgress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementStarted:
    """The first sample of an announcement plays on a receiver at a Unix time."""

    announcement: str
    stream: str
    receiver: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementFailed:
    """An announcement does not play, or not completely, on one of its receivers."""

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
    | DiagnosisProgress
    | Diagnosed
    | LogLine
)
