"""What the sender process and its owner say to each other, one JSON object a line.

Commands carry a number; each is answered by exactly one `Reply` with it. Events
come unasked. Levels are percent of the receiver's scale (0 to 100), times are
milliseconds of media or Unix seconds where the name says `at`.
"""

from dataclasses import asdict, dataclass, field
import json
from typing import get_args

from .errors import RaopError
from .shapes import ShapeError, build

# Room for the pictures that people have in their music files.
MAX_LINE_BYTES = 4 << 20
# What a line has room for when a picture is written as Base64.
MAX_PICTURE_BYTES = 3 * (MAX_LINE_BYTES - 4096) // 4


class MessageError(RaopError):
    """A line is not a message of this protocol."""

    code = "bad_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A receiver as a stream's member: how to reach it and how it shall sound."""

    receiver: str
    name: str
    host: str
    port: int
    txt: dict[str, str] = field(default_factory=dict)
    airplay_port: int | None = None
    airplay_txt: dict[str, str] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)
    lane: str | None = None
    volume: float | None = None
    muted: bool = False
    delay_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What is known of the media that plays; absent words are not known."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    track: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Something to open: a URL or the path of a file, and what the caller knows of it.

    `name` is what errors call it, so that no signed URL reaches a log or a user;
    `item` is the caller's own mark, which comes back in events. The certificate of
    `trusted_host` is taken as it is: it is the caller itself, on this machine.
    """

    url: str = field(repr=False)
    name: str
    item: str = ""
    trusted_host: str | None = None
    position_ms: int = 0
    duration_ms: int | None = None
    tags: Tags = Tags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are towards receivers: one per installation, kept for ever.

    `dacp_port` is where receivers reach us by that id; 0 where none was chosen yet.
    """

    dacp_id: str
    client_name: str = "Home Assistant"
    dacp_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play media on the members; answered when it is heard, or cannot be.

    A stream that exists takes the new media within its sessions. `depth_ms` is how
    far ahead of being heard packets are sent, `lead_ms` how soon the first frame is
    heard (without it 0.7 s, within a session less where the receivers have shown that
    they can), `start_at` a fixed instant for it instead; `crossfade_ms` is how long
    items that follow overlap. A receiver that plays for another sender is asked again
    for `patience_s` seconds.
    """

    stream: str
    members: tuple[Member, ...]
    media: Media
    depth_ms: int = 1000
    lead_ms: int | None = None
    crossfade_ms: int = 0
    start_at: float | None = None
    patience_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End a stream and free its receivers; answered when they are free."""

    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Open media that shall follow the present one without a gap, or none.

    It takes the place of what was queued before. The owner learns by `MediaChanged`
    that it is heard, by `NextFailed` that it cannot be. Without a `crossfade_ms` that
    of the play command holds.
    """

    stream: str
    media: Media | None = None
    crossfade_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Silence a stream at once; answered when it is silent.

    Its sessions are kept for `keep_s` seconds, then the receivers are freed.
    """

    stream: str
    keep_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on with the frame that was heard at the pause; answered when it is heard.

    Fails with `no_stream` where nothing is paused.
    """

    stream: str
    lead_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVolume:
    """Set a receiver's level wherever it plays; no stream is no error."""

    receiver: str
    volume: float
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A speaker that an announcement is for: its stream, and how to reach it if idle.

    `volume` holds while the announcement sounds; without one the level stays. The
    stream's `depth_ms` is used where a session has to be opened. Of a stream with
    several members only this one is meant where it `is_alone`; its music is lowered,
    as it cannot wait.
    """

    stream: str
    member: Member
    volume: float | None = None
    depth_ms: int = 1000
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Sound clips one after another over what the targets play, together on all.

    Music is lowered by `duck_db` with ramps of `ramp_ms`, or waits where
    `pauses_music` is set and it can wait. On an idle speaker `lead_in_ms` of silence
    come first. Clips of more than `longest_ms` together are refused. Answered when all
    has been heard; an error comes back only where no target could be reached.
    """

    announcement: str
    targets: tuple[Target, ...]
    clips: tuple[Media, ...]
    duck_db: float = -18.0
    ramp_ms: int = 200
    pauses_music: bool = False
    lead_in_ms: int = 500
    longest_ms: int = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnnouncement:
    """End an announcement now; music and level come back. None of the name: no error."""

    announcement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreVolume:
    """Set a receiver's level although nothing plays: after a sender that was killed.

    A session is opened for it and closed again; one that stands is used.
    """

    stream: str
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags:
    """Replace what receivers show of the running media."""

    stream: str
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class SetArtwork:
    """Show a picture (Base64 of JPEG or PNG) on receivers that can; empty clears it."""

    stream: str
    picture: str = field(repr=False)
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """End all streams and the process."""


