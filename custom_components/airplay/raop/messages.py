"""Messages between the sender process and its owner, one JSON object per line.

Commands carry a number; each is answered by exactly one `Reply` with it. Events
are unsolicited. Volumes are percent of the receiver's scale (0 to 100). Times are
milliseconds of media, Unix seconds if the name is or ends with `at`, and durations in
seconds if it ends with `_s`.
"""

from dataclasses import dataclass
import json
from typing import get_args

from .commands import (
    MAX_DELAY_MS,
    Addressee,
    Announce,
    CancelAnnouncement,
    Channel,
    Command,
    Diagnose,
    Identity,
    Join,
    Leave,
    Measure,
    Member,
    Pause,
    Play,
    Queue,
    RestoreVolume,
    Resume,
    Seen,
    SetArtwork,
    SetTags,
    SetVolume,
    Shutdown,
    Stop,
    Target,
    Tune,
)
from .dataclass_json import ShapeError, build, write
from .diagnosis import Diagnosed, DiagnosisCode, DiagnosisProgress
from .errors import RaopError
from .events import (
    AnnouncementFailed,
    AnnouncementStarted,
    ClockShared,
    CoverFound,
    EndReason,
    Event,
    LogLine,
    MediaChanged,
    MemberChanged,
    MemberProgress,
    MemberState,
    NextFailed,
    NextTaken,
    Progress,
    Ready,
    RemoteCommand,
    Reply,
    Started,
    StreamChanged,
    StreamState,
    VolumeFound,
)
from .media import MAX_PICTURE_BYTES, Media, MediaBounds, MediaKind, Tags
from .udp_ports import LimitUdpPorts

__all__ = [
    "MAX_DELAY_MS",
    "MAX_LINE_BYTES",
    "MAX_PICTURE_BYTES",
    "Addressee",
    "Announce",
    "AnnouncementFailed",
    "AnnouncementStarted",
    "CancelAnnouncement",
    "Channel",
    "ClockShared",
    "Command",
    "CoverFound",
    "Diagnose",
    "Diagnosed",
    "DiagnosisCode",
    "DiagnosisProgress",
    "EndReason",
    "Event",
    "Identity",
    "Join",
    "Leave",
    "LimitUdpPorts",
    "LogLine",
    "Measure",
    "Media",
    "MediaBounds",
    "MediaChanged",
    "MediaKind",
    "Member",
    "MemberChanged",
    "MemberProgress",
    "MemberState",
    "MessageError",
    "NextFailed",
    "NextTaken",
    "Pause",
    "Play",
    "Progress",
    "Queue",
    "Ready",
    "RemoteCommand",
    "Reply",
    "RestoreVolume",
    "Resume",
    "Seen",
    "SetArtwork",
    "SetTags",
    "SetVolume",
    "Shutdown",
    "Started",
    "Stop",
    "StreamChanged",
    "StreamState",
    "Tags",
    "Target",
    "Tune",
    "VolumeFound",
    "decode_command",
    "decode_event",
    "encode_command",
    "encode_event",
]

# Room for the covers that music files contain.
MAX_LINE_BYTES = 4 * MAX_PICTURE_BYTES // 3 + 4096


class MessageError(RaopError):
    """A line is not a message of this protocol."""

    code = "bad_message"


_COMMANDS: tuple[type[Command], ...] = get_args(Command.__value__)
_EVENTS: tuple[type[Event], ...] = get_args(Event.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """The structure of a line: name of the message, number of the command, fields.

    `_line` writes it.
    """

    type: str
    id: int
    body: dict[str, object]


def encode_command(number: int, command: Command) -> bytes:
    """Write a command as a line. Raises MessageError: it is too long."""
    return _line(number, command)


def decode_command(line: bytes) -> tuple[int, Command]:
    """Read a command and its number. Raises MessageError: it is malformed."""
    return _read(line, _COMMANDS)


def encode_event(event: Event) -> bytes:
    """Write an event as a line. Raises MessageError: it is too long."""
    return _line(0, event)


def decode_event(line: bytes) -> Event:
    """Read an event. Raises MessageError: it is malformed."""
    _, event = _read(line, _EVENTS)
    return event


def _line(number: int, message: Command | Event) -> bytes:
    kind = type(message).__name__
    line = write({"type": kind, "id": number, "body": message}) + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise MessageError(f"{kind} is too long for a line")
    return line


def _read[T](line: bytes, kinds: tuple[type[T], ...]) -> tuple[int, T]:
    if len(line) > MAX_LINE_BYTES:
        raise MessageError("line is too long")
    try:
        envelope = build(_Envelope, json.loads(line))
        for kind in kinds:
            if kind.__name__ == envelope.type:
                return envelope.id, build(kind, envelope.body)
    except (ValueError, RecursionError, ShapeError) as err:
        raise MessageError(f"not a message: {err}") from err
    raise MessageError(f"unknown message {envelope.type[:80]!r}")
