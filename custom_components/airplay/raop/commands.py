"""What the owner of the sender process has it do."""

from dataclasses import dataclass, field
from enum import StrEnum

# More would be no difference between speakers, but an echo.
MAX_DELAY_MS = 2000


class Channel(StrEnum):
    """What of the music a speaker plays."""

    STEREO = "stereo"
    LEFT = "left"
    RIGHT = "right"
    MONO = "mono"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A receiver as a stream's member: how to reach it and how it shall sound.

    It is heard `delay_ms` later than the others, or earlier, at most 2000. It is
    reached by `lane` alone, if given; else `first_lane` comes first, if possible.
    """

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
    first_lane: str | None = None
    volume: float | None = None
    muted: bool = False
    delay_ms: int = 0
    channel: Channel = Channel.STEREO


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
class Join:
    """Let one more receiver hear what a stream plays, in time with the others.

    Answered when it is heard; at once where nothing plays, as then it is a member from
    the next start on. An error leaves the stream as it was, without it.
    """

    stream: str
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Free one receiver of a stream; the others play on. No member is no error."""

    stream: str
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A receiver is on the network, maybe at another address: who lost it tries now."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """Set a receiver's delay and channel wherever it plays; no stream is no error."""

    receiver: str
    delay_ms: int = 0
    channel: Channel = Channel.STEREO


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVolume:
    """Set a receiver's level wherever it plays; no stream is no error."""

    receiver: str
    volume: float
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A speaker that an announcement is for, and how to reach it if it is idle.

    `volume` holds while the announcement sounds; without one the level stays.
    """

    member: Member
    volume: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Those speakers of one stream that an announcement is for.

    It is heard on them only. Where they are all that the stream plays on, its music
    can wait, and who joins hears the rest too; otherwise, or where they are `is_alone`
    (the stream has others, though they may not play now), only their music is lowered.
    The stream's `depth_ms` is used where a session has to be opened.
    """

    stream: str
    addressees: tuple[Addressee, ...]
    depth_ms: int = 1000
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Sound clips one after another over what the targets play, together on all.

    Music is lowered by `duck_db` with ramps of `ramp_ms`, or waits where
    `pauses_music` is set and it can wait. On an idle speaker `lead_in_ms` of silence
    come first. Clips of more than `longest_ms` together are refused. Answered when all
    has been heard; an error comes back only where nobody could be reached.
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
class Measure:
    """Report progress now, with figures of each link; answered when it is reported.

    Without a stream that plays there is nothing to report, which is no error.
    """

    stream: str


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
    | Join
    | Leave
    | Seen
    | Tune
    | SetVolume
    | Announce
    | CancelAnnouncement
    | RestoreVolume
    | Measure
    | SetTags
    | SetArtwork
    | Shutdown
)
