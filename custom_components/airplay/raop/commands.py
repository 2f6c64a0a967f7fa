"""Commands that the sender process accepts from its owner."""

from dataclasses import dataclass, field
from enum import StrEnum

from .media import Media, Tags
from .udp_ports import LimitUdpPorts

# A longer delay is an echo, not a difference between speakers.
MAX_DELAY_MS = 2000


class Channel(StrEnum):
    """The channels of the audio that a speaker plays."""

    STEREO = "stereo"
    LEFT = "left"
    RIGHT = "right"
    MONO = "mono"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A receiver as a stream's member: its addresses, its secrets, and its sound.

    `host` is the address to try first, `addresses` are all of them, in order.
    If it `is_bound` to its secrets, it is not played to if it asks for none of them.
    It plays `delay_ms` later than the others (earlier if negative), at most 2000.
    Only `lane` is tried, if given. `first_way` is the way that worked before, as
    `MemberChanged.way` says it; it is tried first, if possible. Without a `volume` it
    keeps its own, or gets `modest_volume` if its own is unknown, or a half or more.
    """

    receiver: str
    name: str
    host: str
    port: int
    txt: dict[str, str] = field(default_factory=dict)
    airplay_port: int | None = None
    airplay_txt: dict[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)
    is_bound: bool = True
    lane: str | None = None
    first_way: str | None = None
    volume: float | None = None
    modest_volume: float | None = None
    muted: bool = False
    delay_ms: int = 0
    channel: Channel = Channel.STEREO


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Our identity toward receivers: one per installation, kept forever.

    Receivers reach us by the DACP ID at `dacp_port`; 0 if none was chosen yet.
    """

    dacp_id: str
    client_name: str = "Home Assistant"
    dacp_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play media on the members; answered when it plays or has failed.

    A stream that exists plays the new media within its sessions. `depth_ms` is how
    far ahead of playing packets are sent, `lead_ms` how soon the first frame plays
    (by default 0.7 s, or less if earlier starts on the receivers have shown that they
    can), `start_at` a fixed instant for it instead; `crossfade_ms` is how long
    successive items overlap. A receiver that plays for another sender is tried again
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
    """Open media that follows the current item without a gap, or clear the queue.

    It replaces the media queued before. `MediaChanged` reports that it plays,
    `NextFailed` that it cannot. Without a `crossfade_ms`, that of the play command
    applies.
    """

    stream: str
    media: Media | None = None
    crossfade_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Silence a stream at once; answered when it is silent.

    Its sessions stay open for `keep_s` seconds, then the receivers are freed.
    """

    stream: str
    keep_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Continue with the frame at which it was paused; answered when it plays.

    Fails with `no_stream` if nothing is paused.
    """

    stream: str
    lead_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Add a receiver to a stream, in sync with the others.

    Answered when it plays; at once if nothing plays, as it then is a member from the
    next start on. An error leaves the stream as it was, without it.
    """

    stream: str
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Free one receiver of a stream; the others play on. Not a member: no error."""

    stream: str
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Report a receiver on the network; streams that lost it try it now."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """Set a receiver's delay and channel wherever it plays; no stream: no error."""

    receiver: str
    delay_ms: int = 0
    channel: Channel = Channel.STEREO


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVolume:
    """Set a receiver's volume wherever it plays; no stream: no error."""

    receiver: str
    volume: float
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A speaker for an announcement, and how to reach it if it is idle.

    `volume` applies while the announcement plays; without one the volume stays.
    """

    member: Member
    volume: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The speakers of one stream that an announcement is for.

    It plays on them only. If the stream plays on no others, its music can wait, and a
    speaker that joins plays the rest too. Otherwise, or if `is_alone` (the stream has
    others, which may not play now), only their music is lowered. A session that has
    to be opened uses the stream's `depth_ms`.
    """

    stream: str
    addressees: tuple[Addressee, ...]
    depth_ms: int = 1000
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Play clips one after another over what the targets play, in sync on all.

    Music is lowered by `duck_db` with ramps of `ramp_ms`, or waits if
    `pauses_music` is set and it can wait. On an idle speaker `lead_in_ms` of silence
    come first. Clips of more than `longest_ms` in total are refused. Answered when all
    has played; it fails only if no speaker could be reached.
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
    """End an announcement now; restore music and volume. Unknown name: no error."""

    announcement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreVolume:
    """Set a receiver's volume although nothing plays: after a sender was killed.

    A session is opened for it and closed again; an open one is used.
    """

    stream: str
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Report progress now, with measurements of each link; answered afterward.

    If no stream plays, nothing is reported, which is no error.
    """

    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnose:
    """Find out what is wrong with a receiver, without sound; answered afterward.

    `Diagnosed` has the result, also if the receiver cannot be played to. If it plays,
    its session is measured, else one is opened; `tries_each` opens one by each way.
    """

    diagnosis: str
    member: Member
    tries_each: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags:
    """Replace the tags that receivers show for the playing media."""

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
    | Join
    | Leave
    | Seen
    | Tune
    | SetVolume
    | Announce
    | CancelAnnouncement
    | RestoreVolume
    | Measure
    | Diagnose
    | SetTags
    | SetArtwork
    | LimitUdpPorts
    | Shutdown
)