type Command = (
    Play
    | Stop
    | Queue
    | Pause
    | Resume
    | SetVolume
    | Announce
    | CancelAnnouncement
    | RestoreVolume
    | SetTags
    | SetArtwork
    | Shutdown
)


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
class Reply:
    """The answer to a command; without a code it was done."""

    id: int
    code: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanged:
    """A stream's state: connecting, buffering, playing, paused or ended.

    `buffering` also stands for a source that stalls while silence is sent.
    `position_ms` was heard at the Unix time `at`. An ended stream says why:
    `finished`, `stopped`, or `failed` with an error's code and text, and with the
    receiver where one was lost.
    """

    stream: str
    state: str
    position_ms: int = 0
    at: float = 0.0
    reason: str | None = None
    code: str | None = None
    text: str = ""
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
    """A member's state: connecting, busy, connected, playing, left or lost.

    Lost ones have a code. `local` is our own address towards a connected one.
    """

    stream: str
    receiver: str
    state: str
    code: str | None = None
    text: str = ""
    local: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCommand:
    """A receiver's button, of those in `buttons`; `stream` is what it played last."""

    stream: str
    receiver: str
    command: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProgress:
    """What one receiver's wire shows, counted since its session began."""

    receiver: str
    packets: int
    resent: int
    timing_replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Once a second while a stream plays."""

    stream: str
    position_ms: int
    at: float
    buffered_ms: int
    silence_ms: int
    worst_lateness_us: int
    members: tuple[MemberProgress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementStarted:
    """The first sample of an announcement is heard on a stream at the Unix time `at`."""

    announcement: str
    stream: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementFailed:
    """An announcement is not, or not wholly, heard on one of its streams."""

    announcement: str
    stream: str
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the process's log, for the owner's log."""

    level: int
    logger: str
    text: str


type Event = (
    Ready
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

_COMMANDS: tuple[type[Command], ...] = get_args(Command.__value__)
_EVENTS: tuple[type[Event], ...] = get_args(Event.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What every line is: a message's name, its command's number and its fields."""

    type: str
    id: int
    body: dict[str, object]


def encode_command(number: int, command: Command) -> bytes:
    """Write a command as a line; raise MessageError when it is too long."""
    return _line(number, command)


def decode_command(line: bytes) -> tuple[int, Command]:
    """Read a command and its number; raise MessageError."""
    return _read(line, _COMMANDS)


def encode_event(event: Event) -> bytes:
    """Write an event as a line; raise MessageError when it is too long."""
    return _line(0, event)


def decode_event(line: bytes) -> Event:
    """Read an event; raise MessageError."""
    _, event = _read(line, _EVENTS)
    return event


def _line(number: int, message: Command | Event) -> bytes:
    whole = _Envelope(type=type(message).__name__, id=number, body=asdict(message))
    line = json.dumps(asdict(whole), separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise MessageError(f"{whole.type} is too long for a line")
    return line


def _read[T](line: bytes, kinds: tuple[type[T], ...]) -> tuple[int, T]:
    if len(line) > MAX_LINE_BYTES:
        raise MessageError("a line is too long")
    try:
        envelope = build(_Envelope, json.loads(line))
        for kind in kinds:
            if kind.__name__ == envelope.type:
                return envelope.id, build(kind, envelope.body)
    except (ValueError, RecursionError, ShapeError) as err:
        raise MessageError(f"not a message: {err}") from err
    raise MessageError(f"no message is called {envelope.type[:80]!r}")
